import ArgumentParser
import BusJournal
import BusProtocol
import Foundation

/// `kerege journal`
struct JournalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "journal", abstract: "Examine a journal.", subcommands: [JournalVerifyCommand.self])
}

/// `kerege journal verify`: needs no broker, and disturbs none that runs.
struct JournalVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Recompute a journal from its records: leaves, tree, roots, chain, kept bodies, signatures.",
        discussion: """
            EXAMPLES
              kerege journal verify ./data
              kerege journal verify ./data --json | jq .findings
              kerege journal verify ./data --receipt 6134:9f86d081…

            Changes nothing in the folder. A tail that was cut off whole shows only against a receipt: size and root of the
            log as an earlier run, or an agent's log, told them.

            Exit code 1 when something does not fit, with the position of each finding.
            """)

    static let progressEvery: Int = 50_000

    @Argument(help: "The broker's data folder.")
    var folder = "./data"
    @Option(help: ArgumentHelp("What the log is known to have been.", valueName: "size:root"))
    var receipt: JournalVerifier.Receipt?
    @OptionGroup var output: JSONOption

    private struct Page: Encodable {
        var sound: Bool
        var batches: Int
        var records: Int
        var messages: Int
        var bodies: Int
        var bodiesGone: Int
        var signatures: Int
        var signaturesUncheckable: Int
        var treeSize: UInt64
        var root: String
        var findings: [JournalVerifier.Finding]
    }

    mutating func run() async throws {
        let report: JournalVerifier.Report
        let isShown = isatty(STDERR_FILENO) == 1 && !output.json
        var shown = 0
        do throws(JournalError) {
            report = try JournalVerifier.verify(folder: folder, receipt: receipt) { records in
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

    private func tell(_ report: JournalVerifier.Report) throws {
        if output.json {
            return try Output.print(
                json: Page(
                    sound: report.isSound, batches: report.batches, records: report.records, messages: report.messages,
                    bodies: report.bodies, bodiesGone: report.bodiesGone, signatures: report.signatures,
                    signaturesUncheckable: report.signaturesUncheckable, treeSize: report.treeSize,
                    root: report.root, findings: report.findings))
        }
        for finding in report.findings {
            Output.write(
                finding.position == 0 ? "\(finding.what)\n" : "position \(finding.position): \(finding.what)\n")
        }
        Output.write(
            "\(report.isSound ? "sound" : "NOT sound"): \(report.records) records in \(report.batches) batches, "
                + "\(report.messages) messages, \(report.bodies) kept bodies"
                + (report.bodiesGone > 0 ? ", \(report.bodiesGone) bodies gone" : "")
                + ", \(report.signatures) signatures checked"
                + (report.signaturesUncheckable > 0 ? ", \(report.signaturesUncheckable) of keys no space states" : "")
                + "\nroot \(report.root)\n")
        if report.findings.count >= JournalVerifier.maximumFindings { Output.tell("there may be more findings") }
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
