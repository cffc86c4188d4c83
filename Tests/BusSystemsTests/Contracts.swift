import BusContracts
import Foundation

/// The contracts of the project's files, read and compiled once. Reading refuses an example that breaks its schema.
enum Contracts {
    struct Broken: Error, CustomStringConvertible {
        let description: String
    }

    static let all: Result<[String: Contract], any Error> = Result {
        var contracts: [String: Contract] = [:]
        for file in try ProjectFiles.list("Schemas/contracts", ending: ".json") {
            let name = String(file.lastPathComponent.dropLast(".json".count))
            do {
                contracts[name] = try Contract.parse(Array(Data(contentsOf: file)))
            } catch {
                throw Broken(description: "\(file.lastPathComponent): \(error)")
            }
        }
        return contracts
    }

    static var names: [String] { get throws { Array(try all.get().keys) } }

    static func contract(_ name: String) throws -> Contract {
        guard let contract = try all.get()[name] else { throw Broken(description: "no contract \(name)") }
        return contract
    }

    /// Names of the top-level members that the schema of a part allows.
    static func members(_ name: String, _ part: ContractPart) throws -> Set<String> {
        Set(try contract(name).schemas[part]?["properties"]?.object?.map(\.name) ?? [])
    }

    /// - Throws: `Broken` with every violation, if the body does not satisfy the contract.
    static func check(_ name: String, _ part: ContractPart, _ body: [UInt8]) throws {
        let contract = try contract(name)
        let violations = body.withUnsafeBytes { contract.check(part, $0) }
        if !violations.isEmpty { throw Broken(description: "\(name) \(part): \(violations)") }
    }
}
