/// SEEK: a subscribing system moves its cursor in an event type, to see again what it has seen, or what came before it.
package struct Seek: Sendable, Equatable {
    package enum Start: UInt8, Sendable {
        /// The oldest event whose body is kept.
        case beginning = 0
        /// A position of the journal.
        case position = 1
        /// Unix milliseconds by the broker's clock.
        case time = 2
    }

    /// Any number; DONE brings it back.
    package var token: UInt64
    package var start: Start
    package var value: UInt64
    package var system: String
    package var event: String

    package init(token: UInt64, start: Start, value: UInt64 = 0, system: String, event: String) {
        self.token = token
        self.start = start
        self.value = value
        self.system = system
        self.event = event
    }

    package func encoded() -> [UInt8] {
        var out = ByteWriter(capacity: 64)
        out.put(token)
        out.put(start.rawValue)
        for _ in 0..<7 { out.put(UInt8(0)) }
        out.put(value)
        out.put(short: system)
        out.put(short: event)
        return out.finish()
    }

    package init(_ reader: inout ByteReader) throws(Fault) {
        token = try reader.take()
        let number = try reader.take(UInt8.self)
        guard let start = Start(rawValue: number) else {
            throw Fault(.badFrame, at: .unknown, "SEEK from \(number); 0 to 2 are possible")
        }
        self.start = start
        _ = try reader.takeRange(7)
        value = try reader.take()
        system = try reader.takeShortText()
        event = try reader.takeShortText()
    }
}

/// DONE: what became of a SEEK.
package struct Done: Sendable, Equatable {
    package var token: UInt64
    /// 0, or a number of the catalogue.
    package var code: UInt16
    /// Events that will be delivered again.
    package var count: UInt64

    package init(token: UInt64, code: UInt16 = 0, count: UInt64 = 0) {
        self.token = token
        self.code = code
        self.count = count
    }

    package func encoded() -> [UInt8] {
        var out = ByteWriter(capacity: 24)
        out.put(token)
        out.put(code)
        for _ in 0..<6 { out.put(UInt8(0)) }
        out.put(count)
        return out.finish()
    }

    package init(_ reader: inout ByteReader) throws(Fault) {
        token = try reader.take()
        code = try reader.take()
        _ = try reader.takeRange(6)
        count = try reader.take()
    }
}
