/// ACCEPT: everything up to `sequence` has been decided, cumulatively: it is durable, or it stands in `refused`.
package struct Acceptance: Sendable, Equatable {
    package struct Refused: Sendable, Equatable {
        /// The message's number in the session.
        package var sequence: UInt64
        package var code: UInt16
        package var hop: Hop
        package var retryAfterMilliseconds: UInt32
        package init(sequence: UInt64, code: UInt16, hop: Hop = .broker, retryAfterMilliseconds: UInt32 = 0) {
            self.sequence = sequence
            self.code = code
            self.hop = hop
            self.retryAfterMilliseconds = retryAfterMilliseconds
        }
    }

    package var sequence: UInt64
    /// Records in the broker's log, and its root, once everything named here is durable.
    package var treeSize: UInt64
    package var root: [UInt8]
    package var refused: [Refused]

    package init(sequence: UInt64, treeSize: UInt64, root: [UInt8], refused: [Refused] = []) {
        self.sequence = sequence
        self.treeSize = treeSize
        self.root = root
        self.refused = refused
    }

    package func encoded() -> [UInt8] {
        var out = ByteWriter(capacity: 56 + refused.count * 16)
        out.put(sequence)
        out.put(treeSize)
        out.put(raw: root)
        out.put(UInt32(refused.count))
        out.put(UInt32(0))
        for item in refused {
            out.put(item.sequence)
            out.put(item.code)
            out.put(item.hop.rawValue)
            out.put(UInt8(0))
            out.put(item.retryAfterMilliseconds)
        }
        return out.finish()
    }

    package init(_ reader: inout ByteReader) throws(Fault) {
        sequence = try reader.take()
        treeSize = try reader.take()
        root = try reader.takeArray(32)
        let count = Int(try reader.take(UInt32.self))
        _ = try reader.take(UInt32.self)
        guard count * 16 == reader.remaining else {
            throw Fault(.badFrame, at: .unknown, "\(count) refusals do not fit \(reader.remaining) bytes")
        }
        refused = []
        refused.reserveCapacity(count)
        for _ in 0..<count {
            let sequence: UInt64 = try reader.take()
            let code: UInt16 = try reader.take()
            let hop = Hop(rawValue: try reader.take(UInt8.self)) ?? .unknown
            _ = try reader.take(UInt8.self)
            refused.append(
                Refused(sequence: sequence, code: code, hop: hop, retryAfterMilliseconds: try reader.take()))
        }
    }
}

/// ERROR: a fault of the session or of a frame as a whole.
package struct FaultNotice: Sendable, Equatable {
    package var code: UInt16
    package var hop: Hop
    package var retryAfterMilliseconds: UInt32
    package var detail: String

    package init(_ fault: Fault, at hop: Hop) {
        code = fault.code.number
        self.hop = hop
        retryAfterMilliseconds = fault.retryAfterMilliseconds
        detail = fault.detail
    }

    package func encoded() -> [UInt8] {
        var out = ByteWriter(capacity: 16 + detail.utf8.count)
        out.put(code)
        out.put(hop.rawValue)
        out.put(UInt8(0))
        out.put(retryAfterMilliseconds)
        out.put(long: detail)
        return out.finish()
    }

    package init(_ reader: inout ByteReader) throws(Fault) {
        code = try reader.take()
        hop = Hop(rawValue: try reader.take(UInt8.self)) ?? .unknown
        _ = try reader.take(UInt8.self)
        retryAfterMilliseconds = try reader.take()
        detail = try reader.takeLongText()
    }
}
