import ArgumentParser
import BusEvidence
import BusJournal
import BusProtocol
import DurableFiles
import Foundation

/// `kerege journal`
struct JournalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "journal", abstract: "Examine a journal, and keep checkpoints of its log.",
        subcommands: [JournalVerifyCommand.self, JournalCheckpointCommand.self])
}

/// `kerege journal verify`: needs no broker, and disturbs none that runs.
struct JournalVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Recompute a journal from its records: leaves, tree, roots, chain, kept bodies, signatures.",
        discussion: """
            EXAMPLES
              kerege journal verify --data ./data
              kerege journal verify ./data --json | jq .findings
              kerege journal verify ./data --authority authority.pub --checkpoint seen.checkpoint
              kerege journal verify ./data --receipt 6134:9f86d081…

            Verifies signatures on all processors. Changes nothing in the folder. A tail that was cut off whole, or a past that was written anew, shows only
            against a checkpoint that you kept (kerege journal checkpoint) or a receipt: size and root of the log as an earlier run, or an agent's log, told them.

            The keys of senders are those that the space of their time states. That the authority signed these spaces is checked with --authority alone; get
            its public key from the authority, not from the broker's folder.

            The last line says how much was done a second: records hashed, and signatures verified, each in the time that went into it.

            Exit code 1 when something does not fit, with the position of each finding.
            """)

    static let progressEvery: Int = 50_000

    @Argument(help: "The broker's data folder. (default: ./data)")
    var folder: String?
    @Option(help: ArgumentHelp("The same, as other commands name it.", valueName: "dir"))
    var data: String?
    @Option(help: ArgumentHelp("What the log is known to have been.", valueName: "size:root"))
    var receipt: JournalVerifier.Receipt?
    @Option(help: ArgumentHelp("A checkpoint of the log that was kept: the log must go on from it.", valueName: "file"))
    var checkpoint: String?
    @Option(
        help: ArgumentHelp(
            "Public key of the space's authority, which must have signed every space.", valueName: "file"))
    var authority: String?
    @Option(help: ArgumentHelp("Public key of the broker's log, where the space does not state it.", valueName: "file"))
    var log: String?
    @OptionGroup var output: JSONOption

    fileprivate struct Page: Encodable {
        var sound: Bool
        var batches: Int
        var records: Int
        var messages: Int
        var bodies: Int
        var bodiesGone: Int
        var bodiesErased: Int
        var signatures: Int
        var signaturesUncheckable: Int
        var signedRoots: Int
        var spaces: Int
        var spacesSigned: Int
        /// Whether anybody looked: without the authority's key `spacesSigned` says nothing.
        var authorityGiven: Bool
        var readSeconds: Double
        var hashSeconds: Double
        var signatureSeconds: Double
        var hashesPerSecond: Int
        var signaturesPerSecond: Int
        /// Messages whose path and signature were checked, a second of the same time.
        var provenPerSecond: Int
        var treeSize: UInt64
        var root: String
        var findings: [JournalVerifier.Finding]
    }

    mutating func run() async throws {
        let folder = try place()
        let known = try checkpoint.map { try kept($0) }
        let keys = try keys(folder)
        let report: JournalVerifier.Report
        let isShown = isatty(STDERR_FILENO) == 1 && !output.json
        var shown = 0
        do throws(JournalError) {
            report = try JournalVerifier.verify(
                folder: folder, receipt: receipt, checkpoint: known, keys: keys
            ) { records in
                guard isShown, records - shown >= Self.progressEvery else { return }
                shown = records
                FileHandle.standardError.write(Data("\r\(records) records".utf8))
            }
        } catch {
            throw Failure(
                error.kind == .missing ? .wrongUse : .no, "journal", "the journal cannot be verified",
                why: error.detail,
                // The usual hint of a damaged journal is this very command.
                next: error.kind == .damaged || error.kind == .failed
                    ? "stop the broker, keep a copy of the folder, and restore a backup" : error.remedy)
        }
        if shown > 0 { Output.tell("") }
        try tell(report)
        if !report.isSound { throw ExitCode(ExitStatus.no.rawValue) }
    }

    private func kept(_ path: String) throws(Failure) -> KnownCheckpoint {
        guard let known = try CheckpointFile.read(path) else {
            throw .wrongUse(
                "there is no file \(path)", why: "it was named as the checkpoint",
                next: "name another one; a file that is lost cannot be made again")
        }
        return known
    }

    private func keys(_ folder: String) throws(Failure) -> JournalVerifier.Keys {
        var keys = JournalVerifier.Keys()
        if let authority {
            keys.authority = try PublicKeyFile.read(
                authority, of: "the authority", option: "--authority authority.pub")
        }
        if let log { keys.log = try PublicKeyFile.read(log, of: "the log", option: "--log broker.pub") }
        let signatures = folder + "/" + SpaceSignatures.fileName
        do throws(DurableFile.Problem) {
            let bytes = try DurableFile.read(signatures, limit: SpaceSignatures.fileLimit)
            keys.signatures = SpaceSignatures(file: bytes ?? [])
        } catch {
            throw .wrongUse(
                "\(signatures) cannot be read", why: "\(error)",
                next: "run this as the user of the broker, or on a copy")
        }
        return keys
    }

    private func place() throws(Failure) -> String {
        guard let folder, let data, folder != data else { return self.folder ?? self.data ?? "./data" }
        throw .wrongUse(
            "two folders are named", why: "\(folder), and \(data) with --data",
            next: "kerege journal verify \(ShellText.command(["--data", data]))")
    }

    private func tell(_ report: JournalVerifier.Report) throws {
        guard !output.json else { return try Output.print(json: Page(report)) }
        Output.write(lines: JournalView(report: report).lines())
        if report.findings.count >= JournalVerifier.maximumFindings { Output.tell("there may be more findings") }
    }
}

