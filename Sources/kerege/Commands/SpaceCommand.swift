import ArgumentParser
import BusConsole
import BusDirectory
import Foundation

/// `kerege space`
struct SpaceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "space",
        abstract: "Check, compare, sign and apply the files of a space.",
        subcommands: [SpaceCheckCommand.self, SpaceDiffCommand.self, SpaceSignCommand.self, SpaceApplyCommand.self])

    static func files(_ places: [String]) throws(Failure) -> [SpaceFile] {
        var files: [SpaceFile] = []
        for place in places {
            try expectText(place)
            do throws(SpaceFolder.Unreadable) { files += try SpaceFolder.files(at: place) } catch {
                throw .wrongUse("the space cannot be read", why: "\(error)", next: "kerege space check deploy/space")
            }
        }
        return files
    }

    /// A signed space holds a whole one, which is no YAML: what is wrong with it is not what is wrong with YAML.
    private static func expectText(_ place: String) throws(Failure) {
        guard let bytes = FileManager.default.contents(atPath: place) else { return }
        if SignedSpace.isFile(bytes) {
            throw .wrongUse(
                "\(place) is a signed space", why: "files of YAML are read here, of which a space is made",
                next: "name its files; a signed space goes alone to kerege space apply or kerege space diff")
        }
        guard place.hasSuffix(".signed") else { return }
        throw .wrongUse(
            "\(place) is no signed space", why: "it does not begin as kerege space sign writes it",
            next: "copy it again, or make it anew: kerege space sign DIR --authority authority.key -o "
                + ShellText.word(place))
    }

    /// What is sent to the broker: the files, or the text of the one signed space that is named.
    static func body(_ places: [String]) throws(Failure) -> SpaceFiles {
        if let text = signed(places) { return SpaceFiles(signed: text) }
        return SpaceFiles(files: try files(places).map { SpaceFiles.File(name: $0.name, text: $0.text) })
    }

    /// The text of a signed space, when that is what is named.
    static func signed(_ places: [String]) -> String? {
        guard places.count == 1, let data = FileManager.default.contents(atPath: places[0]), SignedSpace.isFile(data)
        else { return nil }
        return String(decoding: data, as: UTF8.self)
    }
}

/// `kerege space check`: needs no broker.
struct SpaceCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check the files of a space; needs no broker.",
        discussion: """
            Prints every finding as `file:line:column: error: what — what would be right`.

            EXAMPLES
              kerege space check deploy/space
              kerege space check deploy/space data/keys/keys.yaml --json

            Exit code 1 when the space is broken.
            """)

    @Argument(help: "Folders or files; together they are one space.")
    var places: [String]
    @Option(
        help: ArgumentHelp("Contracts the space may name; not checked where there is no such folder.", valueName: "dir")
    )
    var contracts = "Schemas/contracts"
    @OptionGroup var output: JSONOption

    mutating func run() async throws {
        let reading = Space.load(
            try SpaceCommand.files(places), knownContracts: SpaceFolder.contractNames(in: contracts))
        if output.json { try Output.print(json: SpaceCheckPage(reading)) } else { tell(reading) }
        if reading.space == nil { throw ExitCode(ExitStatus.no.rawValue) }
    }

    private func tell(_ reading: SpaceReading) {
        for finding in reading.findings { Output.write("\(finding)\n") }
        guard let space = reading.space else {
            return Output.tell(
                "\(reading.errors.count) errors; mend them, then: kerege space check \(places.joined(separator: " "))")
        }
        Output.write(
            "sound: \(space.agencies.count) agencies, \(space.systems.count) systems, \(space.services.count) services, "
                + "\(space.integrations.count) integrations, \(space.keys.count) keys\n")
        Output.tell("next: kerege space diff \(places.joined(separator: " "))")
    }
}

/// `kerege space diff`
struct SpaceDiffCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "What would change if these files were applied.",
        discussion: """
            Files without a section `keys` keep the keys in force.

            EXAMPLES
              kerege space diff deploy/space
              kerege space diff space.signed

            Exit code 1 when the files are broken.
            """)

    @Argument(help: "Folders or files; together they are one space.")
    var places: [String]
    @OptionGroup var admin: AdminOptions

    mutating func run() async throws {
        let body = try SpaceCommand.body(places)
        let (page, raw) = try admin.client().post(SpaceDiffPage.self, "/v1/space/diff", body)
        if admin.json { return Output.write(raw + Data("\n".utf8)) }
        Output.write(lines: SpaceDiffView(page: page, style: .standardOutput).lines())
        if !page.changes.isEmpty { Output.tell("next: kerege space apply \(places.joined(separator: " "))") }
    }
}
