import ArgumentParser
import BusAgent
import BusConsole
import BusDirectory
import Foundation

/// `kerege space apply`
struct SpaceApplyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Put a space in force; the next message is judged by it.",
        discussion: """
            Takes the files of a space, or one signed space as kerege space sign writes it. A broker with an authority takes only
            signed ones; where the authority's secret key is at hand (--authority, or DATA/keys/authority.key as kerege up makes it),
            files are signed on the way. Files without a section `keys` keep the keys in force. What is broken changes nothing.

            EXAMPLES
              kerege space diff deploy/space && kerege space apply deploy/space
              kerege space apply space.signed

            Exit code 1 when the space is broken, not signed, or older than the one in force.
            """)

    @Argument(help: "Folders or files; together they are one space. Or one signed space.")
    var places: [String]
    @Option(
        help: ArgumentHelp(
            "Secret key of the authority. (default: DATA/keys/authority.key, where there is one)", valueName: "file"))
    var authority: String?
    @OptionGroup var admin: AdminOptions

    mutating func run() async throws {
        let client = try admin.client()
        let body = try signedOnTheWay(client) ?? SpaceCommand.body(places)
        let (page, raw) = try client.post(SpaceApplyPage.self, "/v1/space/apply", body)
        if admin.json { return Output.write(raw + Data("\n".utf8)) }
        for finding in page.findings { Output.tell(finding.text) }
        guard page.changed else { return Output.write("nothing changes: version \(page.version) says the same\n") }
        Output.write("version \(page.version) is in force (before: \(page.previousVersion)), digest \(page.digest)\n")
        for note in page.breaking { Output.write("! breaking: \(note)\n") }
        if page.keysKept { Output.write("the keys are those of before: the files carry none\n") }
        Output.tell("next: kerege status")
    }

    /// Nil where nothing is to be signed here: the space is signed already, the broker wants no signature, or there is no key.
    private func signedOnTheWay(_ client: AdminClient) throws -> SpaceFiles? {
        guard SpaceCommand.signed(places) == nil else { return nil }
        let usual = admin.data + "/keys/authority.key"
        guard let path = authority ?? (FileManager.default.fileExists(atPath: usual) ? usual : nil) else { return nil }
        let inForce = try SpaceInForce(client)
        guard inForce.authority != nil else { return nil }
        let signing = try SpaceSigning(places, authority: path, after: inForce.snapshot, contracts: nil)
        for finding in signing.findings { Output.tell("\(finding)") }
        return SpaceFiles(signed: String(decoding: signing.signed.file, as: UTF8.self))
    }
}

/// The space a broker has in force now.
struct SpaceInForce {
    let snapshot: SpaceSnapshot
    /// Who must sign the next one; nil: nobody.
    let authority: String?

    init(_ client: AdminClient) throws(Failure) {
        let (page, raw) = try client.get(SpaceInForcePage.self, "/v1/space")
        authority = page.authority
        do throws(SnapshotError) {
            snapshot = try SpaceSnapshot(canonical: SpaceInForcePage.snapshot(in: raw) ?? [])
        } catch {
            throw Failure(
                .unreachable, "foreign-answer", "the space in force cannot be read", why: "\(error)",
                next: "check with --version that kerege and the broker are of one version")
        }
    }
}
