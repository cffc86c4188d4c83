import ArgumentParser
import BusAgent
import BusConsole
import BusDirectory
import BusEvidence
import Foundation

/// `kerege keys renew-seal`
struct KeysRenewSealCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "renew-seal",
        abstract: "Make a new key to which messages for a system are sealed, and keep the one before.",
        discussion: """
            DIR/SYSTEM.seal is renamed to DIR/SYSTEM.seal.1 (2, 3 …), a new DIR/SYSTEM.seal is made, and its line for the section `keys` of
            the space is printed. In this order nothing is ever sealed to a key that an agent of the system lacks:

              1. kerege keys renew-seal SYSTEM
              2. copy SYSTEM.seal and SYSTEM.seal.* to every agent of the system, and start them anew one after the other
              3. put the line into the space beside the old one, and apply it: senders take the newest
              4. later set `until` or `revoked` at the old line; its file stays as long as anything may come that was sealed to it

            EXAMPLES
              kerege keys renew-seal payments >> data/keys/keys.yaml

            Exit code 1 when there is no key, or it cannot be replaced, 2 for a bad name.
            """)

    @Argument(help: "The system.")
    var system: String
    @Option(help: "Folder of the key files.")
    var dir = "./data/keys"
    @OptionGroup var output: JSONOption

    private struct Page: Encodable {
        var system: String
        var publicKey: String
        /// Id of the secret for order keys: as before.
        var order: String
        var file: String
        /// The key before.
        var kept: String
    }

    mutating func validate() throws {
        guard Identifiers.isIdentifier(system) else {
            throw ValidationError("`\(system)` is no system: lower-case letters, digits and single hyphens, at most 64")
        }
    }

    mutating func run() async throws {
        let renewed: (made: SealFile, kept: String)
        do throws(KeyFile.Problem) { renewed = try SealFile.renew(system: system, in: dir) } catch {
            throw Failure(
                .no, "no-key", "no key was made", why: "\(error)",
                next:
                    "name the folder with --dir; a system's first key is made by kerege keys new AGENT --system \(system)"
            )
        }
        let page = Page(
            system: system, publicKey: "\(renewed.made.publicKey)", order: renewed.made.order.name,
            file: SealFile.path(system, in: dir),
            kept: renewed.kept)
        if output.json { return try Output.print(json: page) }
        Output.tell("made \(page.file), secret, for every agent of \(system); the one before is \(page.kept)")
        Output.write(lines: KeyLinesOfSpace.seal(system, page.publicKey, page.order))
    }
}
