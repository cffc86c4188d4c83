package import Foundation
import FoundationNetworking

/// The admin API of a mesh, as raw JSON.
public struct MeshAdmin: Sendable {
    public let address: String
    public let tokenFile: String

    public init(address: String, tokenFile: String) {
        self.address = address
        self.tokenFile = tokenFile
    }

    /// GET; the parsed JSON. Throws when there is no answer of status 200.
    public func get(_ path: String) async throws -> JSON {
        guard let url = URL(string: "http://\(address)\(path)") else {
            throw MeshError("`\(path)` is no path", remedy: "begin it with /v1/")
        }
        var request = URLRequest(url: url, timeoutInterval: 5)
        if let token = try? String(contentsOfFile: tokenFile, encoding: .utf8) {
            request.setValue(
                "Bearer \(token.trimmingCharacters(in: .whitespacesAndNewlines))", forHTTPHeaderField: "Authorization")
        }
        let (data, response) = try await URLSession.shared.data(for: request)
        guard let status = (response as? HTTPURLResponse)?.statusCode, status == 200 else {
            throw MeshError(
                "\(path) was refused: \(String(decoding: data, as: UTF8.self))", remedy: "look at the answer")
        }
        return try JSON(data)
    }

    public func connectedAgents() async throws -> Set<String> {
        Set(try await get("/v1/agents")["agents"].array.compactMap { $0["agent"].string })
    }

    /// Observed state of every integration, by id.
    public func observedStates() async throws -> [String: String] {
        let rows = try await get("/v1/integrations")["integrations"].array
        return Dictionary(
            rows.compactMap { row in row["id"].string.flatMap { id in row["observed"].string.map { (id, $0) } } },
            uniquingKeysWith: { first, _ in first })
    }
}

/// A JSON value to look into; a member that is not there reads as null.
// @unchecked: holds only immutable Foundation values made by the parser.
public struct JSON: @unchecked Sendable {
    private let value: Any?

    package init(_ data: Data) throws {
        value = try JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed)
    }
    private init(value: Any?) { self.value = value }

    public subscript(_ member: String) -> JSON { JSON(value: (value as? [String: Any])?[member]) }
    public subscript(_ index: Int) -> JSON {
        guard let array = value as? [Any], array.indices.contains(index) else { return JSON(value: nil) }
        return JSON(value: array[index])
    }
    public var array: [JSON] { (value as? [Any])?.map { JSON(value: $0) } ?? [] }
    public var members: [String: JSON] { (value as? [String: Any])?.mapValues { JSON(value: $0) } ?? [:] }
    public var string: String? { value as? String }
    public var int: Int? { (value as? NSNumber)?.intValue }
    public var double: Double? { (value as? NSNumber)?.doubleValue }
    public var bool: Bool? { (value as? NSNumber)?.boolValue }
    public var isNull: Bool { value == nil || value is NSNull }
}
