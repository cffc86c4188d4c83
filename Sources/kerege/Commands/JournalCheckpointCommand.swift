import ArgumentParser
import BusEvidence
import BusProtocol

/// `kerege journal checkpoint`: what an auditor keeps of a log.
struct JournalCheckpointCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkpoint",
        abstract: "Ask a broker for its log's checkpoint, hold it to the one kept in a file, and keep it.",
        discussion: """
            A checkpoint is what the broker says of its log, signed: how many records it has, and the root over them (docs/EVIDENCE.md, section 4).
            Keep the file where nobody who owns the broker can write.

            EXAMPLES
              kerege journal checkpoint seen.checkpoint
              kerege journal verify ./data --checkpoint seen.checkpoint --authority authority.pub

            Exit code 1 when the log is shorter than it was (log-shrank) or another one (log-forked): FILE stays as it is, and FILE.fork has
            both checkpoints of the first time. Alone they convict nobody unless they are of one size: only that is a fork whoever looks at it.
            """)

    @Argument(help: "The file that keeps it, for its owner alone; made the first time.")
    var file: String
    @Option(help: ArgumentHelp("Public key of the broker's log, where the space does not state it.", valueName: "file"))
    var log: String?
    @OptionGroup var admin: AdminOptions

    private struct Page: Encodable {
        var file: String
        var log: String
        var key: String
        var treeSize: UInt64
        var root: String
        /// Records that the log had when it was kept before.
        var seenBefore: UInt64?
    }

    mutating func run() async throws {
        let key = try log.map { try PublicKeyFile.read($0, of: "the log", option: "--log broker.pub") }
        let news = try SeenLog(path: file).look(at: admin.client(), by: key)
        if admin.json {
            try Output.print(
                json: Page(
                    file: file, log: news.log.name, key: "\(news.log.key.id)", treeSize: news.now.size,
                    root: news.now.root.bytes.hex, seenBefore: news.before?.size))
        } else {
            Output.write("\(file): \(news.says)\n")
        }
    }
}
