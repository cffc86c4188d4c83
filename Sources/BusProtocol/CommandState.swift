/// Where a command stands, in the words of the field. Numbers are on the wire and in the journal's views.
@usableFromInline
package enum CommandState: UInt8, Sendable, CaseIterable, Codable {
    /// Durable at the broker; no agent of the provider has it.
    case accepted = 1
    /// An agent of the provider has it and has not said what became of it.
    case delivering
    /// The provider took it; its outcome is still to come.
    case delivered
    /// The provider's outcome is there, and it is fine.
    case completed
    /// The provider's outcome is there: it could not or would not do it.
    case failed
    /// Nobody took it before its expiry.
    case expired
    /// It was given up, with a reason; an operator may resend it.
    case deadLettered

    @inlinable
    package static func == (a: CommandState, b: CommandState) -> Bool { a.rawValue == b.rawValue }

    /// Nothing more will happen to it by itself.
    package var isFinal: Bool {
        switch self {
        case .accepted, .delivering, .delivered: false
        case .completed, .failed, .expired, .deadLettered: true
        }
    }

    package var name: String {
        switch self {
        case .accepted: "accepted"
        case .delivering: "delivering"
        case .delivered: "delivered"
        case .completed: "completed"
        case .failed: "failed"
        case .expired: "expired"
        case .deadLettered: "dead-lettered"
        }
    }
}

/// QUERY: where do these commands stand? Only the systems that sent them are told.
package struct StateQuery: Sendable, Equatable {
    /// Any number; STATE brings it back.
    package var token: UInt64
    package var consumer: String
    package var commands: [MessageID]

    package init(token: UInt64, consumer: String, commands: [MessageID]) {
        self.token = token
        self.consumer = consumer
        self.commands = commands
    }

    package func encoded() -> [UInt8] {
        var out = ByteWriter(capacity: 64 + commands.count * 16)
        out.put(token)
        out.put(UInt16(commands.count))
        out.put(short: consumer)
        for command in commands { out.put(id: command.value) }
        return out.finish()
    }

    package init(_ reader: inout ByteReader) throws(Fault) {
        token = try reader.take()
        let count = Int(try reader.take(UInt16.self))
        guard count <= Limits.queryRows else {
            throw Fault(.badFrame, at: .unknown, "\(count) commands; one QUERY names at most \(Limits.queryRows)")
        }
        consumer = try reader.takeShortText()
        commands = []
        for _ in 0..<count { commands.append(MessageID(value: try reader.takeID())) }
    }
}

/// STATE: the broker's answer to QUERY. A command that is not known has no row.
package struct StateAnswer: Sendable, Equatable {
    package struct Row: Sendable, Equatable {
        package var command: MessageID
        package var state: CommandState
        /// 0, or a number of the catalogue: why it failed, expired or was given up.
        package var code: UInt16
        /// Deliveries so far.
        package var attempts: UInt16
        /// Of the command in the journal.
        package var position: UInt64
        /// When the broker accepted it, Unix microseconds.
        package var acceptedAt: Int64
        /// Body of the outcome, when there is one.
        package var outcome: [UInt8]
        /// Header of the outcome where its body is sealed: without it nobody opens it. Else empty.
        package var outcomeHeader: [UInt8]

        package init(
            command: MessageID, state: CommandState, code: UInt16, attempts: UInt16, position: UInt64,
            acceptedAt: Int64,
            outcome: [UInt8] = [], outcomeHeader: [UInt8] = []
        ) {
            self.command = command
            self.state = state
            self.code = code
            self.attempts = attempts
            self.position = position
            self.acceptedAt = acceptedAt
            self.outcome = outcome
            self.outcomeHeader = outcomeHeader
        }
    }

    package var token: UInt64
    package var rows: [Row]

    package init(token: UInt64, rows: [Row]) {
        self.token = token
        self.rows = rows
    }

    package func encoded() -> [UInt8] {
        var out = ByteWriter(capacity: 16 + rows.count * 64)
        out.put(token)
        out.put(UInt16(rows.count))
        for row in rows {
            out.put(id: row.command.value)
            out.put(row.state.rawValue)
            out.put(UInt8(0))
            out.put(row.code)
            out.put(row.attempts)
            out.put(UInt16(row.outcomeHeader.count))
            out.put(row.position)
            out.put(row.acceptedAt)
            out.put(UInt32(row.outcomeHeader.count + row.outcome.count))
            out.put(raw: row.outcomeHeader)
            out.put(raw: row.outcome)
        }
        return out.finish()
    }

    /// - Parameter version: of the frame; before 3 an outcome has no header here.
    package init(_ reader: inout ByteReader, version: UInt8) throws(Fault) {
        token = try reader.take()
        let count = Int(try reader.take(UInt16.self))
        guard count <= Limits.queryRows else { throw Fault(.badFrame, at: .unknown, "\(count) rows in one STATE") }
        rows = []
        for _ in 0..<count {
            let command = MessageID(value: try reader.takeID())
            let number = try reader.take(UInt8.self)
            guard let state = CommandState(rawValue: number) else {
                throw Fault(.badFrame, at: .unknown, "a command's state \(number) is not known")
            }
            _ = try reader.take(UInt8.self)
            let code: UInt16 = try reader.take()
            let attempts: UInt16 = try reader.take()
            let reserved = Int(try reader.take(UInt16.self))
            let headerSize = version < 3 ? 0 : reserved
            let position: UInt64 = try reader.take()
            let acceptedAt: Int64 = try reader.take()
            let size = Int(try reader.take(UInt32.self))
            guard headerSize <= size else {
                throw Fault(.badFrame, at: .unknown, "an outcome's header of \(headerSize) bytes in \(size)")
            }
            let outcomeHeader = try reader.takeArray(headerSize)
            let outcome = try reader.takeArray(size - headerSize)
            rows.append(
                Row(
                    command: command, state: state, code: code, attempts: attempts, position: position,
                    acceptedAt: acceptedAt, outcome: outcome, outcomeHeader: outcomeHeader))
        }
    }
}
