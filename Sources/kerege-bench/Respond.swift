import ArgumentParser
import BusAgent
import Foundation

/// The responder's process: answers every request with its own body.
struct Respond: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "respond", shouldDisplay: false)

    @Option var broker: String
    @Option var folder: String
    @Flag var opaque = false

    mutating func run() async throws {
        let agent = try await BenchFolder.connect(
            "bench-responder", broker: broker, folder: folder, opaque: opaque, systems: [BenchSpace.provider]
        ) { $0.answerInline(BenchSpace.service) { $0.body } }
        FileHandle.standardOutput.write(Data("ready\n".utf8))
        // Ends with its parent: standard input is a pipe the parent holds.
        while let line = readLine(), !line.isEmpty {}
        await agent.close()
    }
}
