import ArgumentParser
import Foundation

/// `kerege evidence export`
struct EvidenceExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write everything that proves one exchange into a file.",
        discussion: """
            A request with its reply, a command with its outcome, or an event: headers, signatures, the paths to a checkpoint that the
            broker signs now, and the space that was in force with its authority's signature. Bodies are in it where the journal keeps
            them; without them their digests are proven.

            EXAMPLES
              kerege evidence export 0199f3a2-… -o case.json
              kerege evidence verify case.json --authority authority.pub

            Exit code 1 when the journal has no such message, or several systems' messages have this id and --position is missing,
            or something of the proof is missing; it says what.
            """)

    /// The first export of a broker reads its whole journal.
    static let deadline = Duration.seconds(180)

    @OptionGroup var message: NamedMessageOptions
    @Option(name: .shortAndLong, help: ArgumentHelp("The file to write.", valueName: "file"))
    var output: String
    @Flag(help: "Write over a file that is there.")
    var force = false
    @OptionGroup var admin: AdminOptions

    private struct Evidence: Decodable {
        struct Message: Decodable { var position: String }
        var messages: [Message]
    }
    private struct Page: Encodable {
        var file: String
        var messages: Int
        var bytes: Int
    }

    mutating func run() async throws {
        let path = try message.path("/evidence")
        let file = EvidenceOutput(path: output, replaces: force, force: "--force")
        try file.expectPlace()
        let (evidence, raw) = try admin.client().get(
            Evidence.self, path, within: Self.deadline)
        try file.write(raw)
        if admin.json {
            try Output.print(json: Page(file: output, messages: evidence.messages.count, bytes: raw.count))
        } else {
            Output.write("\(output): \(evidence.messages.count) messages, \(raw.count) bytes\n")
            let verify = ShellText.command(["kerege", "evidence", "verify", output])
            Output.tell("next: \(verify)   (elsewhere with --authority authority.pub)")
        }
    }
}
