import BusAgent
import BusContracts
import BusSystems
import Foundation
import GRDB
import Yams

/// All registers of a country a hundredth of the real one, generated once for all tests, which only read it.
/// A test that writes takes a copy: `SmallCountry.copy(of:)`.
enum SmallCountry {
    static let population = Population(seed: Population.demonstrationSeed, scale: Scale(oneIn: 100))
    static let generator = RegisterGenerator(population: population)

    static let folder: Result<String, any Error> = Result {
        let folder = FileManager.default.temporaryDirectory.appending(path: "bus-systems-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for register in Register.allCases {
            try generator.generate(register, into: "\(folder)/\(register.rawValue).sqlite")
        }
        return folder
    }

    static func path(_ register: Register) throws -> String {
        try folder.get() + "/\(register.rawValue).sqlite"
    }

    static func copy(of register: Register) throws -> String {
        let copy = try folder.get() + "/\(register.rawValue)-\(UUID().uuidString).sqlite"
        try FileManager.default.copyItem(atPath: path(register), toPath: copy)
        return copy
    }

    /// A copy of an agent's register with the tables that agents add to it.
    static func withAgentTables(_ agent: AgentFile) throws -> DatabaseQueue {
        let register = try open(copy(of: Register(rawValue: agent.register ?? "") ?? .individuals))
        try register.write {
            try $0.execute(sql: "CREATE TABLE kerege_outcome (command TEXT PRIMARY KEY, code INTEGER, body TEXT)")
        }
        return register
    }

    static func open(_ path: String) throws -> DatabaseQueue { try DatabaseQueue(path: path) }

    static func rows(in table: String, of path: String) throws -> Int {
        try open(path).read { try Int.fetchOne($0, sql: "SELECT count(*) FROM \(table)") } ?? 0
    }
}

/// The project's own files, found from where this file stands.
enum ProjectFiles {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func list(_ folder: String, ending: String) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(at: root.appending(path: folder), includingPropertiesForKeys: nil)
            .filter { $0.lastPathComponent.hasSuffix(ending) }
            .sorted { $0.path < $1.path }
    }
}

/// An agent's file, as far as these tests read it.
struct AgentFile: Decodable {
    struct Service: Decodable {
        let service: String
        let sql: String
        let answer: String
        let delay: String?
    }
    struct EventSQL: Decodable {
        let event: String
        let sql: String
    }
    struct Command: Decodable {
        let service: String
        let before: String?
        let refuse: String?
        let sql: String
        let outcome: String

        /// Everything that is run for it.
        var statements: [String] { [refuse, sql, outcome == "later" ? nil : outcome].compactMap { $0 } }
    }
    struct ServiceSQL: Decodable {
        let service: String
        let sql: String
    }
    struct Notices: Decodable {
        let event: String
        let without: [String]
    }
    struct Heartbeat: Decodable {
        let dataUpdated: String
    }
    struct Traffic: Decodable {
        let flow: String
        let perSecond: Double
    }

    let agent: String
    let systems: [String]
    let database: String
    let register: String?
    let services: [Service]?
    let commands: [Command]?
    let sends: [ServiceSQL]?
    let outcomes: [ServiceSQL]?
    let subscriptions: [EventSQL]?
    let publications: [EventSQL]?
    let notices: Notices?
    /// Events that leave it.
    var published: [String] { (publications ?? []).map(\.event) + [notices?.event].compactMap(\.self) }
    let heartbeat: Heartbeat
    let traffic: [Traffic]?

    static let all: Result<[AgentFile], any Error> = Result {
        try ProjectFiles.list("deploy/agents", ending: ".yaml").map { file in
            try YAMLDecoder().decode(AgentFile.self, from: String(contentsOf: file, encoding: .utf8))
        }
    }

    /// The agent that gives a service, and its SQL.
    static func giver(of service: String) throws -> (agent: AgentFile, sql: String) {
        for agent in try all.get() {
            for given in agent.services ?? [] where given.service == service { return (agent, given.sql) }
        }
        throw FlowFault.contradiction("no agent gives \(service)")
    }

    var path: String { get throws { try SmallCountry.folder.get() + "/" + database } }
}

/// Binds the top-level members of a JSON object to the named parameters of a statement, as an agent does: what is
/// missing is NULL, arrays and objects are JSON text.
enum Binding {
    static func names(_ sql: String) -> Set<String> {
        var names: Set<String> = []
        for piece in sql.split(separator: ":", omittingEmptySubsequences: false).dropFirst() {
            let name = piece.prefix { $0.isASCII && $0.isLetter }
            if !name.isEmpty { names.insert(String(name)) }
        }
        return names
    }

    static func arguments(_ sql: String, _ body: JSONValue) -> StatementArguments {
        var values: [String: (any DatabaseValueConvertible)?] = [:]
        for name in names(sql) { values.updateValue(databaseValue(body[name]), forKey: name) }
        return StatementArguments(values)
    }

    private static func databaseValue(_ value: JSONValue?) -> (any DatabaseValueConvertible)? {
        switch value {
        case nil, .null: nil
        case .bool(let flag): flag ? 1 : 0
        case .number(let number): number.int
        case .string(let text): text
        default: value?.text()
        }
    }
}

/// The bus without a bus: a request goes straight to the SQL of the agent that gives the service, and both the request
/// and the reply are held against the contract.
struct RegisterBus: FlowBus {
    var registerPath: String?
    let now: Int64 = SmallCountry.population.epoch.milliseconds + 40 * 86_400_000
    let asked = AskedServices()

    func ask(_ service: String, _ body: [UInt8]) async throws -> [UInt8] {
        asked.add(service)
        try Contracts.check(service, .request, body)
        let reply = try answer(service, to: JSONValue.parse(body))
        try Contracts.check(service, .reply, Array(reply.utf8))
        return Array(reply.utf8)
    }

    private func answer(_ service: String, to request: JSONValue) throws -> String {
        // Agents answer this by themselves, from a key that no register has.
        if AccessReference.isService(service) { return #"{"references":["000102030405060708090a0b0c0d0e0f"]}"# }
        let (agent, sql) = try AgentFile.giver(of: service)
        let reply = try SmallCountry.open(agent.path).read { database in
            try String.fetchOne(database, sql: sql, arguments: Binding.arguments(sql, request))
        }
        guard let reply else { throw NotFound(service: service, request: request.text()) }
        return reply
    }

    func publish(_ event: String, _ body: [UInt8]) async throws {
        try Contracts.check(event, .event, body)
    }
}

struct NotFound: Error {
    let service: String
    let request: String
}

/// Which services a flow really asked.
final class AskedServices: @unchecked Sendable {  // guarded by the lock
    private let lock = NSLock()
    private var names: Set<String> = []

    func add(_ name: String) { lock.withLock { _ = names.insert(name) } }
    var all: Set<String> { lock.withLock { names } }
}
