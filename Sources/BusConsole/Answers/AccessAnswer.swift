import BusJournal
import BusProtocol

/// What is asked of the account of accesses.
struct AccessQuery {
    static let mostReferences = 8
    static let usualDays: Int64 = 30
    static let mostAccesses = 500
    private static let usualAccesses = 200
    private static let dayMilliseconds: Int64 = 86_400_000

    var references: Set<UInt128> = []
    /// Unix milliseconds.
    var since: Int64
    /// Position of the first record that counts; wins over `since`.
    var from: UInt64?
    var limit: Int

    init(now: Int64, _ parameters: (String) -> String?) throws(AdminError) {
        let words = parameters("reference")?.split(separator: ",", omittingEmptySubsequences: false) ?? []
        for word in words { if let reference = Self.reference(word) { references.insert(reference) } }
        guard !words.isEmpty, words.count <= Self.mostReferences, words.allSatisfy({ Self.reference($0) != nil }) else {
            throw .badRequest(
                "`reference` names no person's references",
                why: "it is 1 to \(Self.mostReferences) times 32 hexadecimal digits, with commas between them",
                next: "ask the provider for them: kerege access NUMBER --system SYSTEM")
        }
        since = try Self.number("since_ms", parameters) ?? now - Self.usualDays * Self.dayMilliseconds
        from = try Self.number("from", parameters).map { UInt64($0) }
        limit = Int(clamping: try Self.number("limit", parameters) ?? Int64(Self.usualAccesses))
        guard (1...Self.mostAccesses).contains(limit) else {
            throw .badRequest(
                "`limit` is \(limit)", why: "1 to \(Self.mostAccesses) accesses fit on a page",
                next: "leave it out for \(Self.usualAccesses)")
        }
    }

    var sinceMicroseconds: Int64 { min(since, .max / 1000) * 1000 }

    private static func reference(_ word: Substring) -> UInt128? {
        guard let bytes = [UInt8](hex: String(word)), bytes.count == 16 else { return nil }
        return bytes.reduce(0) { $0 << 8 | UInt128($1) }
    }

    private static func number(_ name: String, _ parameters: (String) -> String?) throws(AdminError) -> Int64? {
        guard let text = parameters(name) else { return nil }
        guard let number = Int64(text), number >= 0 else {
            throw .badRequest(
                "`\(name)` is no number", why: "it is a whole number that is not negative",
                next: "compare it with Schemas/admin.openapi.yaml")
        }
        return number
    }
}

extension AdminAnswers {
    /// One page of accesses. What the provider marked is in the reply; who asked, and for what, in its request.
    func accesses(_ query: AccessQuery) async throws(AdminError) -> AccessesPage {
        try await reading { reader throws(JournalError) in
            var first = query.from
            if first == nil { first = try reader.firstPosition(committedFrom: query.sinceMicroseconds) }
            guard let first else { return AccessesPage(accesses: []) }
            let page = try reader.accesses(to: query.references, from: max(1, first), limit: query.limit)
            var accesses: [AccessesPage.Item] = []
            var left = JournalReader.longestHistory
            for found in page.found {
                let request = try reader.asked(found, &left)
                // What one page may read is used up: the next begins here, and has all of it for this one.
                if left == 0, !accesses.isEmpty { return AccessesPage(accesses: accesses, next: found.position) }
                accesses.append(.init(found, request: request))
            }
            return AccessesPage(accesses: accesses, next: page.next)
        }
    }
}

extension AccessesPage.Item {
    fileprivate init(_ found: MessageTrace.Step, request: MessageTrace.Step?) {
        func stated(_ text: String?) -> String? { text.flatMap { $0.isEmpty ? nil : $0 } }
        let at = (request?.receivedAt ?? found.receivedAt) / 1000
        let asked = request?.header
        self.init(
            at: RFC3339.text(at), atMs: at, consumer: stated(asked?.consumer), service: found.header.target,
            purpose: stated(asked?.purpose), user: stated(asked?.user), consent: stated(asked?.consent),
            outcome: TracePage.Outcome(number: found.header.outcome), request: found.header.correlation.description,
            reply: found.header.id.description, position: found.position)
    }
}
