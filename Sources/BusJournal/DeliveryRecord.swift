package import BusProtocol

/// A delivery that did not end well and is tried again: the history of a message that is given up one day.
package struct AttemptedRecord: Sendable, Equatable {
    package var position: UInt64
    package var at: Int64
    /// Deliveries so far, from 1.
    package var attempt: UInt16
    /// Why it is tried again: a number of the catalogue; 0 when its receiver told no reason.
    package var code: UInt16
    package var receiver: String
    package var agent: String
    package init(position: UInt64, at: Int64, attempt: UInt16, code: UInt16, receiver: String, agent: String) {
        self.position = position
        self.at = at
        self.attempt = attempt
        self.code = code
        self.receiver = receiver
        self.agent = agent
    }

    package var encoded: [UInt8] {
        var out = ByteWriter()
        out.put(position)
        out.put(at)
        out.put(attempt)
        out.put(code)
        out.put(short: receiver)
        out.put(short: agent)
        return out.finish()
    }

    package init(_ reader: inout ByteReader) throws(Fault) {
        position = try reader.take()
        at = try reader.take()
        attempt = try reader.take()
        code = try reader.take()
        receiver = try reader.takeShortText()
        agent = try reader.takeShortText()
    }
}

/// An operator sent a dead letter on its way again: the same message, with new attempts.
package struct ResentRecord: Sendable, Equatable {
    package var position: UInt64
    package var at: Int64
    /// Commands: its new expiry, Unix milliseconds; `Int64.max` for none.
    package var expiry: Int64
    package var receiver: String
    package init(position: UInt64, at: Int64, expiry: Int64, receiver: String) {
        self.position = position
        self.at = at
        self.expiry = expiry
        self.receiver = receiver
    }

    package var encoded: [UInt8] {
        var out = ByteWriter()
        out.put(position)
        out.put(at)
        out.put(expiry)
        out.put(short: receiver)
        return out.finish()
    }

    package init(_ reader: inout ByteReader) throws(Fault) {
        position = try reader.take()
        at = try reader.take()
        expiry = try reader.take()
        receiver = try reader.takeShortText()
    }
}

/// A subscriber moved its cursor: it is owed these events again.
package struct SoughtRecord: Sendable, Equatable {
    /// Most positions of one record; a longer replay is several records.
    package static let most = 4096
    package var at: Int64
    package var receiver: String
    package var event: String
    package var positions: [UInt64]
    package init(at: Int64, receiver: String, event: String, positions: [UInt64]) {
        self.at = at
        self.receiver = receiver
        self.event = event
        self.positions = positions
    }

    package var encoded: [UInt8] {
        var out = ByteWriter(capacity: 64 + positions.count * 8)
        out.put(at)
        out.put(short: receiver)
        out.put(short: event)
        out.put(UInt32(positions.count))
        for position in positions { out.put(position) }
        return out.finish()
    }

    package init(_ reader: inout ByteReader) throws(Fault) {
        at = try reader.take()
        receiver = try reader.takeShortText()
        event = try reader.takeShortText()
        let count = Int(try reader.take(UInt32.self))
        guard count <= Self.most else { throw Fault(.storageFailed, at: .broker, "\(count) positions in one record") }
        positions = []
        for _ in 0..<count { positions.append(try reader.take()) }
    }
}
