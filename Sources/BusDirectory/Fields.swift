import BusEvidence
import BusProtocol

/// How the text of one scalar becomes a value, and what to say when it does not.
struct Scalar<Value>: Sendable {
    var code: Finding.Code
    /// What would be right.
    var right: String
    /// Words to compare with when the text is none of a closed set.
    var candidates: [String] = []
    var parse: @Sendable (String) -> Value?
}

extension Scalar where Value == String {
    static let text = Scalar(code: .badValue, right: "some text") { $0 }
    static let purpose = Scalar(
        code: .badValue, right: "one sentence of at most \(Limits.text) bytes, as it stands in the header of a call"
    ) { $0.utf8.count <= Limits.text ? $0 : nil }
    static let identifier = Scalar(
        code: .badIdentifier, right: "lower-case letters, digits and single hyphens, such as `real-estate`"
    ) { Identifiers.isIdentifier($0) ? $0 : nil }
    static let serviceName = Scalar(
        code: .badIdentifier, right: "`system.name.vN`, such as `individuals.person-get.v1`"
    ) {
        Identifiers.serviceName($0) != nil ? $0 : nil
    }
    static let bin = Scalar(
        code: .badBIN, right: "12 digits: YYMM, type 4–6, sign 0–3, five of a serial, and the check digit"
    ) { Identifiers.isBIN($0) ? $0 : nil }
    static let uuid = Scalar(code: .badUUID, right: "8-4-4-4-12 lower-case hexadecimal digits, not all zero") {
        Identifiers.isUUID($0) ? $0 : nil
    }
    static let curve = Scalar(
        code: .badKey, right: "a 32-byte CURVE public key as 40 characters of Z85, in quotes"
    ) { Identifiers.isCurveKey($0) ? $0 : nil }
    /// Whatever its form in the file, a snapshot has one.
    static let signingKey = Scalar(
        code: .badKey, right: "an Ed25519 public key as 64 hexadecimal digits or 43 characters of base64url"
    ) { VerifyingKey($0)?.description }
    static let orderSecretID = Scalar(
        code: .badKey, right: "16 hexadecimal digits: the line `order-id` of SYSTEM.seal.pub"
    ) {
        [UInt8](hex: $0)?.count == 8 ? $0 : nil
    }
    static let sealingKey = Scalar(
        code: .badKey, right: "an X-Wing public key as 1622 characters of base64url"
    ) { SystemPublicKey($0)?.description }
    static let email = Scalar(code: .badValue, right: "`name@host`") { text in
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        let isAddress = parts.count == 2 && parts.allSatisfy { !$0.isEmpty } && !text.contains(" ")
        return isAddress ? text : nil
    }

    static func address(_ scheme: String) -> Scalar {
        Scalar(code: .badValue, right: "`\(scheme)://host:port`") { text in
            let start = scheme + "://"
            guard text.hasPrefix(start), let colon = text.lastIndex(of: ":"), !text.contains(" ") else { return nil }
            let host = text.dropFirst(start.count).prefix { $0 != ":" }
            guard !host.isEmpty, let port = UInt16(text[text.index(after: colon)...]), port > 0 else { return nil }
            return text
        }
    }
}

extension Scalar where Value == CalendarDate {
    static let date = Scalar(code: .badDate, right: "an existing day as YYYY-MM-DD") { CalendarDate($0) }
}

extension Scalar where Value == Milliseconds {
    static let duration = Scalar(
        code: .badDuration, right: "a whole number with ms, s, m, h or d, such as `250ms`, `5s`, `1d`"
    ) {
        Milliseconds($0)
    }
}

extension Scalar where Value == Bool {
    static let flag = Scalar(code: .wrongType, right: "`true` or `false`") { ["true": true, "false": false][$0] }
}

extension Scalar where Value == Int {
    static func integer(_ range: ClosedRange<Int>, code: Finding.Code = .badValue) -> Scalar {
        Scalar(code: code, right: "a whole number from \(range.lowerBound) to \(range.upperBound)") {
            Int($0).flatMap { range.contains($0) ? $0 : nil }
        }
    }
}

extension Scalar where Value: RawRepresentable<String> & CaseIterable & Sendable {
    static var choice: Scalar {
        let words = Value.allCases.map(\.rawValue)
        return Scalar(code: .badValue, right: "one of \(words.joined(separator: ", "))", candidates: words) {
            Value(rawValue: $0)
        }
    }
}

