import ArgumentParser
import BusAgent

/// Why and for whom a call is made; it stands in the header, in clear.
struct ContextOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Why it is asked. (default: what the integration states in the space)", valueName: "text"))
    var purpose: String?
    @Option(
        help: ArgumentHelp(
            "A pseudonym of the official on whose behalf it is asked; never an IIN or BIN.", valueName: "pseudonym"))
    var user: String?

    var context: CallContext { CallContext(purpose: purpose ?? "", user: user ?? "") }

    /// What was given, as words of a command line.
    var words: [String] {
        (purpose.map { ["--purpose", $0] } ?? []) + (user.map { ["--user", $0] } ?? [])
    }
}
