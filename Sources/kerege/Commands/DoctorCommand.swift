import ArgumentParser
import BusConsole

/// `kerege doctor`
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Examine this machine's part of the bus; every complaint names the command that mends it.",
        discussion: """
            Nothing is changed but DATA/seen.checkpoint: the broker's log as it was seen, to which the next run holds it.

            EXAMPLES
              kerege doctor
              kerege doctor --json | jq '.checks[] | select(.ok | not)'

            Writes one file: DATA/seen.checkpoint, the log's checkpoint as it was seen last, to which the next run holds the broker.

            Exit code 1 when something is bad.
            """)

    @OptionGroup var admin: AdminOptions
    @Option(help: ArgumentHelp("Folder of the contracts.", valueName: "dir"))
    var contracts = "Schemas/contracts"

    private struct Page: Encodable {
        var ok: Bool
        var checks: [Check]
    }

    mutating func run() async throws {
        let checks = Examination(data: admin.data, http: admin.http, contracts: contracts).run().map { check in
            var check = check
            check.mend = check.mend.map(GivenPlace.ofThisRun.completed)
            return check
        }
        let isWell = checks.allSatisfy(\.ok)
        if admin.json { try Output.print(json: Page(ok: isWell, checks: checks)) } else { tell(checks) }
        if !isWell { throw ExitCode(ExitStatus.no.rawValue) }
    }

    private func tell(_ checks: [Check]) {
        let style = Style.standardOutput
        for check in checks {
            let mark = style.paint(check.ok ? "ok " : "bad", check.ok ? .good : .bad)
            Output.write("\(mark)  \(style.fit("\(check.name): \(check.found)", indent: 5))\n")
            // Never cut: it is there to be copied.
            if let mend = check.mend { Output.write("     mend: \(mend)\n") }
        }
    }
}
