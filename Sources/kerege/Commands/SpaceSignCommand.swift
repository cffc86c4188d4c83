import ArgumentParser
import BusAgent
import BusBroker
import BusConsole
import BusDirectory
import DurableFiles
import Foundation

/// `kerege space sign`
struct SpaceSignCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign",
        abstract: "Sign the files of a space with the authority's key; needs no broker.",
        discussion: """
            Writes one file: the authority's signature, and the space as the version after the one named by --after, by --broker, or
            in the file that is written (version 1 where there is none). What files leave out of the keys stays as it was. Carry the
            file to the broker: kerege space apply space.signed. With the data folder of a broker, --after goes on from what is in force
            there, whether anybody signed it or not.

            EXAMPLES
              kerege space sign deploy/space keys.yaml --authority /media/authority/authority.key -o space.signed
              kerege space sign deploy/space keys.yaml --authority authority.key --broker -o space.signed

            Exit code 1 when the files are broken or the key cannot be read.
            """)

    @Argument(help: "Folders or files; together they are one space.")
    var places: [String]
    @Option(help: ArgumentHelp("Secret key of the authority. (default: DATA/keys/authority.key)", valueName: "file"))
    var authority: String?
    @Option(name: .shortAndLong, help: ArgumentHelp("The file to write.", valueName: "file"))
    var output = "space.signed"
    @Option(
        help: ArgumentHelp(
            "Signed space, or a broker's data folder, that this one follows. (default: the file that is written)",
            valueName: "file"))
    var after: String?
    @Flag(name: .customLong("broker"), help: "It follows the one in force at the broker.")
    var asksBroker = false
    @Option(help: ArgumentHelp("Contracts the space may name.", valueName: "dir"))
    var contracts = "Schemas/contracts"
    @OptionGroup var admin: AdminOptions

    mutating func validate() throws {
        if asksBroker, after != nil { throw ValidationError("--after and --broker name two predecessors; use one") }
    }

    private struct Page: Encodable {
        var file: String
        var version: UInt64
        var digest: String
        var changed: Bool
        var breaking: [String]
    }

    mutating func run() async throws {
        let previous = try predecessor()
        let signing = try SpaceSigning(
            places, authority: authority ?? admin.data + "/keys/authority.key", after: previous, contracts: contracts)
        for finding in signing.findings { Output.tell("\(finding)") }
        do throws(DurableFile.Problem) { try DurableFile.replace(output, with: signing.signed.file) } catch {
            throw Failure(
                .no, "not-written", "the signed space was not written", why: "\(error)",
                next: "name another file with -o FILE")
        }
        tell(signing)
    }

    private func tell(_ signing: SpaceSigning) {
        let snapshot = signing.signed.snapshot
        if admin.json {
            try? Output.print(
                json: Page(
                    file: output, version: snapshot.version, digest: "\(snapshot.digest)", changed: signing.isNew,
                    breaking: signing.breaking))
            return
        }
        Output.write("\(output): version \(snapshot.version), digest \(snapshot.digest)\n")
        if !signing.isNew { Output.write("nothing changes: that version says the same\n") }
        for note in signing.breaking { Output.write("! breaking: \(note)\n") }
        Output.tell("next: kerege space apply \(output)")
    }

    private func predecessor() throws -> SpaceSnapshot? {
        if asksBroker { return try SpaceInForce(admin.client()).snapshot }
        if let after, Self.isFolder(after) { return try Self.inForce(in: after) }
        let path = after ?? output
        let bytes: [UInt8]?
        do throws(DurableFile.Problem) { bytes = try DurableFile.read(path, limit: SignedSpace.fileLimit) } catch {
            throw Failure.wrongUse(
                "the space before cannot be read", why: "\(error)", next: "name it with --after FILE")
        }
        guard let bytes else {
            guard after == nil else {
                throw Failure.wrongUse(
                    "there is no signed space \(path)", why: "it was named with --after",
                    next: "leave --after out for the first version")
            }
            return nil
        }
        do throws(SnapshotError) { return try SignedSpace(file: bytes).snapshot } catch {
            throw Failure.wrongUse(
                "\(path) is no signed space", why: "\(error)",
                next: "name another file with -o, or the one before with --after")
        }
    }
}

extension SpaceSignCommand {
    fileprivate static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }

    /// By the journal: the broker may be stopped, or may not start before there is a newer space.
    fileprivate static func inForce(in folder: String) throws(Failure) -> SpaceSnapshot {
        let found: SpaceSnapshot?
        do { found = try BrokerStart.spaceInForce(folder: folder) } catch {
            throw Failure(
                .no, "journal", "the space in force in \(folder) is not known", why: "\(error)",
                next: "kerege journal verify \(ShellText.command(["--data", folder]))")
        }
        guard let found else {
            throw .wrongUse(
                "no space is in force in \(folder)", why: "it has no journal, or an empty one",
                next: "name the broker's data folder, or leave --after out for the first version")
        }
        return found
    }
}

/// The files of a space, made the next version and signed.
struct SpaceSigning {
    let signed: SignedSpace
    let findings: [Finding]
    let breaking: [String]
    /// Whether it differs from the one before. If not, that one is signed again.
    let isNew: Bool

    init(_ places: [String], authority path: String, after previous: SpaceSnapshot?, contracts: String?) throws {
        let reading = Space.load(
            try SpaceCommand.files(places), knownContracts: contracts.flatMap(SpaceFolder.contractNames(in:)))
        findings = reading.findings
        guard let read = reading.space else {
            var failure = Failure(
                .no, "space-broken", "the space has \(reading.errors.count) errors; nothing was signed",
                why: reading.errors.first?.description ?? "it cannot be read",
                next: "mend them, then kerege space check \(places.joined(separator: " "))")
            failure.findings = SpaceCheckPage(reading).findings
            throw failure
        }
        let key: AuthorityFile
        do throws(KeyFile.Problem) { key = try AuthorityFile.load(path) } catch {
            throw Failure(
                .no, "no-authority", "there is no authority to sign with", why: "\(error)",
                next: "name its secret key with --authority FILE; kerege keys new authority makes one")
        }
        let space = previous.map { read.completed(from: $0.space).space } ?? read
        let next = try SpaceSnapshot(space, after: previous)
        if let previous, next.space == previous.space {
            isNew = false
            breaking = []
            signed = SignedSpace(previous, by: key.secret)
        } else {
            isNew = true
            breaking = previous.map { SpaceDiff(from: $0.space, to: next.space).breaking } ?? []
            signed = SignedSpace(next, by: key.secret)
        }
    }
}
