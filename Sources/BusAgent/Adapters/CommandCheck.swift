package import BusContracts

/// A look at other systems before a command is carried out: what a statement over one's own register cannot do. An agent's file
/// names it under `before`.
///
/// It runs outside the transaction, and again when the command comes again before it was carried out, so it must change nothing.
package struct CommandCheck: Sendable {
    package struct Question: Sendable {
        package let id: String
        package let consumer: String
        /// 1 for the first delivery.
        package let attempt: Int
        package let body: JSONValue
        /// Unix milliseconds.
        package let now: Int64

        package init(id: String, consumer: String, attempt: Int, body: JSONValue, now: Int64) {
            self.id = id
            self.consumer = consumer
            self.attempt = attempt
            self.body = body
            self.now = now
        }
    }

    package enum Verdict: Sendable, Equatable {
        /// Goes on; the members are parameters of the command's statements beside those of the body.
        case proceed(with: [JSONMember])
        /// The command ends with 4093 and this reason.
        case refuse(String)
    }

    package typealias Ask = @Sendable (_ service: String, _ body: [UInt8]) async throws -> [UInt8]
    package typealias Run = @Sendable (Question, Ask) async throws -> Verdict

    package let run: Run
    /// - Parameter run: throws when it cannot tell now; the command is then delivered again later.
    package init(_ run: @escaping Run) { self.run = run }
}
