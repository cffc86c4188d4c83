/// Why a schema cannot be compiled, where, and what would be right.
package struct SchemaError: Error, Sendable, Hashable, CustomStringConvertible {
    /// URI of the schema resource and a JSON Pointer in it: "https://example.kz/person#/properties/iin".
    package let location: String
    package let what: String

    package var description: String { "\(location): \(what)" }
}
