import ArgumentParser
import BusTesting
import Foundation

/// `kerege up`: the whole space as real processes on this machine, with live status.
struct Up: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up",
        abstract: "Start a broker and every agent as real processes, and show what works.",
        discussion: """
            Makes what is missing in the data folder (keys, registers), starts the broker and the agents, and plays a scenario.
            A second run goes on with the same data. Ctrl-C stops everything.
            What ends by itself is told and not started again: for that run the daemons under a supervisor of your system.

            EXAMPLES
              kerege up
              kerege up --for 60s
              kerege up --scenario calm --data /tmp/space --one-in 100
            """)

    @Option(help: "What happens meanwhile: \(Scenario.allCases.map(\.rawValue).joined(separator: ", ")).")
    var scenario = Scenario.firstLight.rawValue
    @Option(name: .customLong("for"), help: "Stop by itself after this time: 60s, 5m. (default: until Ctrl-C)")
    var length: String?
    @Option(help: "Data folder.") var data = "./data"
    @Option(help: "Port of the admin API.") var http = 7480
    @Option(help: "Port of the broker.") var port = 7400
    @Option(
        name: .customLong("one-in"),
        help: "Registers of one in N of 100,000 people, 10,000 companies, 50,000 properties.")
    var oneIn = 1
    @Option(help: "Seed of the registers when they are made.") var seed: UInt64 = 1
    @Option(help: "Folder with deploy/ and Schemas/.") var root = "."
    @Flag(name: .customLong("plain"), help: "Lines instead of a live page.") var isPlain = false

    mutating func validate() throws {
        guard Scenario(rawValue: scenario) != nil else {
            throw ValidationError(
                "there is no scenario `\(scenario)`; use \(Scenario.allCases.map(\.rawValue).joined(separator: " or "))"
            )
        }
        if let length, Self.duration(length) == nil {
            throw ValidationError("`\(length)` is no time; write 60s, 5m or 1h")
        }
        for (name, port) in [("--port", port), ("--http", http)] where !(1...65535).contains(port) {
            throw ValidationError("\(name) \(port) is no port; use 1 to 65535")
        }
        guard (1...1000).contains(oneIn) else { throw ValidationError("--one-in is 1 to 1000") }
        guard FileManager.default.fileExists(atPath: root + "/deploy/agents") else {
            throw ValidationError(
                "there is no \(root)/deploy/agents; run this in the project's folder or name it with --root")
        }
    }

    mutating func run() async throws {
        let isTerminal = isatty(STDOUT_FILENO) == 1 && !isPlain
        let length = length.flatMap(Self.duration)
        let end = EndOfRun()
        let mesh: Mesh
        do {
            mesh = try prepare(isTerminal)
            try await start(mesh)
        } catch let error as MeshError {
            FileHandle.standardError.write(Data("kerege up: \(error)\n".utf8))
            throw ExitCode(2)
        }
        print(banner(mesh))
        let isWhole = await play(mesh, length, end, isTerminal)
        print("stopping \(mesh.agents.count) agents and the broker …")
        await mesh.stop()
        print("stopped; the data stay in \(data)")
        if !isWhole {
            Output.tell(
                "the broker ended by itself; its last words:\n\(mesh.broker.logTail(lines: 5))\nall of them: \(mesh.broker.log)"
            )
            throw ExitCode(1)
        }
    }

    // MARK: - Steps

    private func prepare(_ isTerminal: Bool) throws -> Mesh {
        var options = Mesh.Options(root: root)
        options.folder = data
        options.seed = seed
        options.oneIn = oneIn
        options.brokerPort = port
        options.httpPort = http
        options.playsTraffic = true
        print("preparing \(data): keys, and the registers where they are missing")
        let bar = ProgressLine(isTerminal: isTerminal)
        return try Mesh(options) { what, done, total in bar.show(what, done, total) }
    }

    private func start(_ mesh: Mesh) async throws {
        do {
            try mesh.broker.start()
            try await mesh.waitUntilHealthy(within: .seconds(30))
            for agent in mesh.agents { try agent.start() }
            try await mesh.waitForAgents(mesh.agents.map(\.name), within: .seconds(30))
        } catch {
            await mesh.stop()
            throw error
        }
    }

    /// - Returns: false when the broker ended by itself.
    private func play(_ mesh: Mesh, _ length: Duration?, _ end: EndOfRun, _ isTerminal: Bool) async -> Bool {
        let scenario = Scenario(rawValue: scenario) ?? .calm
        let page = UpPage(mesh: mesh, isTerminal: isTerminal)
        let acting = Task { try await scenario.play(mesh, for: length) { page.say($0) } }
        let timer = Task {
            guard let length else { return }
            try await Task.sleep(for: length)
            end.end()
        }
        let showing = Task { await page.show(until: end) }
        let watching = Task {
            var ended = Set<String>()
            while mesh.broker.isRunning, !Task.isCancelled {
                tellEnded(mesh, &ended, page)
                try? await Task.sleep(for: Self.watchInterval)
            }
            // Ctrl-C reaches the broker as well: then it may go first.
            guard !Task.isCancelled, !end.isOver else { return true }
            end.end()
            return false
        }
        await end.wait()
        watching.cancel()
        let isWhole = await watching.value
        acting.cancel()
        timer.cancel()
        await showing.value
        // A scenario that is stopping an agent ends that first.
        _ = try? await acting.value
        return isWhole
    }

    /// Says once of each agent that it ended, unless it ended in good order as the scenario wants it.
    private func tellEnded(_ mesh: Mesh, _ ended: inout Set<String>, _ page: UpPage) {
        for agent in mesh.agents {
            guard let code = agent.exitCode, code != 0 else {
                ended.remove(agent.name)
                continue
            }
            guard ended.insert(agent.name).inserted else { continue }
            page.say(
                "\(agent.name) ended by itself, exit code \(code), and is not started again; its log: \(agent.log)")
        }
    }

    /// Between two looks whether everybody is still there.
    private static let watchInterval: Duration = .milliseconds(500)

    private func banner(_ mesh: Mesh) -> String {
        let kerege = CommandLine.arguments.first ?? "kerege"
        let place = data == "./data" ? "" : " --data \(data)"
        let api = http == 7480 ? "" : " --http http://127.0.0.1:\(http)"
        let bus = port == 7400 ? "" : " --broker \(mesh.brokerAddress)"
        return """

            Kerege runs: 1 broker on \(mesh.brokerAddress), \(mesh.agents.count) agents, admin API on http://\(mesh.httpAddress)
            From another terminal:
              \(kerege) status --watch\(place)\(api)
              \(kerege) call individuals.person-get.v1 '{"iin":"\(mesh.exampleIIN)"}'\(place)\(bus)
              \(kerege) integrations --state non-functional\(place)\(api)

            """
    }

    static func duration(_ text: String) -> Duration? {
        guard let unit = text.last, let count = Int(text.dropLast()), count > 0, count < 1_000_000 else {
            return Int(text).flatMap { $0 > 0 ? .seconds($0) : nil }
        }
        switch unit {
        case "s": return .seconds(count)
        case "m": return .seconds(count * 60)
        case "h": return .seconds(count * 3600)
        default: return Int(text).flatMap { $0 > 0 ? .seconds($0) : nil }
        }
    }
}
