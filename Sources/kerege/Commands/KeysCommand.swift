import ArgumentParser
import BusAgent
import BusConsole
import BusDirectory

/// `kerege keys`
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Make keys.", subcommands: [KeysNewCommand.self])
}

/// `kerege keys new`
struct KeysNewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Make a key pair for an agent or the broker; an existing one is never overwritten.",
        discussion: """
            Writes DIR/NAME.key (secret, mode 0600) and DIR/NAME.pub, and prints the lines for the section `keys` of the space.

            EXAMPLES
              kerege keys new portal-2 --system portal
              kerege keys new portal-3 --system portal >> data/keys/keys.yaml
              kerege keys new broker --dir /var/lib/kerege/keys

            Exit code 1 when the key exists or cannot be written, 2 for a bad name.
            """)

    @Argument(help: "Name of the agent, or `broker`.")
    var name: String
    @Option(help: "Folder of the key files.")
    var dir = "./data/keys"
    @Option(name: .customLong("system"), help: "A system it speaks for; may be given several times.")
    var systems: [String] = []
    @OptionGroup var output: JSONOption

    private struct Page: Encodable {
        var name: String
        var publicKey: String
        var file: String
    }

    mutating func validate() throws {
        for word in [name] + systems where !Identifiers.isIdentifier(word) {
            throw ValidationError(
                "`\(word)` is no name: lower-case letters, digits and single hyphens, a letter first, at most 64")
        }
    }

    mutating func run() async throws {
        let key: KeyFile
        do throws(KeyFile.Problem) { key = try KeyFile.create(name: name, in: dir) } catch {
            throw Failure(
                .no, "no-key", "no key was made", why: "\(error)",
                next: "choose another name, or another folder with --dir")
        }
        let file = "\(dir)/\(name).key"
        if output.json { return try Output.print(json: Page(name: name, publicKey: key.publicKey, file: file)) }
        Output.tell("made \(file), secret, and \(dir)/\(name).pub")
        Output.write(lines: name == "broker" ? ["curve: '\(key.publicKey)'"] : agentLines(key.publicKey))
        Output.tell(
            "next: add \(name == "broker" ? "this line to the section `broker`" : "these lines under `keys:`") of the space, "
                + "then kerege space apply DIR")
    }

    private func agentLines(_ key: String) -> [String] {
        let systems = systems.isEmpty ? [name.split(separator: "-").dropLast().joined(separator: "-")] : systems
        let list = systems.filter { !$0.isEmpty }.joined(separator: ", ")
        return ["  - agent: \(name)", "    systems: [\(list)]", "    curve: '\(key)'"]
    }
}
