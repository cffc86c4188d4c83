import BusConsole
import BusProtocol
import Foundation

/// What a command ends with; scripts depend on the numbers.
enum ExitStatus: Int32, Sendable {
    case fine = 0
    /// Verification failed, something is down, a call was refused.
    case no = 1
    case wrongUse = 2
    case unreachable = 3
}

/// Why a command failed: what happened, why, and the next command to type.
struct Failure: Error, Sendable, CustomStringConvertible {
    let exit: ExitStatus
    /// Stable name for scripts.
    let code: String
    let what: String
    let why: String
    private(set) var next: String
    /// The message it is about, where there is one.
    let message: String?
    /// What is wrong with the files of a space, one by one.
    var findings: [SpaceFinding] = []

    init(_ exit: ExitStatus, _ code: String, _ what: String, why: String, next: String, message: String? = nil) {
        self.exit = exit
        self.code = code
        // Each may quote what others have said.
        self.what = what.plain()
        self.why = why.plain()
        self.next = next.plain()
        self.message = message
    }

    /// The same, proposing a command of the caller's own words: it stays to the byte, whatever they are.
    func proposing(_ command: String) -> Failure {
        var failure = self
        failure.next = command
        return failure
    }

    static func wrongUse(_ what: String, why: String, next: String) -> Failure {
        Failure(.wrongUse, "wrong-use", what, why: why, next: next)
    }

    var description: String { "kerege: \(what)\n  why:  \(why)\n  next: \(next)" }

    private struct Body: Encodable {
        var findings: [SpaceFinding]?
        struct Words: Encodable {
            var code: String
            var number: Int32
            var what: String
            var why: String
            var next: String
            var message: String?
        }
        var error: Words
    }

    /// In words on the standard error; with `--json` as `{"error": …}` on the standard output as well.
    func tell(asJSON: Bool) {
        for finding in findings { Output.tell(finding.text.plain()) }
        Output.tell(description)
        guard asJSON else { return }
        let body = Body(
            findings: findings.isEmpty ? nil : findings,
            error: .init(
                code: code, number: exit.rawValue, what: what, why: why, next: GivenPlace.ofThisRun.completed(next),
                message: message))
        try? Output.print(json: body)
    }
}

/// The two outputs of a command.
enum Output {
    /// To people, on the standard error; what is to be typed next names the place that this run was given.
    static func tell(_ text: String) {
        FileHandle.standardError.write(Data((GivenPlace.ofThisRun.completedLines(text) + "\n").utf8))
    }

    /// One line of JSON in the style of the admin API.
    static func print(json value: some Encodable) throws { write(try AdminJSON.encode(value) + Data("\n".utf8)) }

    /// Whoever reads may be gone, or the disk behind it full: that is no reason to crash, and there is nobody to tell.
    static func write(_ data: Data) { try? FileHandle.standardOutput.write(contentsOf: data) }
    static func write(_ text: String) { write(Data(text.utf8)) }
    static func write(lines: [String]) { write(lines.map { $0 + "\n" }.joined()) }
}
