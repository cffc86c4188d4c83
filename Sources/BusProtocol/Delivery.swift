/// ACK, NAK and TERM: what became of delivered commands and events, by their positions in the journal.
package struct Settlement: Sendable, Equatable {
    package struct Row: Sendable, Equatable {
        package var position: UInt64
        /// NAK: deliver again after this many milliseconds. ACK and TERM: 0.
        package var delayMilliseconds: UInt32
        /// The catalogue number of the reason. NAK: 0 where none is told. ACK: 0.
        package var code: UInt16
        package init(position: UInt64, delayMilliseconds: UInt32 = 0, code: UInt16 = 0) {
            self.position = position
            self.delayMilliseconds = delayMilliseconds
            self.code = code
        }
    }

    /// Rows of one frame: as many deliveries as an agent may have.
    package static let most = Int(Limits.creditMessages)

    package var rows: [Row]
    package init(_ rows: [Row]) { self.rows = rows }

    package func encoded() -> [UInt8] {
        var out = ByteWriter(capacity: 4 + rows.count * 16)
        out.put(UInt32(rows.count))
        for row in rows {
            out.put(row.position)
            out.put(row.delayMilliseconds)
            out.put(row.code)
            out.put(UInt16(0))
        }
        return out.finish()
    }

    package init(_ reader: inout ByteReader) throws(Fault) {
        let count = Int(try reader.take(UInt32.self))
        guard count * 16 == reader.remaining else {
            throw Fault(.badFrame, at: .unknown, "\(count) rows do not fit \(reader.remaining) bytes")
        }
        guard count <= Self.most else {
            throw Fault(.badFrame, at: .unknown, "\(count) rows; an agent has at most \(Self.most) deliveries")
        }
        rows = []
        for _ in 0..<count {
            let row = Row(
                position: try reader.take(), delayMilliseconds: try reader.take(), code: try reader.take())
            _ = try reader.take(UInt16.self)
            rows.append(row)
        }
    }
}

/// REPORT: what only an agent can know. Sent with every heartbeat interval.
package struct AgentReport: Sendable, Equatable {
    /// A system this agent serves.
    package struct SystemHealth: Sendable, Equatable {
        package var system: String
        /// When the newest record of its data was changed, Unix milliseconds; -1 unknown.
        package var dataUpdatedAt: Int64
        /// Whether its database answered the heartbeat's question.
        package var healthy: Bool
        package init(system: String, dataUpdatedAt: Int64, healthy: Bool) {
            self.system = system
            self.dataUpdatedAt = dataUpdatedAt
            self.healthy = healthy
        }
    }
    /// Faults an agent met and the broker cannot see, since the last report.
    package struct Count: Sendable, Equatable {
        package var target: String
        package var consumer: String
        package var code: UInt16
        package var hop: Hop
        package var count: UInt32
        package init(target: String, consumer: String, code: UInt16, hop: Hop, count: UInt32) {
            self.target = target
            self.consumer = consumer
            self.code = code
            self.hop = hop
            self.count = count
        }
    }

    package var uptimeMilliseconds: UInt64
    package var systems: [SystemHealth]
    package var counts: [Count]
    /// What the session takes from now on, in sessions of version 2; nil: as before.
    package var takes: Takes?

    package init(uptimeMilliseconds: UInt64, systems: [SystemHealth], counts: [Count] = []) {
        self.uptimeMilliseconds = uptimeMilliseconds
        self.systems = systems
        self.counts = counts
    }

    package func encoded() -> [UInt8] {
        var out = ByteWriter(capacity: 128)
        out.put(uptimeMilliseconds)
        out.put(UInt16(systems.count))
        out.put(UInt16(counts.count))
        for row in systems {
            out.put(row.dataUpdatedAt)
            out.put(UInt8(row.healthy ? 1 : 0))
            out.put(short: row.system)
        }
        for row in counts {
            out.put(row.count)
            out.put(row.code)
            out.put(row.hop.rawValue)
            out.put(short: row.target)
            out.put(short: row.consumer)
        }
        takes?.write(into: &out)
        return out.finish()
    }

    /// - Parameter version: of the frame; what a session takes stands in frames of version 2 and later.
    package init(_ reader: inout ByteReader, version: UInt8) throws(Fault) {
        uptimeMilliseconds = try reader.take()
        let systemCount = Int(try reader.take(UInt16.self))
        let countCount = Int(try reader.take(UInt16.self))
        guard systemCount <= Limits.systemsPerAgent, countCount <= Limits.reportRows else {
            throw Fault(
                .badFrame, at: .unknown, "a report of \(systemCount) systems and \(countCount) counts is over its limit"
            )
        }
        systems = []
        counts = []
        for _ in 0..<systemCount {
            let updated: Int64 = try reader.take()
            let healthy = try reader.take(UInt8.self) != 0
            systems.append(SystemHealth(system: try reader.takeShortText(), dataUpdatedAt: updated, healthy: healthy))
        }
        for _ in 0..<countCount {
            let count: UInt32 = try reader.take()
            let code: UInt16 = try reader.take()
            let hop = Hop(rawValue: try reader.take(UInt8.self)) ?? .unknown
            let target = try reader.takeShortText()
            counts.append(
                Count(target: target, consumer: try reader.takeShortText(), code: code, hop: hop, count: count))
        }
        if version >= 2, reader.remaining > 0 { takes = try Takes(&reader) }
    }
}

/// PING and PONG: a number that comes back. BYE and DRAIN have no fields; CREDIT's stand in the head.
package enum Heartbeat {
    package static func encode(_ token: UInt64) -> [UInt8] {
        var out = ByteWriter(capacity: 8)
        out.put(token)
        return out.finish()
    }

    package static func decode(_ reader: inout ByteReader) throws(Fault) -> UInt64 { try reader.take() }
}

extension FrameHead {
    /// A reader over E of a frame whose head has been read.
    package func fields(of frame: UnsafeRawBufferPointer) -> ByteReader {
        ByteReader(frame, from: Self.size, to: Self.size + Int(entriesSize))
    }
}
