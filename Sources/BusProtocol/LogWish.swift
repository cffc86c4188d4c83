/// PROVE: an agent asks for the newest checkpoint of the log, how it goes on from earlier ones, and where its messages stand in it.
package struct LogWish: Sendable, Equatable {
    /// A message of one of the agent's systems.
    package struct Row: Sendable, Equatable {
        package var id: MessageID
        /// In the journal; 0: the broker is to look it up, which it can for commands, outcomes and events.
        package var position: UInt64

        package init(_ id: MessageID, at position: UInt64 = 0) {
            self.id = id
            self.position = position
        }
    }

    /// Any number; PROOF brings it back.
    package var token: UInt64
    /// Sizes of the log whose roots the agent knows.
    package var heads: [UInt64]
    /// The system that sent the messages; empty where there are none.
    package var system: String
    package var messages: [Row]

    package init(token: UInt64, heads: [UInt64], system: String = "", messages: [Row] = []) {
        self.token = token
        self.heads = heads
        self.system = system
        self.messages = messages
    }

    package func encoded() -> [UInt8] {
        var out = ByteWriter(capacity: 64 + heads.count * 8 + messages.count * 24)
        out.put(token)
        out.put(UInt16(heads.count))
        out.put(UInt16(messages.count))
        out.put(short: system)
        for size in heads { out.put(size) }
        for row in messages {
            out.put(id: row.id.value)
            out.put(row.position)
        }
        return out.finish()
    }

    package init(_ reader: inout ByteReader) throws(Fault) {
        token = try reader.take()
        let (headCount, messageCount) = try LogCounts.take(&reader)
        system = try reader.takeShortText()
        heads = []
        for _ in 0..<headCount { heads.append(try reader.take()) }
        messages = []
        for _ in 0..<messageCount {
            let id = MessageID(value: try reader.takeID())
            messages.append(Row(id, at: try reader.take()))
        }
    }
}

/// PROOF: the broker's answer to PROVE. Nothing in it is believed: who asked checks signature and paths.
package struct LogAnswer: Sendable, Equatable {
    /// Where a message stands; one that the log does not have, or that is another system's, has no row.
    package struct Row: Sendable, Equatable {
        package var id: MessageID
        package var position: UInt64
        /// Hashes of 32 bytes, from the leaf upwards.
        package var path: [UInt8]

        package init(_ id: MessageID, at position: UInt64, path: [UInt8]) {
            self.id = id
            self.position = position
            self.path = path
        }
    }

    package var token: UInt64
    /// 0, or why there is nothing else.
    package var code: UInt16
    /// A signed note.
    package var checkpoint: String
    /// For each size of PROVE the proof that the checkpoint's log begins with the one of that size: hashes of 32 bytes.
    package var consistency: [[UInt8]]
    package var rows: [Row]

    package init(
        token: UInt64, code: UInt16 = 0, checkpoint: String = "", consistency: [[UInt8]] = [], rows: [Row] = []
    ) {
        self.token = token
        self.code = code
        self.checkpoint = checkpoint
        self.consistency = consistency
        self.rows = rows
    }

    package func encoded() -> [UInt8] {
        let paths = consistency.reduce(0) { $0 + $1.count } + rows.reduce(0) { $0 + $1.path.count }
        var out = ByteWriter(capacity: 64 + checkpoint.utf8.count + paths + rows.count * 32)
        out.put(token)
        out.put(code)
        out.put(UInt16(consistency.count))
        out.put(UInt16(rows.count))
        out.put(long: checkpoint)
        for path in consistency { Self.put(path, into: &out) }
        for row in rows {
            out.put(id: row.id.value)
            out.put(row.position)
            Self.put(row.path, into: &out)
        }
        return out.finish()
    }

    private static func put(_ path: [UInt8], into out: inout ByteWriter) {
        out.put(UInt8(path.count / 32))
        out.put(raw: path)
    }

    package init(_ reader: inout ByteReader) throws(Fault) {
        token = try reader.take()
        code = try reader.take()
        let (headCount, messageCount) = try LogCounts.take(&reader)
        checkpoint = try reader.takeLongText()
        consistency = []
        for _ in 0..<headCount { consistency.append(try Self.path(&reader)) }
        rows = []
        for _ in 0..<messageCount {
            let id = MessageID(value: try reader.takeID())
            let position: UInt64 = try reader.take()
            rows.append(Row(id, at: position, path: try Self.path(&reader)))
        }
    }

    private static func path(_ reader: inout ByteReader) throws(Fault) -> [UInt8] {
        let count = Int(try reader.take(UInt8.self))
        guard count <= Limits.logPath else {
            throw Fault(.badFrame, at: .unknown, "a path of \(count) hashes; at most \(Limits.logPath) lead to a root")
        }
        return try reader.takeArray(count * 32)
    }
}

/// How many sizes and messages PROVE and PROOF have.
private enum LogCounts {
    static func take(_ reader: inout ByteReader) throws(Fault) -> (heads: Int, messages: Int) {
        let heads = Int(try reader.take(UInt16.self))
        let messages = Int(try reader.take(UInt16.self))
        guard heads <= Limits.provedHeads, messages <= Limits.provedMessages else {
            throw Fault(
                .badFrame, at: .unknown,
                "\(heads) sizes and \(messages) messages; at most \(Limits.provedHeads) and \(Limits.provedMessages) are possible"
            )
        }
        return (heads, messages)
    }
}
