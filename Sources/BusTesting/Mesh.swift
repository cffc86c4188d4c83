public import BusAgent
import Foundation
import Glibc

/// A whole mesh: a broker and its agents as real processes, in a folder of its own, on free ports of this machine.
///
///     let mesh = try await Mesh.start(.init(agents: ["individuals", "portal"]))
///     let agent = try await mesh.connect()
///     let answer = try await agent.ask("individuals.person-get.v1", body, as: "portal")
///     await mesh.agent("individuals-1")?.kill()
///     await mesh.stop()
public final class Mesh: Sendable {
    public struct Options: Sendable {
        /// Data folder; `nil`: a temporary one, removed by `stop()`.
        public var folder: String?
        /// The project's root: `deploy` and `Schemas` are found in it.
        public var root: String
        /// Files of `deploy/agents` to start, without the ending; `nil`: all.
        public var agents: [String]?
        /// Folder of agents' files; `nil`: `ROOT/deploy/agents`.
        public var agentFolder: String?
        /// Folder of the space; `nil`: `ROOT/deploy/space`.
        public var spaceFolder: String?
        public var contracts: String?
        /// Seed of the registers when they are made.
        public var seed: UInt64 = 1
        /// The registers are a hundred thousand people, ten thousand companies and fifty thousand properties, divided by this.
        public var oneIn = 100
        /// Where the executables are; `nil`: beside the running one.
        public var binaries: String?
        /// `nil`: a free port.
        public var brokerPort: Int?
        public var httpPort: Int?
        /// Agents, by name, behind a slow line that holds every piece back for so long.
        public var delays: [String: Duration] = [:]
        /// Whether agents play the traffic of their files.
        public var playsTraffic = false
        public var logLevel = "info"
        /// Folder of the processes' logs; `nil`: in the data folder.
        public var logFolder: String?
        public var startDeadline: Duration = .seconds(60)

        public init(root: String, agents: [String]? = nil) {
            self.root = root
            self.agents = agents
        }
    }

    public let folder: MeshFolder
    public let brokerAddress: String
    public let httpAddress: String
    public let broker: ChildProcess
    public let agents: [ChildProcess]
    public let agentFiles: [MeshFolder.AgentFile]
    /// Slow lines by the name of the agent behind them; cut one to part it from the broker.
    public let lines: [String: SlowLine]
    /// The number of somebody in the registers.
    public let exampleIIN: String
    private let isTemporary: Bool

    /// Prepares the folder and starts the broker, then every agent; returns when all have joined.
    public static func start(
        _ options: Options, progress: @escaping (String, Int, Int) -> Void = { _, _, _ in }
    ) async throws -> Mesh {
        let mesh = try Mesh(options, progress: progress)
        do {
            try mesh.broker.start()
            try await mesh.waitUntilHealthy(within: options.startDeadline)
            for agent in mesh.agents { try agent.start() }
            try await mesh.waitForAgents(mesh.agents.map(\.name), within: options.startDeadline)
            return mesh
        } catch {
            await mesh.stop()
            throw error
        }
    }

    /// Prepares everything and starts nothing.
    public init(_ options: Options, progress: @escaping (String, Int, Int) -> Void = { _, _, _ in }) throws {
        isTemporary = options.folder == nil
        let path = options.folder ?? NSTemporaryDirectory() + "kerege-mesh-" + UUID().uuidString.prefix(8).lowercased()
        folder = MeshFolder(path: path)
        let spaceFolder = options.spaceFolder ?? options.root + "/deploy/space"
        let contracts = options.contracts ?? options.root + "/Schemas/contracts"
        var files = try MeshFolder.agents(in: options.agentFolder ?? options.root + "/deploy/agents")
        if let wanted = options.agents {
            let names = Set(wanted)
            files = files.filter {
                names.contains(String(($0.path as NSString).lastPathComponent.dropLast(5))) || names.contains($0.name)
            }
        }
        agentFiles = files
        exampleIIN = MeshFolder.exampleIIN(seed: options.seed, oneIn: options.oneIn)
        let all = try MeshFolder.agents(in: options.agentFolder ?? options.root + "/deploy/agents")
        try folder.prepareKeys(agents: all, systems: Array(Set(all.flatMap(\.systems))).sorted())
        try folder.signSpace([spaceFolder, folder.keyList], contracts: contracts)
        try folder.prepareRegisters(agents: files, seed: options.seed, oneIn: options.oneIn, progress: progress)

        let brokerPort = try options.brokerPort ?? Self.freePort()
        let httpPort = try options.httpPort ?? Self.freePort()
        brokerAddress = "tcp://127.0.0.1:\(brokerPort)"
        httpAddress = "127.0.0.1:\(httpPort)"
        let binaries = options.binaries ?? Self.besideThisExecutable()
        broker = ChildProcess(
            name: "broker", executable: binaries + "/kerege-broker",
            arguments: [
                "--listen", brokerAddress, "--http", httpAddress, "--data", path, "--authority", folder.authority,
                "--signed-space", folder.signedSpace, "--contracts", contracts, "--log-level", options.logLevel,
                "--stop-with-parent",
            ], log: (options.logFolder ?? folder.logs) + "/broker.log")
        let folder = folder
        let lines = try options.delays.mapValues { try SlowLine(to: brokerPort, delay: $0) }
        self.lines = lines
        let direct = brokerAddress
        let logs = options.logFolder ?? folder.logs
        agents = files.map { file in
            let brokerAddress = lines[file.name].map { "tcp://127.0.0.1:\($0.port)" } ?? direct
            return ChildProcess(
                name: file.name, executable: binaries + "/kerege-agent",
                arguments: [
                    "--config", file.path, "--broker", brokerAddress, "--data", path, "--keys", folder.keys,
                    "--contracts",
                    contracts, "--log-level", options.logLevel, "--stop-with-parent",
                ] + (options.playsTraffic ? [] : ["--no-traffic"]), log: "\(logs)/\(file.name).log")
        }
    }

