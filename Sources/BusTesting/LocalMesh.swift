public import BusAgent
import BusBroker
import BusConsole
import BusDirectory
import Foundation
import Logging

/// A mesh inside the test's own process: a real broker on a free port, and agents written in the test.
///
///     let mesh = try await LocalMesh.start(space: "deploy/space", agents: ["mine-1": ["mine"]])
///     let mine = try await mesh.agent("mine-1") { $0.answer("mine.greet.v1") { _ in Array(#"{"hello":"world"}"#.utf8) } }
///     let caller = try await mesh.caller()
///     let answer = try await caller.ask("mine.greet.v1", body, as: "portal")
///     await mesh.stop()
///
/// Everything but the processes is real: CURVE, the journal on disk, the plan. For crashes use `Mesh`.
public final class LocalMesh: Sendable {
    public let brokerAddress: String
    public let folder: MeshFolder
    /// The admin API of this broker.
    public let admin: MeshAdmin

    private let broker: Broker
    private let console: Task<Void, Never>
    private let systems: [String: [String]]
    private let contracts: ContractLibrary?

    /// Starts a broker on the space of a folder.
    ///
    /// - Parameters:
    ///   - space: folder of YAML files, as `deploy/space`.
    ///   - agents: systems by the name of the agent that serves them; each gets a key.
    ///   - contracts: folder of contracts that agents check bodies against; `nil`: none are checked.
    public static func start(
        space: String, agents: [String: [String]], contracts: String? = nil
    ) async throws -> LocalMesh {
        let path = NSTemporaryDirectory() + "kerege-local-" + UUID().uuidString.prefix(8).lowercased()
        let folder = MeshFolder(path: path)
        let files = agents.sorted { $0.key < $1.key }.map { name, systems in
            MeshFolder.AgentFile(name: name, systems: systems)
        }
        let reading = Space.load(try SpaceFolder.files(at: space))
        try folder.prepareKeys(agents: files, systems: reading.space?.systems.map(\.id) ?? [])
        let signed = try folder.signSpace([space, folder.keyList])
        let library = try contracts.map { try ContractLibrary.load($0) }
        return try await LocalMesh(folder, signed, agents, library)
    }

    private init(
        _ folder: MeshFolder, _ space: SignedSpace, _ systems: [String: [String]], _ contracts: ContractLibrary?
    ) async throws {
        let logger = Logger(label: "kerege.local", factory: { _ in SwiftLogNoOpLogHandler() })
        let keys = try folder.key("broker")
        var configuration = BrokerConfiguration(
            listen: "tcp://127.0.0.1:*", data: folder.path, name: "broker-local", secretKey: keys.curveSecret,
            source: .signed(space, authority: try folder.authorityKey().publicKey))
        configuration.signingKey = keys.signing
        let broker = try Broker(configuration, logger: logger)
        let console = try Console(
            broker: broker, journalFolder: folder.path, port: 0, dataFolder: folder.path, logger: logger)
        self.folder = folder
        self.systems = systems
        self.contracts = contracts
        self.broker = broker
        self.console = Task { try? await console.run() }
        brokerAddress = broker.endpoint
        guard let port = await console.boundPort else {
            self.console.cancel()
            await broker.stop()
            throw MeshError("the admin API did not come up", remedy: "look whether the machine has free ports")
        }
        admin = MeshAdmin(address: "127.0.0.1:\(port)", tokenFile: folder.path + "/admin.token")
    }

    /// Connects one of the named agents; `prepare` registers what it answers.
    public func agent(_ name: String, preparing prepare: (Agent) -> Void = { _ in }) async throws -> Agent {
        guard let served = systems[name] else {
            throw MeshError("this mesh has no agent `\(name)`", remedy: "name it when the mesh is started")
        }
        return try await connect(name, served, prepare)
    }

    /// Connects an agent that serves nothing and may ask as any system.
    public func caller() async throws -> Agent { try await connect(MeshFolder.operatorName, [], { _ in }) }

    /// Stops the broker in good order and removes the folder. Close the agents before.
    public func stop() async {
        await broker.stop()
        console.cancel()
        await console.value
        try? FileManager.default.removeItem(atPath: folder.path)
    }

    private func connect(_ name: String, _ systems: [String], _ prepare: (Agent) -> Void) async throws -> Agent {
        var configuration = AgentConfiguration(broker: brokerAddress, name: name, systems: systems)
        configuration.brokerKey = try folder.key("broker").publicKey
        configuration.keys = try folder.key(name)
        try configuration.pinAuthority(folder.authority)
        // The operator's key serves no system and asks as any.
        if systems.isEmpty {
            configuration.loadEverySeal(from: folder.keys)
        } else {
            try configuration.loadSeals(from: folder.keys)
        }
        try configuration.loadSubjects(from: folder.keys)
        configuration.contracts = contracts
        return try await Agent.connect(configuration, preparing: prepare)
    }
}
