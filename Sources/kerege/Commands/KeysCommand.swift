import ArgumentParser
import BusAgent
import BusConsole
import BusDirectory
import BusEvidence
import Foundation

/// `kerege keys`
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Make keys.",
        subcommands: [KeysNewCommand.self, KeysCompleteCommand.self, KeysRenewSealCommand.self])
}

/// `kerege keys new`
struct KeysNewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Make the keys of an agent, the broker or the authority; existing ones are never overwritten.",
        discussion: """
            Writes DIR/NAME.key (secret, mode 0600) and DIR/NAME.pub, and prints the lines for the section `keys` of the space.
            With --system also DIR/SYSTEM.seal and DIR/SYSTEM.subject, where they are missing: the secret keys to which messages for
            the system are sealed, and from which references to people are made. All agents of the system need these files.

            Two names are special. `broker`: its lines go into the section `broker`. `authority`: signs the space; keep
            authority.key on a machine off the bus, and give authority.pub to the broker and to every agent.

            EXAMPLES
              kerege keys new portal-2 --system portal
              kerege keys new portal-3 --system portal >> data/keys/keys.yaml
              kerege keys new broker --dir /var/lib/kerege/keys
              kerege keys new authority --dir /media/authority

            Exit code 1 when the key exists or cannot be written, 2 for a bad name.
            """)

    @Argument(help: "Name of the agent, or `broker`, or `authority`.")
    var name: String
    @Option(help: "Folder of the key files.")
    var dir = "./data/keys"
    @Option(name: .customLong("system"), help: "A system it speaks for; may be given several times.")
    var systems: [String] = []
    @OptionGroup var output: JSONOption

    private struct Page: Encodable {
        struct Seal: Encodable {
            var system: String
            var publicKey: String
            /// Id of the secret for order keys.
            var order: String
            var file: String
        }
        var name: String
        var publicKey: String?
        var signPublicKey: String
        var file: String
        /// Seal keys that were made.
        var seals: [Seal]
        /// Files of subject keys that were made.
        var subjects: [String]
    }

    mutating func validate() throws {
        for word in [name] + systems where !Identifiers.isIdentifier(word) {
            throw ValidationError(
                "`\(word)` is no name: lower-case letters, digits and single hyphens, a letter first, at most 64")
        }
        if ["broker", AuthorityFile.name].contains(name), !systems.isEmpty {
            throw ValidationError("`\(name)` speaks for no system; leave --system out")
        }
    }

    mutating func run() async throws {
        let page: Page
        do throws(KeyFile.Problem) {
            page = name == AuthorityFile.name ? try makeAuthority() : try makeKeys()
        } catch {
            throw Failure(
                .no, "no-key", "no key was made", why: "\(error)",
                next: "choose another name, or another folder with --dir")
        }
        if output.json { return try Output.print(json: page) }
        tell(page)
    }

    private func makeAuthority() throws(KeyFile.Problem) -> Page {
        let made = try AuthorityFile.create(in: dir)
        return Page(
            name: name, publicKey: nil, signPublicKey: "\(made.publicKey)", file: "\(dir)/\(name).key", seals: [],
            subjects: [])
    }

    private func makeKeys() throws(KeyFile.Problem) -> Page {
        let made = try KeyFile.create(name: name, in: dir)
        var seals: [Page.Seal] = []
        for system in systems where try SealFile.loadIfPresent(system: system, in: dir) == nil {
            let seal = try SealFile.create(system: system, in: dir)
            seals.append(
                Page.Seal(
                    system: system, publicKey: "\(seal.publicKey)", order: seal.order.name,
                    file: SealFile.path(system, in: dir)))
        }
        return Page(
            name: name, publicKey: made.publicKey, signPublicKey: made.signPublicKey ?? "", file: "\(dir)/\(name).key",
            seals: seals, subjects: try SubjectFile.createMissing(of: systems, in: dir))
    }

    private func tell(_ page: Page) {
        Output.tell("made \(page.file), secret, and \(dir)/\(name).pub")
        for seal in page.seals { Output.tell("made \(seal.file), secret, for every agent of \(seal.system)") }
        for file in page.subjects { Output.tell("made \(file), secret, for every agent of its system") }
        guard let curve = page.publicKey else {
            return Output.tell(
                "next: pin \(dir)/authority.pub at the broker (--authority) and in every agent's key folder, then kerege space "
                    + "sign DIR --authority \(page.file) -o space.signed")
        }
        let keys = ["curve: '\(curve)'", "sign: '\(page.signPublicKey)'"]
        Output.write(lines: name == "broker" ? keys : KeyLinesOfSpace.agent(name, systems, keys))
        for seal in page.seals { Output.write(lines: KeyLinesOfSpace.seal(seal.system, seal.publicKey, seal.order)) }
        Output.tell(
            "next: add \(name == "broker" ? "these lines to the section `broker`" : "these lines under `keys:`") of the space, "
                + "then kerege space apply DIR")
    }
}

/// `kerege keys complete`
struct KeysCompleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "complete",
        abstract: "Give an agent's key file from an earlier version what it lacks.",
        discussion: """
            The agent stays who it is; its entry in the space needs the line that is printed. A file that has a signing key is left
            as it is. With --system also SYSTEM.subject beside it, where it is missing: the key from which references to people are
            made. If another agent of the system has that file already, copy it instead.

            EXAMPLES
              kerege keys complete data/keys/portal-1.key
              kerege keys complete data/keys/individuals-1.key --system individuals

            Exit code 1 when the file cannot be read or written.
            """)

    @Argument(help: "The secret key file.")
    var file: String
    @Option(name: .customLong("system"), help: "A system it speaks for; may be given several times.")
    var systems: [String] = []

    mutating func validate() throws {
        for word in systems where !Identifiers.isIdentifier(word) {
            throw ValidationError(
                "`\(word)` is no system: lower-case letters, digits and single hyphens, a letter first, at most 64")
        }
    }

    mutating func run() async throws {
        do throws(KeyFile.Problem) {
            let key = try KeyFile.addSigning(to: file)
            let folder = (file as NSString).deletingLastPathComponent
            for made in try SubjectFile.createMissing(of: systems, in: folder.isEmpty ? "." : folder) {
                Output.tell("made \(made), secret, for every agent of its system")
            }
            Output.write("sign: '\(key.signPublicKey ?? "")'\n")
            Output.tell("next: add this line to the entry with curve '\(key.publicKey)', then kerege space apply DIR")
        } catch {
            throw Failure(.no, "no-key", "the key file is as it was", why: "\(error)", next: "mend what is named")
        }
    }
}

/// Public keys as lines of the section `keys`.
enum KeyLinesOfSpace {
    static func agent(_ name: String, _ systems: [String], _ keys: [String]) -> [String] {
        let systems = systems.isEmpty ? [name.split(separator: "-").dropLast().joined(separator: "-")] : systems
        let list = systems.filter { !$0.isEmpty }.joined(separator: ", ")
        return ["  - agent: \(name)", "    systems: [\(list)]"] + keys.map { "    \($0)" }
    }

    /// - Parameter order: id of the secret for order keys.
    static func seal(_ system: String, _ key: String, _ order: String) -> [String] {
        ["  - system: \(system)", "    seal: '\(key)'", "    order: '\(order)'"]
    }
}
