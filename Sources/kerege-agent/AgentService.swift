import BusAgent
import BusSystems
import Foundation
import Logging
import ServiceLifecycle

/// An agent made from its file: keeps it until it is told to stop, then drains it.
struct AgentService: Service, CustomStringConvertible {
    let logger: Logger
    private let file: AgentFile
    private let agent: Agent
    private let adapter: SQLAdapter?
    private let traffic: Traffic?

    /// For the log: its name, not its SQL.
    var description: String { "agent \(file.agent)" }

    /// What stops an agent before it has begun, with what to do.
    struct Problem: Error, CustomStringConvertible {
        let description: String
    }

    init(_ command: AgentCommand) async throws {
        guard let data = FileManager.default.contents(atPath: command.config) else {
            throw Problem(
                description:
                    "cannot read \(command.config): name the agent's file with --config FILE, as deploy/agents has them"
            )
        }
        guard let level = Logger.Level(rawValue: command.logLevel) else {
            throw Problem(
                description: "--log-level \(command.logLevel): use trace, debug, info, notice, warning or error")
        }
        file = try AgentFile(String(decoding: data, as: UTF8.self), name: command.config)
        var logger = Logger(label: "kerege.agent.\(file.agent)") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = level
        self.logger = logger
        agent = try Agent(Self.configuration(command, file, logger))
        do {
            adapter = try Self.adapter(file, command.data, logger)
            traffic =
                command.traffic
                ? try await Traffic(file, agent, adapter, register: Self.registerPath(file, command.data)) : nil
        } catch {
            await agent.close()
            throw error
        }
    }

    private static func configuration(
        _ command: AgentCommand, _ file: AgentFile, _ logger: Logger
    ) throws -> AgentConfiguration {
        let keys = command.keys ?? "\(command.data)/keys"
        var configuration = AgentConfiguration(broker: command.broker, name: file.agent, systems: file.systems)
        configuration.keys = try KeyFile.load("\(keys)/\(file.agent).key")
        configuration.brokerKey = try KeyFile.publicKey("\(keys)/broker.pub")
        let pinned = "\(keys)/authority.pub"
        if let authority = command.authority ?? (FileManager.default.fileExists(atPath: pinned) ? pinned : nil) {
            try configuration.pinAuthority(authority)
        } else {
            logger.notice("no authority is pinned: who is on the bus is believed as the broker says it")
        }
        try configuration.loadSeals(from: keys)
        try configuration.loadSubjects(from: keys)
        configuration.contracts = try ContractLibrary.load(command.contracts)
        configuration.dataDirectory = command.data
        // The broker may start later than its agents.
        configuration.connectsInBackground = true
        if file.database != nil { configuration.timing.windowMessages = SQLAdapter.windowMessages }
        configuration.logger = logger
        return configuration
    }

    private static func registerPath(_ file: AgentFile, _ data: String) -> String? {
        file.database.map { "\(data)/registers/\($0)" }
    }

    private static func adapter(_ file: AgentFile, _ data: String, _ logger: Logger) throws -> SQLAdapter? {
        guard let path = registerPath(file, data) else { return nil }
        // SQLite would make an empty file of a missing one.
        guard FileManager.default.fileExists(atPath: path) else {
            let remedy =
                file.register.map { "generate the register \($0): kerege up --data \(data)" }
                ?? "put the database there"
            throw Problem(description: "there is no database \(path); \(remedy)")
        }
        return try SQLAdapter(file, database: path, checks: CommandChecks.all, logger: logger)
    }

    func run() async throws {
        adapter?.attach(to: agent)
        try await agent.start()
        let work = Task {
            await withTaskGroup { group in
                if let adapter { group.addTask { await adapter.run(agent) } }
                if let traffic { group.addTask { await traffic.run() } }
            }
        }
        try? await gracefulShutdown()
        // Its own asks and outbox first, so that the drain has an end.
        work.cancel()
        await work.value
        await agent.drain()
        await agent.close()
        adapter?.close()
    }
}
