/// Reads a contract's document member by member.
struct ContractReader {
    static let languages = ["kk", "ru", "en"]
    private static let members: Set<String> = [
        "contract", "kind", "title", "summary", "request", "reply", "event", "$defs", "x-order-key", "x-subject",
        "examples",
    ]

    let document: JSONValue
    let name: ContractName
    let kind: ContractKind
    let title: [String: String]
    let summary: String
    let schemas: [ContractPart: JSONValue]
    let orderKey: JSONPointer?
    let subject: JSONPointer?
    let examples: [[ContractPart: JSONValue]]

    init(_ document: JSONValue) throws(ContractError) {
        self.document = document
        guard let members = document.object else {
            throw Self.error([], "a contract is an object with contract, kind, title, summary and schemas")
        }
        for member in members where !Self.members.contains(member.name) && !member.name.hasPrefix("x-") {
            throw Self.error([member.name], "no such member; notes of one's own start with x-")
        }
        guard let name = document["contract"]?.string.flatMap({ ContractName($0) }) else {
            throw Self.error(["contract"], "a name like individuals.person-get.v1 was expected")
        }
        guard let kind = document["kind"]?.string.flatMap({ ContractKind(rawValue: $0) }) else {
            throw Self.error(["kind"], "request, command or event was expected")
        }
        (self.name, self.kind) = (name, kind)
        title = try Self.title(document)
        guard let summary = document["summary"]?.string, !summary.isEmpty else {
            throw Self.error(["summary"], "a sentence that says what the exchange is for was expected")
        }
        self.summary = summary
        schemas = try Self.schemas(document, kind)
        orderKey = try Self.orderKey(document)
        subject = try SubjectMember.pointer(document, kind, schemas[.request])
        examples = try Self.examples(document, schemas)
    }

    static func error(_ tokens: [String], _ what: String) -> ContractError {
        ContractError(pointer: JSONPointer(tokens: tokens), what: what)
    }

    private static func title(_ document: JSONValue) throws(ContractError) -> [String: String] {
        var title: [String: String] = [:]
        for language in languages {
            guard let text = document["title"]?[language]?.string, !text.isEmpty else {
                throw error(["title", language], "the title in the language \(language) was expected")
            }
            title[language] = text
        }
        return title
    }

    private static func schemas(
        _ document: JSONValue, _ kind: ContractKind
    ) throws(ContractError) -> [ContractPart: JSONValue] {
        let needed: [ContractPart] =
            switch kind {
            case .request: [.request, .reply]
            case .command: [.request]
            case .event: [.event]
            }
        let allowed = kind == .event ? needed : [.request, .reply]
        var schemas: [ContractPart: JSONValue] = [:]
        for part in ContractPart.allCases {
            guard let schema = document[part.rawValue] else {
                if needed.contains(part) {
                    throw error([part.rawValue], "a contract of kind \(kind.rawValue) needs this schema")
                }
                continue
            }
            guard allowed.contains(part) else {
                throw error([part.rawValue], "a contract of kind \(kind.rawValue) has no such schema")
            }
            schemas[part] = try withShared(document["$defs"], schema, part)
        }
        return schemas
    }

    /// The schema with the definitions of the contract added to its own, so that it is complete by itself.
    private static func withShared(
        _ shared: JSONValue?, _ schema: JSONValue, _ part: ContractPart
    ) throws(ContractError) -> JSONValue {
        guard let shared else { return schema }
        guard let definitions = shared.object else { throw error(["$defs"], "an object of schemas was expected") }
        guard let members = schema.object else { return schema }
        let own = schema["$defs"]?.object ?? []
        for definition in own where shared[definition.name] != nil {
            throw error([part.rawValue, "$defs", definition.name], "the contract's own $defs already has this name")
        }
        let others = members.filter { !$0.name.hasSameScalars(as: "$defs") }
        return .object(others + [JSONMember("$defs", .object(own + definitions))])
    }

    private static func orderKey(_ document: JSONValue) throws(ContractError) -> JSONPointer? {
        guard let member = document["x-order-key"] else { return nil }
        guard let pointer = member.string.flatMap({ JSONPointer($0) }), !pointer.tokens.isEmpty else {
            throw error(["x-order-key"], "a JSON Pointer to a value of the body was expected, as /iin")
        }
        return pointer
    }

    private static func examples(
        _ document: JSONValue, _ schemas: [ContractPart: JSONValue]
    ) throws(ContractError) -> [[ContractPart: JSONValue]] {
        guard let member = document["examples"] else { return [] }
        guard let list = member.array else { throw error(["examples"], "a list of objects was expected") }
        var examples: [[ContractPart: JSONValue]] = []
        for (index, example) in list.enumerated() {
            var bodies: [ContractPart: JSONValue] = [:]
            for body in example.object ?? [JSONMember("?", .null)] {
                guard let part = ContractPart(rawValue: body.name), schemas[part] != nil else {
                    throw error(
                        ["examples", String(index)], "bodies under the names of the contract's schemas were expected")
                }
                bodies[part] = body.value
            }
            examples.append(bodies)
        }
        return examples
    }
}

extension Contract {
    /// Reads and compiles a contract. Its schemas must use known keywords and formats only, and its examples must
    /// satisfy them.
    package init(
        _ document: JSONValue, registry: SchemaRegistry = SchemaRegistry(), limits: JSONLimits = JSONLimits()
    ) throws(ContractError) {
        let reader = try ContractReader(document)
        let options = ContractChecker.Options(
            assertFormats: true, refuseUnknownFormats: true, refuseUnknownKeywords: true, limits: limits)
        var checkers: [ContractPart: ContractChecker] = [:]
        for (part, schema) in reader.schemas {
            do throws(SchemaError) {
                checkers[part] = try ContractChecker.compile(
                    schema: schema, registry: registry, options: options, uri: "\(reader.name)/\(part.rawValue)")
            } catch {
                throw ContractReader.error([part.rawValue], "the schema is not usable: \(error)")
            }
        }
        self.init(reader: reader, checkers: checkers)
        try refuseWrongExamples()
    }

    /// Reads and compiles a contract from the bytes of its file.
    package static func parse(
        _ bytes: [UInt8], registry: SchemaRegistry = SchemaRegistry(), limits: JSONLimits = JSONLimits()
    ) throws(ContractError) -> Contract {
        let document: JSONValue
        do throws(JSONParseError) {
            document = try JSONValue.parse(bytes, limits: limits)
        } catch {
            throw ContractReader.error([], "JSON was expected: \(error)")
        }
        return try Contract(document, registry: registry, limits: limits)
    }

    private func refuseWrongExamples() throws(ContractError) {
        for (index, example) in examples.enumerated() {
            for (part, body) in example {
                let bytes = body.bytes()
                guard let violation = bytes.withUnsafeBytes({ check(part, $0) }).first else { continue }
                throw ContractReader.error(
                    ["examples", String(index), part.rawValue] + violation.instance.tokens,
                    "the example breaks its own contract: expected \(violation.expected)")
            }
        }
    }
}
