/// Tries to prove that every value a writer's schema allows is allowed by a reader's schema. Each rule of the reader
/// must follow from some rule of the writer; a rule that does not is a finding.
struct InclusionProof {
    /// Pairs of schemas looked at; beyond it nothing more is claimed.
    static let mostSteps = 5_000
    /// Schemas inside each other on the way.
    static let deepest = 64
    /// Findings of one direction.
    static let mostFindings = 200

    /// A schema and the place it was reached at.
    struct Place {
        let schema: JSONValue
        let pointer: JSONPointer

        func appending(_ tokens: String...) -> JSONPointer { JSONPointer(tokens: pointer.tokens + tokens) }
    }

    let writerRoot: JSONValue
    let readerRoot: JSONValue
    let direction: ContractCompatibility.Direction
    var findings: [ContractCompatibility.Finding] = []
    /// Pairs on trial or proven: assumed to hold when met again, which is what recursive schemas need.
    private var assumed: Set<String> = []
    private var steps = 0

    init(writer: JSONValue, reader: JSONValue, direction: ContractCompatibility.Direction) {
        writerRoot = writer
        readerRoot = reader
        self.direction = direction
    }

    mutating func run() -> [ContractCompatibility.Finding] {
        if writerRoot == readerRoot { return [] }
        for root in [writerRoot, readerRoot] where Self.hasInnerResources(root) {
            find(
                .unproven, .whole, "$id",
                "A schema inside has an $id of its own, which changes what its references mean.")
            return findings
        }
        prove([writerRoot], Place(schema: readerRoot, pointer: .whole), depth: 0)
        return Array(findings.prefix(Self.mostFindings))
    }

    mutating func find(
        _ verdict: ContractCompatibility.Verdict, _ pointer: JSONPointer, _ rule: String, _ why: String
    ) {
        findings.append(.init(direction: direction, verdict: verdict, pointer: pointer, rule: rule, why: why))
    }

    /// Whether a proof attempt finds nothing; what it finds is forgotten.
    mutating func holds(_ writers: [JSONValue], _ reader: Place, depth: Int) -> Bool {
        let before = (findings, assumed)
        prove(writers, reader, depth: depth)
        let holds = findings.count == before.0.count
        findings = before.0
        if !holds { assumed = before.1 }
        return holds
    }

    /// Proves that a value allowed by all of `writers` is allowed by `reader`.
    mutating func prove(_ writers: [JSONValue], _ reader: Place, depth: Int) {
        steps += 1
        guard steps <= Self.mostSteps, depth <= Self.deepest, findings.count < Self.mostFindings else {
            find(.unproven, reader.pointer, "limit", "The schemas are too large or too deep to compare further.")
            return
        }
        guard let known = expanded(writers, root: writerRoot) else {
            find(.unproven, reader.pointer, "$ref", "A reference of the writer's schema leads out of it.")
            return
        }
        if known.contains(.bool(false)) || reader.schema == .bool(true) { return }
        let key =
            known.map { $0.text(.canonical) }.joined(separator: "\u{0}") + "\u{1}" + reader.schema.text(.canonical)
        guard assumed.insert(key).inserted else { return }
        guard let rules = reader.schema.object else {
            find(.breaking, reader.pointer, "false", "The reader accepts nothing here.")
            return
        }
        if known.contains(reader.schema), !WriterKnowledge.containsReference(reader.schema) { return }
        if proveByEnumeration(known, reader) { return }
        if proveByCases(known, reader, depth: depth) { return }
        let writer = WriterKnowledge(known)
        for rule in rules { prove(rule, writer, reader, depth: depth) }
    }

    // MARK: what the writer's schema comes to

    /// The conjunction of schemas a writer's value satisfies: allOf and $ref opened. Nil when a reference cannot be
    /// followed.
    private func expanded(_ schemas: [JSONValue], root: JSONValue) -> [JSONValue]? {
        var result: [JSONValue] = []
        var waiting = Array(schemas.reversed())
        var opened: Set<String> = []
        while let schema = waiting.popLast() {
            result.append(schema)
            guard result.count <= 256 else { return nil }
            waiting += schema["allOf"]?.array ?? []
            if let reference = schema["$ref"]?.string, opened.insert(reference).inserted {
                guard let target = Self.resolve(reference, in: root) else { return nil }
                waiting.append(target)
            }
        }
        return result
    }

    /// References within the schema only: "#", "#/…" and anchors are not followed by name.
    static func resolve(_ reference: String, in root: JSONValue) -> JSONValue? {
        let parts = URIReference(reference)
        guard parts.withoutFragment.isEmpty, let fragment = parts.decodedFragment else { return nil }
        return JSONPointer(fragment).flatMap { root[$0] }
    }

    /// When the writer lists its values, each is simply tried on the reader. True when that decides.
    private mutating func proveByEnumeration(_ writers: [JSONValue], _ reader: Place) -> Bool {
        guard let values = WriterKnowledge(writers).values, let checker = readerChecker(reader) else { return false }
        for value in values {
            guard let violation = checker.firstViolation(value.bytes()) else { continue }
            find(
                .breaking, reader.pointer, violation.rule,
                "The writer may send \(value.text()), where the reader expects \(violation.expected).")
        }
        return true
    }

    private static func hasInnerResources(_ root: JSONValue) -> Bool {
        var waiting = (root.object ?? []).map(\.value)
        while let value = waiting.popLast() {
            if value["$id"]?.string != nil { return true }
            waiting += value.array ?? (value.object ?? []).map(\.value)
        }
        return false
    }

    /// A checker of the reader's schema, with the definitions of its root.
    private func readerChecker(_ reader: Place) -> ContractChecker? {
        var registry = SchemaRegistry()
        registry.add(readerRoot, at: "reader:root")
        let fragment = URIFragment.encoded(reader.pointer)
        let schema: JSONValue =
            readerRoot[reader.pointer] == reader.schema
            ? ["$ref": .string("reader:root#" + fragment)] : reader.schema
        return try? ContractChecker.compile(schema: schema, registry: registry, uri: "reader:part")
    }

    /// Alternatives of the writer: each must be allowed for itself. True when that proves it.
    private mutating func proveByCases(_ known: [JSONValue], _ reader: Place, depth: Int) -> Bool {
        for schema in known {
            for keyword in ["anyOf", "oneOf"] {
                guard let branches = schema[keyword]?.array else { continue }
                let others = known.map { $0 == schema ? Self.without(keyword, $0) : $0 }
                if branches.allSatisfy({ holds(others + [$0], reader, depth: depth + 1) }) { return true }
            }
        }
        return false
    }

    static func without(_ keyword: String, _ schema: JSONValue) -> JSONValue {
        .object((schema.object ?? []).filter { !$0.name.hasSameScalars(as: keyword) })
    }
}

/// A JSON Pointer as the fragment of a URI.
enum URIFragment {
    static func encoded(_ pointer: JSONPointer) -> String {
        pointer.description.utf8.map { byte in
            let isPlain = byte.isLetter || byte.isDigit || "-._~/$".utf8.contains(byte)
            return isPlain
                ? String(Unicode.Scalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }
}
