public import BusAgent
import BusBroker
import BusConsole
package import BusDirectory
import BusEvidence
import BusSystems
import DurableFiles
import Foundation
import Yams

/// The data folder of a mesh: keys, the space's key list, registers. Everything is made once and found again by the next run.
public struct MeshFolder: Sendable {
    public let path: String

    /// An agent's file as far as a mesh needs it.
    public struct AgentFile: Sendable, Equatable {
        public var path: String
        public var name: String
        public var systems: [String]
        public var database: String?
        public var register: String?

        init(path: String, name: String, systems: [String], database: String?, register: String?) {
            self.path = path
            self.name = name
            self.systems = systems
            self.database = database
            self.register = register
        }

        /// An agent that is no daemon: its keys are wanted.
        package init(name: String, systems: [String]) {
            self.init(path: "", name: name, systems: systems, database: nil, register: nil)
        }
    }

    /// The key with which `kerege call` and tests speak as any system, without serving one.
    public static let operatorName = "operator"

    public init(path: String) { self.path = path }

    public var keys: String { path + "/keys" }
    public var registers: String { path + "/registers" }
    public var logs: String { path + "/logs" }
    public var keyList: String { keys + "/keys.yaml" }
    /// Public half of the authority of this mesh's space.
    public var authority: String { keys + "/authority.pub" }
    /// The space as the authority of this mesh signed it last.
    public var signedSpace: String { keys + "/space.signed" }

