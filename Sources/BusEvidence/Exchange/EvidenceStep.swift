/// One thing that was checked of a file of evidence, and what came of it.
package struct EvidenceStep: Sendable, Equatable {
    package enum Name: String, Sendable, CaseIterable {
        case space
        case logKey = "log-key"
        case checkpoint
        case spaceInLog = "space-in-log"
        case header
        case body
        case signature
        case inLog = "in-log"
        case exchange
        case binding
        case receipt
    }

    package enum Outcome: Sendable, Equatable {
        /// What is known now.
        case ok(String)
        /// A stable word, and what happened and what to do.
        case failed(String, String)
        /// Not checked, because this step failed.
        case skipped(Name)
    }

    package let name: Name
    /// The part of the file: `messages/0`; empty for the whole.
    package let about: String
    package let outcome: Outcome

    package var isOK: Bool { if case .ok = outcome { true } else { false } }

    /// `ok`, the word of what failed, or `skipped`.
    package var word: String {
        switch outcome {
        case .ok: "ok"
        case .failed(let code, _): code
        case .skipped: "skipped"
        }
    }
}

/// A step that fails.
struct StepFault: Error {
    let code: String
    let detail: String

    init(_ code: String, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    init(_ fault: ProofFault) { self.init(fault.code, fault.description) }
    init(_ fault: NoteFault) { self.init(fault.code, fault.description) }
    init(_ fault: LogFault) { self.init(fault.code, fault.description) }
}
