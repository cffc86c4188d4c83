import ArgumentParser
import BusEvidence
import BusProtocol
import DurableFiles
import Foundation

/// `kerege evidence verify`: needs no broker and no network.
struct EvidenceVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Verify a file of evidence from the authority's public key alone; needs no broker.",
        discussion: """
            Prints every step of docs/EVIDENCE.md, section 9, with ok or the reason. Get the authority's public key from the authority,
            not from who gave you the file.

            EXAMPLES
              kerege evidence verify case.json --authority authority.pub
              kerege evidence verify case.json --authority authority.pub --json | jq '.steps[] | select(.ok | not)'

            Exit code 1 when the evidence does not hold; 2 when the file is none of evidence, or there is no key to verify with.
            """)

    @Argument(help: "The file of evidence.")
    var file: String
    @Option(
        help: ArgumentHelp("Public key of the space's authority. (default: DATA/keys/authority.pub)", valueName: "file")
    )
    var authority: String?
    @Option(help: ArgumentHelp("Public key of the broker's log, where the space does not state it.", valueName: "file"))
    var log: String?
    @Option(help: ArgumentHelp("Folder with keys/authority.pub.", valueName: "dir"))
    var data = "./data"
    @OptionGroup var output: JSONOption

    private struct Page: Encodable {
        struct Step: Encodable {
            var step: String
            var part: String
            var ok: Bool
            var word: String
            var says: String
        }
        var file: String
        var holds: Bool
        var steps: [Step]
    }

    mutating func run() async throws {
        let authorityFile = self.authority ?? data + "/keys/authority.pub"
        let authority = try PublicKeyFile.read(authorityFile, of: "the authority", option: "--authority authority.pub")
        let log = try log.map { try PublicKeyFile.read($0, of: "the log", option: "--log broker.pub") }
        let steps = EvidenceVerifier.verify(try read(), authority: authority, log: log)
        let holds = steps.allSatisfy(\.isOK)
        if output.json {
            try Output.print(
                json: Page(
                    file: file, holds: holds,
                    steps: steps.map {
                        Page.Step(step: $0.name.rawValue, part: $0.about, ok: $0.isOK, word: $0.word, says: $0.says)
                    }))
        } else {
            Output.write(lines: EvidenceView(steps: steps, style: .standardOutput).lines())
        }
        if steps.contains(where: { $0.word == "no-log-key" }) {
            let words = ["kerege", "evidence", "verify", file, "--authority", authorityFile]
            Output.tell("next: \(ShellText.command(words + ["--log", data + "/keys/broker.pub"]))")
        }
        if !holds { throw ExitCode(ExitStatus.no.rawValue) }
    }

    private func read() throws(Failure) -> EvidenceFile {
        let bytes: [UInt8]?
        do throws(DurableFile.Problem) { bytes = try DurableFile.read(file, limit: EvidenceFile.Limit.file) } catch {
            throw .wrongUse("\(file) cannot be read", why: "\(error)", next: "name a file of evidence")
        }
        guard let bytes else {
            throw .wrongUse(
                "there is no file \(file)", why: "it was named as the evidence",
                next: "kerege evidence export ID -o \(file)")
        }
        do throws(EvidenceFileFault) { return try EvidenceFile(json: bytes) } catch {
            throw Failure(
                .wrongUse, "no-evidence", "\(file) is no file of evidence",
                why: "\(error.code.rawValue): \(error)",
                next: "ask for it again; docs/EVIDENCE.md, section 8, is the format")
        }
    }
}

extension EvidenceStep {
    /// What is known, or why not.
    var says: String {
        switch outcome {
        case .ok(let what): what
        case .failed(_, let why): why
        case .skipped(let base): "not checked, because \(base.rawValue) failed"
        }
    }
}

/// The steps of a verification, one a line, and what they come to.
struct EvidenceView {
    let steps: [EvidenceStep]
    let style: Style

    func lines() -> [String] {
        let names = steps.map { $0.about.isEmpty ? $0.name.rawValue : "\($0.name.rawValue) \($0.about)" }
        let width = names.map(\.count).max() ?? 0
        let rows = zip(steps, names).map { step, name in
            let name = name.padding(toLength: width, withPad: " ", startingAt: 0)
            return switch step.outcome {
            case .ok: "\(style.paint("ok  ", .good)) \(name)  \(step.says.plain())"
            case .failed(let word, let why): "\(style.paint("FAIL", .bad)) \(name)  \(word): \(why.plain())"
            case .skipped: "\(style.paint("-   ", .quiet)) \(name)  \(step.says.plain())"
            }
        }
        let failed = steps.count { if case .failed = $0.outcome { true } else { false } }
        return rows + [
            failed == 0
                ? style.paint("the evidence holds", .good)
                : style.paint("the evidence does NOT hold: \(failed) of \(steps.count) steps fail", .bad)
        ]
    }
}