    public func agent(_ name: String) -> ChildProcess? { agents.first { $0.name == name } }

    /// Stops agents first, then the broker; removes a temporary folder.
    public func stop() async {
        await withTaskGroup(of: Void.self) { group in
            for agent in agents { group.addTask { await agent.stop() } }
        }
        await broker.stop()
        if isTemporary { try? FileManager.default.removeItem(atPath: folder.path) }
    }

    /// An agent in this process, which serves nothing and may ask as any system.
    public func connect(contracts: ContractLibrary? = nil) async throws -> Agent {
        var configuration = AgentConfiguration(broker: brokerAddress, name: MeshFolder.operatorName, systems: [])
        configuration.brokerKey = try folder.key("broker").publicKey
        configuration.keys = try folder.key(MeshFolder.operatorName)
        try configuration.pinAuthority(folder.authority)
        configuration.loadEverySeal(from: folder.keys)
        configuration.contracts = contracts
        return try await Agent.connect(configuration)
    }

    /// The admin API of this mesh's broker.
    public var admin: MeshAdmin { MeshAdmin(address: httpAddress, tokenFile: folder.path + "/admin.token") }

    public func waitUntilHealthy(within limit: Duration) async throws {
        let admin = admin
        let broker = broker
        let isUp = await eventually(within: limit) {
            if !broker.isRunning { return true }
            // With this mesh's own token: another program on the port is no broker of ours.
            return (try? await admin.get("/v1/status")) != nil
        }
        guard isUp, broker.isRunning else {
            throw MeshError("the broker did not come up:\n\(broker.logTail())", remedy: "mend what its log names")
        }
    }

    /// Waits for the admin API alone, whoever runs the broker.
    public func waitUntilAnswering(within limit: Duration) async throws {
        let admin = admin
        guard await eventually(within: limit, { (try? await admin.get("/v1/health")) != nil }) else {
            throw MeshError("the admin API does not answer:\n\(broker.logTail())", remedy: "mend what the log names")
        }
    }

    /// Waits until the broker has every named agent connected.
    public func waitForAgents(_ names: [String], within limit: Duration) async throws {
        let admin = admin
        let waited = agents.filter { names.contains($0.name) }
        let areUp = await eventually(within: limit) {
            // One that has ended will never join: no need to wait for the limit.
            if waited.contains(where: { $0.exitCode != nil }) { return true }
            guard let connected = try? await admin.connectedAgents() else { return false }
            return Set(names).isSubset(of: connected)
        }
        guard areUp, waited.allSatisfy({ $0.exitCode == nil }) else {
            let connected = (try? await admin.connectedAgents()) ?? []
            let missing = agents.filter { names.contains($0.name) && !connected.contains($0.name) }
            let logs = missing.map { "\($0.name):\n\($0.logTail(lines: 5))" }.joined(separator: "\n")
            throw MeshError("\(missing.map(\.name)) did not join:\n\(logs)", remedy: "mend what their logs name")
        }
    }

    static func besideThisExecutable() -> String {
        // A test bundle runs inside the toolchain's runner; its own path is the first argument that lies in a build folder.
        let own =
            CommandLine.arguments.first { $0.hasSuffix(".xctest") }
            ?? (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
            ?? CommandLine.arguments[0]
        return (own as NSString).deletingLastPathComponent
    }

    /// A port nobody listens on now. Somebody may take it before it is used; a mesh that meets this says so.
    static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else {
            throw MeshError("no socket can be opened", remedy: "close programs that hold many")
        }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        // The pointer is used for the two calls only.
        let port = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic -> UInt16? in
                guard bind(descriptor, generic, size) == 0, getsockname(descriptor, generic, &size) == 0 else {
                    return nil
                }
                return UInt16(bigEndian: pointer.pointee.sin_port)
            }
        }
        guard let port else { throw MeshError("no free port was found", remedy: "close programs that hold many") }
        return Int(port)
    }
}
