package import BusContracts
import BusEvidence
package import BusProtocol
import Foundation

/// The contracts an agent checks bodies against, by the name of their service or event.
public struct ContractLibrary: Sendable {
    /// Largest contract that is read, bytes.
    static let largestFile = 1 << 20
    private var contracts: [String: BoundContract] = [:]

    /// What is wrong with a folder of contracts.
    public struct Problem: Error, Sendable, CustomStringConvertible {
        public let description: String
    }

    public init() {}

    package init(_ contracts: [Contract]) {
        for contract in contracts { self.contracts["\(contract.name)"] = BoundContract(contract) }
    }

    /// Reads every `*.json` of a folder, as `Schemas/contracts`.
    /// - Throws: `Problem` naming the file when one is no contract, or is named differently from what it holds.
    public static func load(_ directory: String) throws(Problem) -> ContractLibrary {
        let names: [String]
        do { names = try FileManager.default.contentsOfDirectory(atPath: directory) } catch {
            throw Problem(
                description: "cannot read the contracts in \(directory): name their folder with --contracts DIR")
        }
        var library = ContractLibrary()
        for file in names.sorted() where file.hasSuffix(".json") {
            let contract = try read("\(directory)/\(file)")
            guard "\(contract.name).json" == file else {
                throw Problem(
                    description:
                        "\(directory)/\(file) holds the contract \(contract.name): name it \(contract.name).json")
            }
            library.contracts["\(contract.name)"] = BoundContract(contract)
        }
        return library
    }

    private static func read(_ path: String) throws(Problem) -> Contract {
        guard let data = FileManager.default.contents(atPath: path), data.count <= largestFile else {
            throw Problem(description: "cannot read \(path), or it is larger than \(largestFile) bytes")
        }
        do throws(ContractError) { return try Contract.parse(Array(data)) } catch {
            throw Problem(description: "\(path): \(error). See all of it: kerege contract check \(path)")
        }
    }

    package var names: [String] { contracts.keys.sorted() }
    package func contract(of name: String) -> BoundContract? { contracts[name] }
}

/// A contract with its digest.
package struct BoundContract: Sendable {
    package let contract: Contract
    /// SHA-256 of the canonical contract, 32 bytes: travels in the header of every message checked against it.
    package let digest: [UInt8]

    package init(_ contract: Contract) {
        self.contract = contract
        digest = contract.canonicalBytes.withUnsafeBytes { LogHash.body($0).bytes }
    }

    /// - Throws: 4220 with the place of the first violation; 4042, as the two below, where the contract is of another kind.
    package func checkRequest(_ body: [UInt8], at hop: Hop) throws(BusFault) {
        try check(.request, body, .requestViolatesContract, hop)
    }

    /// - Throws: 5021.
    package func checkReply(_ body: [UInt8], at hop: Hop) throws(BusFault) {
        try check(.reply, body, .answerViolatesContract, hop)
    }

    /// - Throws: 4221.
    package func checkEvent(_ body: [UInt8], at hop: Hop) throws(BusFault) {
        try check(.event, body, .eventViolatesContract, hop)
    }

    /// The value whose messages keep their order, as canonical JSON; nil when the contract names none.
    func orderValue(of body: [UInt8]) -> [UInt8]? {
        guard let pointer = contract.orderKey, let value = (try? JSONValue.parse(body))?[pointer] else { return nil }
        return value.bytes(.canonical)
    }

    private func check(_ part: ContractPart, _ body: [UInt8], _ code: FaultCode, _ hop: Hop) throws(BusFault) {
        guard let checker = contract.checker(for: part) else {
            throw BusFault(
                .wrongKind, at: hop, "\(contract.name) is of kind \(contract.kind.rawValue) and has no \(part.rawValue)"
            )
        }
        guard let violation = checker.firstViolation(body) else { return }
        throw BusFault(code, at: hop, "expected \(violation.expected)", pointer: "\(violation.instance)")
    }
}