extension JournalVerifyCommand.Page {
    fileprivate init(_ report: JournalVerifier.Report) {
        let times = report.times
        self.init(
            sound: report.isSound, batches: report.batches, records: report.records, messages: report.messages,
            bodies: report.bodies, bodiesGone: report.bodiesGone, bodiesErased: report.bodiesErased,
            signatures: report.signatures,
            signaturesUncheckable: report.signaturesUncheckable, signedRoots: report.signedRoots,
            spaces: report.spaces, spacesSigned: report.spacesSigned, authorityGiven: report.knowsAuthority,
            readSeconds: times.reading / .seconds(1), hashSeconds: times.hashing / .seconds(1),
            signatureSeconds: times.signing / .seconds(1), hashesPerSecond: report.hashesPerSecond,
            signaturesPerSecond: report.signaturesPerSecond, provenPerSecond: report.provenPerSecond,
            treeSize: report.treeSize, root: report.root,
            findings: report.findings)
    }
}

extension JournalVerifier.Report {
    fileprivate var hashesPerSecond: Int { VerifierTimes.rate(records, in: times.hashing) }
    fileprivate var signaturesPerSecond: Int { VerifierTimes.rate(signedRoots, in: times.signing) }
    fileprivate var provenPerSecond: Int { VerifierTimes.rate(signatures, in: times.signing) }
}

/// What a verification found, what it looked at, and how quickly.
struct JournalView {
    let report: JournalVerifier.Report

    /// Bodies that are gone though no record says so.
    private var lost: Int { report.bodiesGone - report.bodiesErased }

    func lines() -> [String] {
        var lines = report.findings.map { $0.position == 0 ? $0.what : "position \($0.position): \($0.what)" }
        lines.append(summary)
        lines.append("root \(report.root)")
        lines.append(contentsOf: spaces)
        lines.append(rates)
        return lines
    }

    private var summary: String {
        "\(report.isSound ? "sound" : "NOT sound"): \(report.records) records in \(report.batches) batches, "
            + "\(report.messages) messages, \(report.bodies) kept bodies"
            + (report.bodiesErased > 0 ? ", \(report.bodiesErased) bodies erased" : "")
            + (lost > 0 ? ", \(lost) bodies lost" : "")
            + ", \(report.signatures) messages proven by \(report.signedRoots) signatures"
            + (report.signaturesUncheckable > 0 ? ", \(report.signaturesUncheckable) of keys no space states" : "")
    }

    private var rates: String {
        "\(Self.grouped(report.records)) records: hashes \(Self.grouped(report.hashesPerSecond))/s · "
            + "signatures \(Self.grouped(report.signedRoots)): \(Self.grouped(report.signaturesPerSecond))/s, "
            + "of messages \(Self.grouped(report.signatures)): \(Self.grouped(report.provenPerSecond))/s · "
            + "\(Self.seconds(report.times.whole)), reading \(Self.seconds(report.times.reading)) of it"
    }

    /// What is known of the spaces that said whose the keys are.
    private var spaces: [String] {
        guard report.spaces > 0 else { return [] }
        let count = "\(report.spaces) \(report.spaces == 1 ? "space" : "spaces")"
        return [
            report.knowsAuthority
                ? "\(count), \(report.spacesSigned) of them signed by the authority"
                : "\(count): whether the authority signed them was not checked; add --authority authority.pub"
        ]
    }

    private static func seconds(_ time: Duration) -> String { String(format: "%.1f s", time / .seconds(1)) }

    /// 1,234,567
    static func grouped(_ number: Int) -> String {
        let digits = Array(String(number))
        return String(
            digits.indices.flatMap { index in
                index > 0 && (digits.count - index) % 3 == 0 ? [",", digits[index]] : [digits[index]]
            })
    }
}

extension JournalVerifier.Receipt: ExpressibleByArgument {
    /// Size and root in hexadecimal, as `kerege journal verify` prints them.
    public init?(argument: String) {
        let parts = argument.split(separator: ":")
        guard parts.count == 2, let size = UInt64(parts[0]), let root = [UInt8](hex: String(parts[1])), root.count == 32
        else { return nil }
        self.init(treeSize: size, root: root)
    }
}
