/// The kinds of exchange a contract can describe.
package enum ContractKind: String, Sendable, CaseIterable {
    /// A question with an answer: has `request` and `reply`.
    case request
    /// An order to do something: has `request`, and `reply` if its outcome is told.
    case command
    /// A fact that is made known: has `event`.
    case event
}

/// The bodies a contract can describe.
package enum ContractPart: String, Sendable, CaseIterable, Hashable {
    case request, reply, event
}

/// The name of a contract with its version: "individuals.person-get.v1".
package struct ContractName: Sendable, Hashable, CustomStringConvertible {
    /// Bytes of the whole name.
    package static let longest = 120

    /// Without the version: "individuals.person-get".
    package let base: String
    /// From 1.
    package let version: Int

    /// Nil unless the text is at least two words of a–z, 0–9 and inner dashes, separated by points, and then ".v" and a
    /// number.
    package init?(_ text: String) {
        let words = text.split(separator: ".", omittingEmptySubsequences: false)
        guard text.utf8.count <= Self.longest, words.count >= 3, let last = words.last, last.hasPrefix("v"),
            let version = Int(last.dropFirst()), version >= 1, "v\(version)" == last,
            words.dropLast().allSatisfy(Self.isWord)
        else { return nil }
        base = words.dropLast().joined(separator: ".")
        self.version = version
    }

    private static func isWord(_ word: Substring) -> Bool {
        guard let first = word.utf8.first, first != Byte.minus, !first.isDigit, word.utf8.last != Byte.minus else {
            return false
        }
        return word.utf8.allSatisfy { ($0.isLetter && $0 >= UInt8(ascii: "a")) || $0.isDigit || $0 == Byte.minus }
    }

    package var description: String { "\(base).v\(version)" }
}

/// What is wrong with a contract's document, where, and what would be right.
package struct ContractError: Error, Sendable, Hashable, CustomStringConvertible {
    package let pointer: JSONPointer
    package let what: String

    package var description: String { "\(pointer.tokens.isEmpty ? "the contract" : pointer.description): \(what)" }
}

/// A contract: what may be sent under a name and version, in three languages for people and as schemas for the bus.
///
///     {"contract": "individuals.person-get.v1", "kind": "request",
///      "title": {"kk": "…", "ru": "…", "en": "…"}, "summary": "…",
///      "request": {schema}, "reply": {schema},        or for events: "event": {schema}
///      "$defs": {…},                                   optional, shared by the schemas as #/$defs/…
///      "x-order-key": "/iin",                          optional: the value whose messages stay in order
///      "x-subject": "/iin",                            optional, of requests: the number of the person asked about
///      "examples": [{"request": …, "reply": …}]}       optional; each must satisfy the schemas
package struct Contract: Sendable {
    package let name: ContractName
    package let kind: ContractKind
    /// By language: kk, ru, en.
    package let title: [String: String]
    package let summary: String
    /// Where the value is whose messages keep their order.
    package let orderKey: JSONPointer?
    /// Where a request names the person it is about.
    package let subject: JSONPointer?
    package let examples: [[ContractPart: JSONValue]]
    /// The schemas, complete in themselves.
    package let schemas: [ContractPart: JSONValue]
    /// The document as it was read.
    package let document: JSONValue
    // Apart rather than in a dictionary, where a check would first hash the name of the part.
    private let request: ContractChecker?
    private let reply: ContractChecker?
    private let event: ContractChecker?

    package var version: Int { name.version }

    /// One text for equal contracts; the contract's digest is taken over it.
    package var canonicalBytes: [UInt8] { document.bytes(.canonical) }

    package func checker(for part: ContractPart) -> ContractChecker? {
        switch part {
        case .request: request
        case .reply: reply
        case .event: event
        }
    }

    /// What a body breaks; empty when it satisfies the contract.
    package func check(_ part: ContractPart, _ bytes: UnsafeRawBufferPointer) -> [Violation] {
        checker(for: part)?.check(bytes) ?? [missing(part)]
    }

    package func checkRequest(_ bytes: [UInt8]) -> [Violation] { bytes.withUnsafeBytes { check(.request, $0) } }
    package func checkReply(_ bytes: [UInt8]) -> [Violation] { bytes.withUnsafeBytes { check(.reply, $0) } }
    package func checkEvent(_ bytes: [UInt8]) -> [Violation] { bytes.withUnsafeBytes { check(.event, $0) } }
    package func checkRequest(_ bytes: RawSpan) -> [Violation] { bytes.withUnsafeBytes { check(.request, $0) } }
    package func checkReply(_ bytes: RawSpan) -> [Violation] { bytes.withUnsafeBytes { check(.reply, $0) } }
    package func checkEvent(_ bytes: RawSpan) -> [Violation] { bytes.withUnsafeBytes { check(.event, $0) } }

    private func missing(_ part: ContractPart) -> Violation {
        Violation(
            instance: .whole, rule: "contract", schemaLocation: name.description,
            expected: "no \(part.rawValue): a contract of kind \(kind.rawValue) here has none")
    }

    init(reader: ContractReader, checkers: [ContractPart: ContractChecker]) {
        name = reader.name
        kind = reader.kind
        title = reader.title
        summary = reader.summary
        orderKey = reader.orderKey
        subject = reader.subject
        examples = reader.examples
        schemas = reader.schemas
        document = reader.document
        (request, reply, event) = (checkers[.request], checkers[.reply], checkers[.event])
    }
}
