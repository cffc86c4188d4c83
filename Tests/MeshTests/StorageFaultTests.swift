import BusAgent
import BusJournal
import BusTesting
import Foundation
import Testing

/// What befalls the disk under a real broker: full, failing, read-only.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct StorageFaultTests {
    @Test("a full disk: senders are told 5070, reading goes on, and with room again the broker goes on by itself")
    func fullDisk() async throws {
        guard let disk = SmallDisk(megabytes: 24) else { return notRun("a small file system cannot be mounted here") }
        defer { disk.remove() }
        try await withOrders(folder: disk.path + "/data") { mesh, alpha, record in
            _ = try await alpha.send(OrderSpace.order, OrderSpace.body(1))
            try disk.fill()
            let refused = try await sendUntilRefused(alpha)
            #expect(refused == 5070)
            #expect(mesh.broker.isRunning, "\(mesh.broker.logTail())")
            #expect(try await mesh.admin.get("/v1/status")["broker"]["open_calls"].int != nil, "reading goes on")
            try disk.free()
            let goesOn = await eventually(within: .seconds(20)) {
                (try? await alpha.send(OrderSpace.order, OrderSpace.body(2, key: 1000))) != nil
            }
            #expect(goesOn, "\(mesh.broker.logTail())")
            let last = try await alpha.send(OrderSpace.order, OrderSpace.body(3, key: 1001))
            let state = try await alpha.outcome(of: last.id, as: "alpha", within: .seconds(20))
            #expect(state.state == "completed")
        }
    }

    @Test("a sync that fails: the broker confirms nothing more and stops; the next one has everything it confirmed")
    func syncError() async throws {
        guard let shim = Preload.build("sync-error") else { return notRun("no C compiler for the failing sync") }
        let trigger = NSTemporaryDirectory() + "kerege-sync-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: trigger) }
        try await withOrders(environment: ["LD_PRELOAD": shim, "KEREGE_SYNC_ERROR_WHEN": trigger]) {
            mesh, alpha, record in
            let before = try await alpha.send(OrderSpace.order, OrderSpace.body(1))
            _ = FileManager.default.createFile(atPath: trigger, contents: nil)
            await #expect(throws: BusFault.self) {
                _ = try await alpha.send(OrderSpace.order, OrderSpace.body(2), deadline: .seconds(1))
            }
            #expect(await mesh.broker.waitForExit(within: .seconds(20)), "it goes on after a failed sync")
            #expect(mesh.broker.exitCode != 0)
            try FileManager.default.removeItem(atPath: trigger)
            try mesh.broker.start()
            let state = try await patiently {
                try await alpha.outcome(of: before.id, as: "alpha", within: .seconds(20))
            }
            #expect(state.state == "completed")
        }
    }

    @Test("a read-only folder: a clear error, exit code 2, and nothing changed")
    func readOnly() async throws {
        guard let disk = SmallDisk(megabytes: 32) else { return notRun("a small file system cannot be mounted here") }
        defer { disk.remove() }
        try await withOrders(folder: disk.path + "/data") { mesh, alpha, _ in
            _ = try await alpha.send(OrderSpace.order, OrderSpace.body(1))
            await mesh.broker.stop()
            try disk.remount("ro")
            try mesh.broker.start()
            #expect(await mesh.broker.waitForExit(within: .seconds(20)), "it runs on a read-only folder")
            #expect(mesh.broker.exitCode == 2, "exit code \(mesh.broker.exitCode ?? -1)")
            try disk.remount("rw")
            try mesh.broker.start()
            try await mesh.waitUntilHealthy(within: .seconds(20))
            _ = try await patiently { try await alpha.send(OrderSpace.order, OrderSpace.body(2)) }
        }
    }

    // MARK: - Steps

    private func notRun(_ why: String) { print("NOT RUN: \(why)") }

    /// A broker as a process of its own; sender and provider in this one.
    private func withOrders(
        folder: String? = nil, environment: [String: String] = [:],
        _ body: (Mesh, Agent, Applied) async throws -> Void
    ) async throws {
        let space = try OrderSpace()
        defer { space.remove() }
        var options = Mesh.Options(root: space.root, agents: [])
        options.folder = folder
        options.logFolder = space.root
        let mesh = try Mesh(options)
        try mesh.broker.start(environment: environment)
        try await mesh.waitUntilHealthy(within: .seconds(30))
        let applied = Applied()
        let alpha = try await space.connect(mesh, "alpha-1", "alpha")
        let bravo = try await space.connect(mesh, "bravo-1", "bravo") { agent in
            agent.perform(OrderSpace.order) { command in
                await applied.add(command.id)
                return .completed(Array(#"{"count":1}"#.utf8))
            }
        }
        do { try await body(mesh, alpha, applied) } catch { Issue.record("\(error)\n\(mesh.broker.logTail())") }
        await alpha.close()
        await bravo.close()
        await mesh.stop()
    }

    private func sendUntilRefused(_ agent: Agent) async throws -> UInt16 {
        for _ in 0..<400 {
            let refused = await withTaskGroup(of: UInt16?.self) { group in
                for number in 0..<64 {
                    group.addTask {
                        do throws(BusFault) {
                            _ = try await agent.send(
                                OrderSpace.order, OrderSpace.body(number, key: number, padding: 8000))
                            return nil
                        } catch { return error.number }
                    }
                }
                var found: UInt16?
                for await number in group { found = found ?? number }
                return found
            }
            if let refused { return refused }
        }
        return 0
    }

    /// Tries again while the agent finds its way back.
    private func patiently<Value>(_ body: () async throws -> Value) async throws -> Value {
        let end = ContinuousClock.now + .seconds(20)
        while true {
            do { return try await body() } catch { if ContinuousClock.now >= end { throw error } }
        }
    }
}

actor Applied {
    private(set) var ids: Set<String> = []
    func add(_ id: String) { ids.insert(id) }
}

/// A file system in memory of a few megabytes, where this user may mount one.
struct SmallDisk {
    let path: String
    private var ballast: String { path + "/ballast" }

    init?(megabytes: Int) {
        path = NSTemporaryDirectory() + "kerege-disk-" + UUID().uuidString.prefix(8).lowercased()
        guard (try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)) != nil,
            Self.run("mount", ["-t", "tmpfs", "-o", "size=\(megabytes)m", "tmpfs", path])
        else { return nil }
    }

    func remove() {
        _ = Self.run("umount", ["-l", path])
        try? FileManager.default.removeItem(atPath: path)
    }

    func remount(_ mode: String) throws {
        guard Self.run("mount", ["-o", "remount,\(mode)", path]) else {
            throw MeshError("\(path) cannot be remounted \(mode)", remedy: "look at what holds it")
        }
    }

    /// Takes all the room that is left.
    func fill() throws {
        _ = FileManager.default.createFile(atPath: ballast, contents: nil)
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: ballast))
        defer { try? handle.close() }
        for size in [1 << 20, 4096] {
            let block = Data(count: size)
            while (try? handle.write(contentsOf: block)) != nil {}
        }
    }

    func free() throws { try FileManager.default.removeItem(atPath: ballast) }

    private static func run(_ program: String, _ arguments: [String]) -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }
}

/// A shared library that stands before a function of the C library.
enum Preload {
    static func build(_ name: String) -> String? {
        let source = projectRoot + "/Tests/MeshTests/Preload/\(name).c"
        let library = NSTemporaryDirectory() + "kerege-\(name)-\(UUID().uuidString.prefix(8)).so"
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"]
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        process.waitUntilExit()
        return process.terminationStatus == 0 ? library : nil
    }
}
