import ArgumentParser
import Foundation

/// Which message is meant: its id, and its record where several messages have that id.
struct NamedMessageOptions: ParsableArguments {
    @Argument(help: "The message's id; kerege call, send and publish print it.")
    var id: String
    @OptionGroup var record: RecordOption

    /// Of the admin API, with what is asked about the message.
    func path(_ part: String = "") throws(Failure) -> String {
        guard UUID(uuidString: id) != nil else {
            throw .wrongUse(
                "`\(id)` is no message id", why: "an id is a UUID of 36 characters",
                next: "copy it from the output of kerege call")
        }
        return "/v1/messages/\(id.lowercased())\(part)" + (record.position.map { "?position=\($0)" } ?? "")
    }
}

/// `--position`
struct RecordOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Its record in the journal, where several messages have this id: ids are each system's own.",
            valueName: "record"))
    var position: UInt64?
}
