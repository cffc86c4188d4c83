/// The schemas a `$ref` may lead to, by URI. Nothing is ever fetched: what is not here does not exist. The metaschemas
/// of draft 2020-12 are always known.
package struct SchemaRegistry: Sendable {
    private var documents: [String: JSONValue] = [:]

    package init() {}

    /// Makes a schema known under a URI, and under the `$id` of its own if it has one.
    package mutating func add(_ schema: JSONValue, at uri: String) {
        documents[URIReference(uri).withoutFragment] = schema
        if let id = schema["$id"]?.string {
            documents[URIReference(id).resolved(against: URIReference(uri)).withoutFragment] = schema
        }
    }

    func document(at uri: String) -> JSONValue? { documents[uri] ?? MetaSchemas.byURI[uri] }
}
