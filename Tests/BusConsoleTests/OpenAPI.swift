import BusContracts
import Foundation
import Testing
import Yams

/// `Schemas/admin.openapi.yaml`, with checkers for the schemas in it.
struct OpenAPI {
    let document: JSONValue

    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    init() throws {
        let text = try String(
            contentsOf: Self.root.appendingPathComponent("Schemas/admin.openapi.yaml"), encoding: .utf8)
        document = try Self.value(try #require(try Yams.compose(yaml: text)))
    }

    /// `GET /v1/status`, … of every operation.
    var operations: Set<String> {
        var names: Set<String> = []
        for path in document["paths"]?.object ?? [] {
            for method in path.value.object ?? [] { names.insert("\(method.name.uppercased()) \(path.name)") }
        }
        return names
    }

    /// The checker of a schema by its name. No object may have a member that the schema does not list, so that a new member
    /// is not forgotten in the document.
    func checker(_ name: String) throws -> ContractChecker {
        var registry = SchemaRegistry()
        registry.add(Self.closed(document), at: "file:openapi")
        return try ContractChecker.compile(
            schema: ["$ref": .string("file:openapi#/components/schemas/\(name)")], registry: registry, uri: "file:test")
    }

    private static func closed(_ value: JSONValue) -> JSONValue {
        switch value {
        case .array(let elements): return .array(elements.map(closed))
        case .object(let members):
            var result = members.map { JSONMember($0.name, closed($0.value)) }
            if value["properties"]?.object != nil { result.append(JSONMember("additionalProperties", false)) }
            return .object(result)
        default: return value
        }
    }

    private static func value(_ node: Node) throws -> JSONValue {
        switch node {
        case .mapping(let mapping):
            return .object(try mapping.map { JSONMember($0.key.string ?? "", try value($0.value)) })
        case .sequence(let sequence): return .array(try sequence.map(value))
        case .scalar(let scalar):
            if scalar.style == .plain {
                if let flag = Bool(scalar.string) { return .bool(flag) }
                if let number = JSONNumber(scalar.string) { return .number(number) }
            }
            return .string(scalar.string)
        case .alias: throw CocoaError(.propertyListReadCorrupt)
        }
    }
}
