import BusDirectory
import Foundation
import Testing

/// What is said of files that are named as a space and are none.
@Suite("Command line, files of a space", .serialized, .timeLimit(.minutes(3)))
struct SpaceFileTests {
    @Test("A space file that is not UTF-8 is told with its place")
    func spaceIsNotText() async throws {
        let file = NSTemporaryDirectory() + "kerege-space-\(UUID().uuidString).yaml"
        defer { try? FileManager.default.removeItem(atPath: file) }
        try (Data("space:\n  id: ".utf8) + Data([0xff, 0xfe])).write(to: URL(fileURLWithPath: file))
        let run = try await CommandRun.run(["space", "check", file])
        #expect(run.code == 2 && run.errors.contains("\(file):2:7: error: not UTF-8"), "\(run.errors)")
    }

    @Test("What is called a signed space and does not begin like one is not read as YAML")
    func signedSpaceIsBroken() async throws {
        let file = NSTemporaryDirectory() + "kerege-space-\(UUID().uuidString).signed"
        defer { try? FileManager.default.removeItem(atPath: file) }
        try "kerege-signed-spac".write(toFile: file, atomically: true, encoding: .utf8)
        let run = try await CommandRun.run(["space", "check", file])
        #expect(run.code == 2 && run.errors.contains("is no signed space"), "\(run.errors)")
        #expect(!run.errors.contains("YAML"))
        // What is there is said of what is there, and what is not of what is not.
        let space = Space(
            id: "small", title: LocalizedName(en: "Small"),
            broker: BrokerFacts(id: "b", endpoint: "tcp://127.0.0.1:7400", curve: nil, sign: nil), systems: [])
        let good = SignedSpace(try SpaceSnapshot(space), signature: SignedSpace.noSignature)
        try Data(good.file).write(to: URL(fileURLWithPath: file))
        let sound = try await CommandRun.run(["space", "check", file])
        #expect(sound.code == 2 && sound.errors.contains("is a signed space"), "\(sound.errors)")
        let missing = try await CommandRun.run(["space", "check", file + ".signed"])
        #expect(missing.code == 2 && missing.errors.contains("there is no"), "\(missing.errors)")
    }
}
