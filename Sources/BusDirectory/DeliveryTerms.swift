/// How often and when a command, outcome or event is tried again before it becomes a dead letter.
package struct RetryTerms: Sendable, Codable, Equatable {
    /// Deliveries in all.
    package var attempts: Int
    /// Wait before the second delivery; each later wait is twice the one before it, with jitter.
    package var first: Milliseconds
    /// No wait is longer.
    package var longest: Milliseconds

    package static let standard = RetryTerms(
        attempts: 20, first: Milliseconds(250), longest: Milliseconds(60_000))
    package static let attemptsAllowed = 1...1000

    package init(attempts: Int, first: Milliseconds, longest: Milliseconds) {
        self.attempts = attempts
        self.first = first
        self.longest = longest
    }
}

/// What one agent, or one integration, may send in a second.
package struct TrafficQuota: Sendable, Codable, Equatable {
    package var messagesPerSecond: Int?
    package var bytesPerSecond: Int?

    package init(messagesPerSecond: Int? = nil, bytesPerSecond: Int? = nil) {
        self.messagesPerSecond = messagesPerSecond
        self.bytesPerSecond = bytesPerSecond
    }

    static let allowed = 1...1_000_000_000
}

extension RetryTerms {
    static let members = ["attempts", "first", "longest"]

    init?(_ fields: Fields, into findings: inout Findings) {
        let attempts = fields.require("attempts", .integer(Self.attemptsAllowed), into: &findings)
        let first = fields.read("first", .duration, into: &findings) ?? Self.standard.first
        let longest = fields.read("longest", .duration, into: &findings) ?? max(first, Self.standard.longest)
        guard let attempts else { return nil }
        if longest < first {
            findings.error(
                .badValue, at: fields.place(of: "longest"),
                "the longest wait (\(longest)) is shorter than the first (\(first))",
                right: "a longest wait of at least the first")
        }
        self.init(attempts: attempts, first: first, longest: longest)
    }
}

extension TrafficQuota {
    static let members = ["messagesPerSecond", "bytesPerSecond"]

    init(_ fields: Fields, into findings: inout Findings) {
        self.init(
            messagesPerSecond: fields.read("messagesPerSecond", .integer(Self.allowed), into: &findings),
            bytesPerSecond: fields.read("bytesPerSecond", .integer(Self.allowed), into: &findings))
    }
}