    /// Reads the agents' files of a folder.
    public static func agents(in folder: String) throws -> [AgentFile] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".yaml") }
            .sorted()
        return try names.map { name in
            let path = folder + "/" + name
            let node = try Yams.compose(yaml: try String(contentsOfFile: path, encoding: .utf8))
            guard let node, let agent = node["agent"]?.string else {
                throw MeshError("\(path) names no agent", remedy: "write a line such as `agent: individuals-1`")
            }
            return AgentFile(
                path: path, name: agent, systems: node["systems"]?.sequence?.compactMap(\.string) ?? [],
                database: node["database"]?.string, register: node["register"]?.string)
        }
    }

    /// Makes missing keys, for the authority, the broker, every agent, every system and the operator, and writes the list of their
    /// public halves.
    public func prepareKeys(agents: [AgentFile], systems: [String]) throws {
        for folder in [path, keys, registers, logs] {
            do {
                try FileManager.default.createDirectory(
                    atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            } catch {
                throw MeshError(
                    "cannot make the folder \(folder): \(error.localizedDescription)",
                    remedy: "name another data folder, or mend its rights")
            }
        }
        _ = try key("broker")
        _ = try authorityKey()
        var lines = ["# Public keys of this mesh; written when the keys are made.", "keys:"]
        for agent in agents { lines += try entry(agent.name, agent.systems, role: nil) }
        lines += try entry(Self.operatorName, systems, role: "operator")
        let served = Set(agents.flatMap(\.systems)).sorted()
        for system in served { lines += try seal(system) }
        _ = try SubjectFile.createMissing(of: served, in: keys)
        try (lines.joined(separator: "\n") + "\n").write(toFile: keyList, atomically: true, encoding: .utf8)
    }

    public func key(_ name: String) throws -> KeyFile {
        let file = "\(keys)/\(name).key"
        if FileManager.default.fileExists(atPath: file) { return try KeyFile.addSigning(to: file) }
        return try KeyFile.create(name: name, in: keys)
    }

    func authorityKey() throws -> AuthorityFile {
        let file = keys + "/authority.key"
        if FileManager.default.fileExists(atPath: file) { return try AuthorityFile.load(file) }
        return try AuthorityFile.create(in: keys)
    }

    private func seal(_ system: String) throws -> [String] {
        let file =
            try SealFile.loadIfPresent(system: system, in: keys) ?? SealFile.create(system: system, in: keys)
        return ["  - system: \(system)", "    seal: '\(file.publicKey)'", "    order: '\(file.order.name)'"]
    }

    /// Signs the space of these places as the next version of what this mesh's broker had, unless that says the same.
    /// - Returns: what is in `signedSpace` now.
    @discardableResult
    package func signSpace(_ places: [String], contracts: String? = nil) throws -> SignedSpace {
        let reading = Space.load(
            try places.flatMap { try SpaceFolder.files(at: $0) },
            knownContracts: contracts.flatMap(SpaceFolder.contractNames(in:)))
        guard var space = reading.space, reading.errors.isEmpty else {
            throw MeshError(
                "the space has errors: \(reading.errors.map(\.description).joined(separator: "; "))",
                remedy: "mend them; kerege space check shows them")
        }
        let broker = try key("broker")
        space.broker.curve = broker.publicKey
        space.broker.sign = broker.signPublicKey
        let authority = try authorityKey()
        let before = try newestSigned(by: authority.publicKey)
        let inForce = try spaceInForce()
        if let before, inForce.map({ before.snapshot.succession(to: $0).mayReplace }) ?? true,
            try SpaceSnapshot(space, after: before.snapshot).space == before.snapshot.space
        {
            try DurableFile.replace(signedSpace, with: before.file)
            return before
        }
        // A journal goes on also from what nobody signed: from before there was an authority, or put over what it had signed.
        let previous = [inForce, before?.snapshot].compactMap(\.self).max { $0.version < $1.version }
        let signed = try SignedSpace(SpaceSnapshot(space, after: previous), by: authority.secret)
        try DurableFile.replace(signedSpace, with: signed.file)
        return signed
    }

    private func newestSigned(by authority: VerifyingKey) throws -> SignedSpace? {
        let kept = try [SpaceStore.read(signedSpace), SpaceStore(folder: path).read()].compactMap(\.self)
        return kept.filter { $0.isSigned(by: authority) }.max { $0.snapshot.version < $1.snapshot.version }
    }

    private func spaceInForce() throws -> SpaceSnapshot? {
        do { return try BrokerStart.spaceInForce(folder: path) } catch {
            throw MeshError(
                "the space in force in \(path) is not known: \(error)", remedy: "mend that, or name another data folder"
            )
        }
    }

    private func entry(_ name: String, _ systems: [String], role: String?) throws -> [String] {
        let key = try key(name)
        var lines = [
            "  - agent: \(name)", "    systems: [\(systems.joined(separator: ", "))]", "    curve: '\(key.publicKey)'",
        ]
        if let sign = key.signPublicKey { lines.append("    sign: '\(sign)'") }
        if let role { lines.append("    roles: [\(role)]") }
        return lines
    }

    /// Makes the registers that are missing, and renews the times of those that are there.
    /// - Parameter progress: register, steps done, steps in all.
    public func prepareRegisters(
        agents: [AgentFile], seed: UInt64, oneIn divisor: Int,
        progress: @escaping (String, Int, Int) -> Void = { _, _, _ in }
    ) throws {
        let generator = RegisterGenerator(
            population: Population(seed: seed, scale: Scale(oneIn: divisor)),
            asOf: Int64(Date().timeIntervalSince1970 * 1000))
        for agent in agents {
            guard let database = agent.database, let name = agent.register else { continue }
            guard let register = Register(rawValue: name) else {
                throw MeshError(
                    "\(agent.path): there is no register `\(name)`", remedy: "use one of the generated registers")
            }
            do {
                try generator.prepare(register, at: registers + "/" + database) { done, total in
                    progress(name, done, total)
                }
            } catch {
                throw MeshError(
                    "the register `\(name)` cannot be prepared: \(error)", remedy: "or choose another data folder")
            }
        }
    }

    /// The number of somebody who is in the register, for examples and tests.
    public static func exampleIIN(seed: UInt64, oneIn divisor: Int, index: Int = 0) -> String {
        let population = Population(seed: seed, scale: Scale(oneIn: divisor))
        return population.iin(index)
    }
}

/// Why a mesh could not start or be waited for.
public struct MeshError: Error, Sendable, CustomStringConvertible {
    public let description: String
    public init(_ what: String, remedy: String) { description = "\(what) — \(remedy)" }
}