/// The members of one mapping. Reports unknown members when made, and each value when it is read.
struct Fields {
    /// How findings call the mapping: `system`, `integration`.
    let kind: String
    let place: Place
    private let members: [String: Element.Member]

    /// Nil, with a finding, when the element is not a mapping.
    init?(_ element: Element, kind: String, allowed: [String], into findings: inout Findings) {
        guard case .mapping(let list) = element.shape else {
            findings.error(
                .wrongType, at: element.place, "\(element.shapeName) where a mapping is needed: \(kind)",
                right: "`member: value` lines with \(allowed.joined(separator: ", "))")
            return nil
        }
        self.kind = kind
        place = element.place
        var members: [String: Element.Member] = [:]
        for member in list {
            guard allowed.contains(member.name) else {
                findings.error(
                    .unknownMember, at: member.namePlace, "unknown member `\(member.name)` of \(kind)",
                    right: Suggestion.phrase(
                        for: member.name, among: allowed, otherwise: "one of \(allowed.joined(separator: ", "))"))
                continue
            }
            members[member.name] = member
        }
        self.members = members
    }

    /// Of the value, or of the mapping when the member is absent.
    func place(of name: String) -> Place { members[name]?.value.place ?? place }

    func has(_ name: String) -> Bool {
        switch members[name]?.value.shape {
        case nil, .empty, .scalar(""): false
        case .scalar, .list, .mapping: true
        }
    }

    /// Nil when absent or empty (no finding), or when wrong (a finding).
    func read<Value>(_ name: String, _ scalar: Scalar<Value>, into findings: inout Findings) -> Value? {
        guard let value = members[name]?.value else { return nil }
        return Self.read(value, "`\(name)` of \(kind)", scalar, into: &findings)
    }

    /// Nil only together with a finding.
    func require<Value>(_ name: String, _ scalar: Scalar<Value>, into findings: inout Findings) -> Value? {
        guard has(name) else {
            let state = members[name] == nil ? "is missing" : "is empty"
            findings.error(
                .missingMember, at: place(of: name), "`\(name)` of \(kind) \(state)",
                right: "add `\(name):` with \(scalar.right)")
            return nil
        }
        return read(name, scalar, into: &findings)
    }

    /// A list of scalars; empty when absent. An empty entry is wrong.
    func list<Value>(_ name: String, _ scalar: Scalar<Value>, into findings: inout Findings) -> [(
        value: Value, place: Place
    )] {
        let called = "an entry of `\(name)` of \(kind)"
        return elements(name, into: &findings).compactMap { element in
            switch element.shape {
            case .empty, .scalar(""):
                findings.error(.badValue, at: element.place, "\(called) is empty", right: scalar.right)
                return nil
            case .scalar, .list, .mapping:
                return Self.read(element, called, scalar, into: &findings).map { ($0, element.place) }
            }
        }
    }

    /// The entries of a list; empty when absent.
    func elements(_ name: String, into findings: inout Findings) -> [Element] {
        guard let value = members[name]?.value else { return [] }
        switch value.shape {
        case .empty: return []
        case .list(let elements): return elements
        case .scalar, .mapping:
            findings.error(
                .wrongType, at: value.place, "`\(name)` of \(kind) is \(value.shapeName)",
                right: "a list: `- entry` lines or `[a, b]`")
            return []
        }
    }

    /// A mapping inside, called `calling` in findings; nil when absent or wrong.
    func inner(
        _ name: String, allowed: [String], calling: String? = nil, into findings: inout Findings
    ) -> Fields? {
        guard has(name), let value = members[name]?.value else { return nil }
        return Fields(value, kind: calling ?? "`\(name)` of \(kind)", allowed: allowed, into: &findings)
    }

    private static func read<Value>(
        _ element: Element, _ called: String, _ scalar: Scalar<Value>, into findings: inout Findings
    ) -> Value? {
        switch element.shape {
        case .empty:
            return nil
        case .scalar(let text):
            if text.isEmpty { return nil }
            if let value = scalar.parse(text) { return value }
            findings.error(
                scalar.code, at: element.place, "\(called) is `\(excerpt(text))`",
                right: Suggestion.phrase(for: text, among: scalar.candidates, otherwise: scalar.right))
            return nil
        case .list, .mapping:
            findings.error(.wrongType, at: element.place, "\(called) is \(element.shapeName)", right: scalar.right)
            return nil
        }
    }

    private static func excerpt(_ text: String) -> String { text.count > 80 ? text.prefix(80) + "…" : text }
}
