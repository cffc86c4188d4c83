import ArgumentParser
import BusConsole
import BusDirectory
import Foundation

/// `kerege space`
struct SpaceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "space",
        abstract: "Check, compare and apply the files of a space.",
        subcommands: [SpaceCheckCommand.self, SpaceDiffCommand.self, SpaceApplyCommand.self])

    static func files(_ places: [String]) throws(Failure) -> [SpaceFile] {
        var files: [SpaceFile] = []
        for place in places {
            do throws(SpaceFolder.Unreadable) { files += try SpaceFolder.files(at: place) } catch {
                throw .wrongUse("the space cannot be read", why: "\(error)", next: "kerege space check deploy/space")
            }
        }
        return files
    }

    static func body(_ places: [String]) throws(Failure) -> SpaceFiles {
        SpaceFiles(files: try files(places).map { SpaceFiles.File(name: $0.name, text: $0.text) })
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

/// `kerege space apply`
struct SpaceApplyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Put the files of a space in force; the next message is judged by them.",
        discussion: """
            Files without a section `keys` keep the keys in force. Broken files change nothing.

            EXAMPLES
              kerege space diff deploy/space && kerege space apply deploy/space

            Exit code 1 when the files are broken.
            """)

    @Argument(help: "Folders or files; together they are one space.")
    var places: [String]
    @OptionGroup var admin: AdminOptions

    mutating func run() async throws {
        let body = try SpaceCommand.body(places)
        let (page, raw) = try admin.client().post(SpaceApplyPage.self, "/v1/space/apply", body)
        if admin.json { return Output.write(raw + Data("\n".utf8)) }
        for finding in page.findings { Output.tell(finding.text) }
        guard page.changed else { return Output.write("nothing changes: version \(page.version) says the same\n") }
        Output.write("version \(page.version) is in force (before: \(page.previousVersion)), digest \(page.digest)\n")
        for note in page.breaking { Output.write("! breaking: \(note)\n") }
        if page.keysKept { Output.write("the keys are those of before: the files carry none\n") }
        Output.tell("next: kerege status")
    }
}
