import ArgumentParser

/// `kerege evidence`
struct EvidenceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evidence",
        abstract: "Proofs of single exchanges, for somebody who trusts neither broker nor operator.",
        subcommands: [EvidenceExportCommand.self, EvidenceVerifyCommand.self])
}
