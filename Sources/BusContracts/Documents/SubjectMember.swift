/// The member `x-subject` of a contract: where a request names the person it is about.
enum SubjectMember {
    private static let name = "x-subject"
    /// References followed on the way to one member; a schema that goes in circles ends here.
    private static let mostReferences = 16

    /// Nil when the contract names none.
    /// - Throws: unless it is a pointer to a text that the schema of the requests knows. A wrong one would keep every access out of the
    ///   journal's account, and nobody would notice.
    static func pointer(
        _ document: JSONValue, _ kind: ContractKind, _ request: JSONValue?
    ) throws(ContractError) -> JSONPointer? {
        guard let member = document[name] else { return nil }
        guard kind == .request, let request else {
            throw ContractReader.error([name], "only contracts of kind request are about somebody")
        }
        guard let pointer = member.string.flatMap({ JSONPointer($0) }), !pointer.tokens.isEmpty else {
            throw ContractReader.error([name], "a JSON Pointer to a value of the request was expected, as /iin")
        }
        guard let schema = schema(at: pointer, in: request) else {
            throw ContractReader.error([name], "the schema of the request has no member \(pointer) under `properties`")
        }
        let types = schema["type"]?.array?.compactMap(\.string) ?? [schema["type"]?.string].compactMap(\.self)
        guard types.contains("string") else {
            throw ContractReader.error(
                [name], "the member \(pointer) of the request is no text, so it is nobody's number")
        }
        return pointer
    }

    /// The schema of a member, however deep; only `properties` and references within the contract are followed.
    private static func schema(at pointer: JSONPointer, in root: JSONValue) -> JSONValue? {
        var place = resolved(root, in: root)
        for token in pointer.tokens { place = place?["properties"]?[token].flatMap { resolved($0, in: root) } }
        return place
    }

    private static func resolved(_ schema: JSONValue, in root: JSONValue) -> JSONValue? {
        var schema = schema
        for _ in 0..<mostReferences {
            guard let reference = schema["$ref"]?.string else { return schema }
            guard reference.hasPrefix("#"), let pointer = JSONPointer(String(reference.dropFirst())),
                let next = root[pointer]
            else { return nil }
            schema = next
        }
        return nil
    }
}
