import ArgumentParser
import BusJournal
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
        abstract: "Recompute a journal from its records: leaves, tree, roots, chain, kept bodies.",
        discussion: """
            EXAMPLES
              kerege journal verify ./data
              kerege journal verify ./data --json | jq .findings

            Exit code 1 when something does not fit, with the position of each finding.
            """)

    static let progressEvery: Int = 50_000

    @Argument(help: "The broker's data folder.")
    var folder = "./data"
    @OptionGroup var output: JSONOption

    private struct Page: Encodable {
        var sound: Bool
        var batches: Int
        var records: Int
        var messages: Int
        var bodies: Int
        var treeSize: UInt64
        var root: String
        var findings: [JournalVerifier.Finding]
    }

    mutating func run() async throws {
        let report: JournalVerifier.Report
        let isShown = isatty(STDERR_FILENO) == 1 && !output.json
        var shown = 0
        do throws(JournalError) {
            report = try JournalVerifier.verify(folder: folder) { records in
                guard isShown, records - shown >= Self.progressEvery else { return }
                shown = records
                FileHandle.standardError.write(Data("\r\(records) records".utf8))
            }
        } catch {
            throw Failure(
                error.kind == .missing ? .wrongUse : .no, "journal", "the journal cannot be verified",
                why: error.detail,
                next: error.remedy)
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
                    bodies: report.bodies, treeSize: report.treeSize, root: report.root, findings: report.findings))
        }
        for finding in report.findings { Output.write("position \(finding.position): \(finding.what)\n") }
        Output.write(
            "\(report.isSound ? "sound" : "NOT sound"): \(report.records) records in \(report.batches) batches, "
                + "\(report.messages) messages, \(report.bodies) kept bodies\nroot \(report.root)\n")
        if report.findings.count >= JournalVerifier.maximumFindings { Output.tell("there may be more findings") }
    }
}
