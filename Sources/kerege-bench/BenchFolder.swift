import BusAgent
import BusTesting
import Foundation

/// The temporary folder of a run: keys, space, contract, and the processes started in it.
struct BenchFolder {
    struct Failure: Error, CustomStringConvertible { let description: String }

    let path: String
    private let isOwn: Bool

    /// Whether messages are signed and sealed, under a space that an authority signed.
    private let isProven: Bool

    /// - Parameters:
    ///   - subscribers: further systems, each with an agent of its name, that subscribe to the event.
    ///   - plain: without signatures and seals.
    init(existing: String?, subscribers: Int = 0, plain: Bool = false) throws {
        isOwn = existing == nil
        isProven = isOwn && !plain
        path = existing ?? NSTemporaryDirectory() + "kerege-bench-" + UUID().uuidString.prefix(8).lowercased()
        let manager = FileManager.default
        try manager.createDirectory(atPath: path + "/bench", withIntermediateDirectories: true)
        try manager.createDirectory(atPath: path + "/contracts", withIntermediateDirectories: true)
        try BenchSpace.contract.write(
            toFile: path + "/contracts/\(BenchSpace.service).json", atomically: true, encoding: .utf8)
        let more = (0..<subscribers).map { (BenchSpace.subscriber($0), BenchSpace.subscriber($0)) }
        let agents = [("bench-requester", BenchSpace.consumer), ("bench-responder", BenchSpace.provider)] + more
        let space = BenchSpace.yaml(subscribers: subscribers) + "\n"
        let file = path + "/bench/space.yaml"
        if isProven {
            try space.write(toFile: file, atomically: true, encoding: .utf8)
            let mesh = MeshFolder(path: path)
            let files = agents.map { name, system in
                MeshFolder.AgentFile(name: name, systems: [system])
            }
            try mesh.prepareKeys(agents: files, systems: agents.map(\.1))
            try mesh.signSpace([file, mesh.keyList])
        } else {
            try (space + Self.plainKeys(agents, path)).write(toFile: file, atomically: true, encoding: .utf8)
            if isOwn { _ = try KeyFile.create(name: "broker", in: path + "/keys", signs: false) }
        }
    }

    private static func plainKeys(_ agents: [(String, String)], _ path: String) throws -> String {
        try agents.reduce(into: "keys:\n") { lines, agent in
            let file = "\(path)/keys/\(agent.0).key"
            let pair =
                FileManager.default.fileExists(atPath: file)
                ? try KeyFile.load(file) : try KeyFile.create(name: agent.0, in: path + "/keys", signs: false)
            lines += "  - {agent: \(agent.0), systems: [\(agent.1)], curve: '\(pair.publicKey)'}\n"
        }
    }

    func remove() { if isOwn { try? FileManager.default.removeItem(atPath: path) } }

    /// A broker of our own, or a running one.
    func startBroker(at address: String?) async throws -> RunningBroker {
        if let address { return RunningBroker(address: address, process: nil, folder: path) }
        let mesh = MeshFolder(path: path)
        let space =
            isProven
            ? ["--authority", mesh.authority, "--signed-space", mesh.signedSpace] : ["--space", path + "/bench"]
        let process = Child(
            Self.tool("kerege-broker"),
            [
                "--listen", "tcp://127.0.0.1:*", "--http", "127.0.0.1:0", "--data", path, "--contracts",
                path + "/contracts",
                "--stop-with-parent",
            ] + space, log: path + "/broker.log")
        try process.start()
        for _ in 0..<200 {
            if let address = Self.endpoint(in: path + "/broker.log") {
                return RunningBroker(address: address, process: process, folder: path)
            }
            if !process.isRunning { break }
            try await Task.sleep(for: .milliseconds(50))
        }
        process.stop()
        throw Failure(description: "the broker did not start:\n\(logs())")
    }

    func start(_ role: String, _ arguments: [String]) throws -> Child {
        let process = Child(Self.tool("kerege-bench"), [role] + arguments, log: path + "/\(role).log")
        try process.start()
        if role == "respond" { try process.waitForLine("ready") }
        return process
    }

    func logs() -> String {
        ["broker", "respond", "request"].compactMap { name in
            (try? String(contentsOfFile: "\(path)/\(name).log", encoding: .utf8)).map { "\(name):\n\($0.suffix(2000))" }
        }.joined(separator: "\n")
    }

    static func connect(
        _ name: String, broker: String, folder: String, opaque: Bool, systems: [String],
        preparing: (Agent) -> Void = { _ in }
    ) async throws -> Agent {
        var configuration = AgentConfiguration(broker: broker, name: name, systems: systems)
        configuration.brokerKey = try KeyFile.publicKey(folder + "/keys/broker.pub")
        configuration.keys = try KeyFile.load("\(folder)/keys/\(name).key")
        try configuration.loadSeals(from: folder + "/keys")
        let authority = MeshFolder(path: folder).authority
        if FileManager.default.fileExists(atPath: authority) { try configuration.pinAuthority(authority) }
        configuration.isOpaque = opaque
        if !opaque { configuration.contracts = try ContractLibrary.load(folder + "/contracts") }
        return try await Agent.connect(configuration, preparing: preparing)
    }

    private static func tool(_ name: String) -> String {
        let own =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        return (own as NSString).deletingLastPathComponent + "/" + name
    }

    /// The broker writes where it listens into its log.
    private static func endpoint(in log: String) -> String? {
        guard let text = try? String(contentsOfFile: log, encoding: .utf8),
            let range = text.range(of: "tcp://127.0.0.1:[0-9]+", options: .regularExpression)
        else { return nil }
        return String(text[range])
    }
}

struct RunningBroker {
    let address: String
    let process: Child?
    let folder: String

    func cost() -> ProcessCost {
        if let process { return process.cost() }
        let text = (try? String(contentsOfFile: folder + "/broker.lock", encoding: .utf8)) ?? ""
        return Int32(text).map(ProcessCost.of) ?? ProcessCost(cpuSeconds: 0, pssMegabytes: 0)
    }

    func stop() { process?.stop() }
}

/// A process of the benchmark: its output is read, its errors go to a log, and it ends with this one.
final class Child {
    private let process = Process()
    private let output = Pipe()
    private let input = Pipe()
    private let log: String

    init(_ executable: String, _ arguments: [String], log: String) {
        self.log = log
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput = output
    }

    func start() throws {
        _ = FileManager.default.createFile(atPath: log, contents: nil)
        process.standardError = FileHandle(forWritingAtPath: log)
        try process.run()
    }

    var isRunning: Bool { process.isRunning }
    func cost() -> ProcessCost { ProcessCost.of(process.processIdentifier) }

    func waitForLine(_ line: String) throws {
        let data = output.fileHandleForReading.availableData
        guard String(decoding: data, as: UTF8.self).hasPrefix(line) else {
            throw BenchFolder.Failure(
                description:
                    "a process of the benchmark ended:\n\((try? String(contentsOfFile: log, encoding: .utf8)) ?? "")")
        }
    }

    func waitForOutput() -> String {
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self)
    }

    func stop() {
        guard process.isRunning else { return }
        process.terminate()
        process.waitUntilExit()
    }
}
