import BusAgent
import BusTesting
import Foundation
import Testing

/// What an operator does to a running mesh, and agents of the test itself.
extension Mesh {
    /// Of an agent written in the test, with the keys and seals of its name.
    func configuration(
        _ name: String, _ systems: [String], data: String? = nil, within limit: Duration = .seconds(10)
    ) throws -> AgentConfiguration {
        var configuration = AgentConfiguration(broker: brokerAddress, name: name, systems: systems)
        configuration.brokerKey = try folder.key("broker").publicKey
        configuration.keys = try folder.key(name)
        configuration.dataDirectory = data
        configuration.connectDeadline = limit
        try configuration.pinAuthority(folder.authority)
        try configuration.loadSeals(from: folder.keys)
        return configuration
    }

    /// Changes the list of keys, which is part of the space.
    func edit(_ change: (String) -> String) throws {
        let old = try String(contentsOfFile: folder.keyList, encoding: .utf8)
        let new = change(old)
        #expect(new != old, "nothing was edited")
        try new.write(toFile: folder.keyList, atomically: true, encoding: .utf8)
    }

    /// `kerege space apply`, as an operator types it. Returns its exit code.
    func apply(_ space: TestSpace) async throws -> Int32? { try await apply(space.root + "/deploy/space") }

    func apply(_ space: String) async throws -> Int32? {
        let run = try await kerege(["space", "apply", space, folder.keyList])
        if run.code != 0 { Issue.record("\(run.output)") }
        return run.code
    }

    func kerege(_ words: [String]) async throws -> (code: Int32?, output: String) {
        try await tool(words + ["--data", folder.path, "--http", httpAddress])
    }

    /// `kerege` with these words alone.
    func tool(_ words: [String]) async throws -> (code: Int32?, output: String) {
        let log = "\(folder.logs)/kerege-\(UUID().uuidString.prefix(8)).log"
        let process = ChildProcess(
            name: "kerege", executable: (broker.executable as NSString).deletingLastPathComponent + "/kerege",
            arguments: words, log: log)
        try process.start()
        await process.waitForExit(within: .seconds(30))
        return (process.exitCode, (try? String(contentsOfFile: log, encoding: .utf8)) ?? "")
    }
}
