import Hummingbird

/// A refusal of the admin API. Its body is `{"error": {"code", "number", "what", "why", "next"}}`, with more members beside
/// `error` where a route says so.
package struct AdminError: Error, Sendable, Codable, Equatable {
    package struct Words: Sendable, Codable, Equatable {
        /// Stable name for scripts.
        package var code: String
        /// The HTTP status.
        package var number: Int
        package var what: String
        package var why: String
        /// What to do, the next command where there is one.
        package var next: String
    }

    package var error: Words
    /// Of a space that is broken.
    package var findings: [SpaceFinding]?
    /// Of an id that several messages have: all of them.
    package var messages: [TracePage.Step]?
    /// Of an unknown route: every route there is.
    package var routes: [String]?

    init(_ number: Int, _ code: String, _ what: String, why: String, next: String) {
        error = Words(code: code, number: number, what: what, why: why, next: next)
    }

    static func badRequest(_ what: String, why: String, next: String) -> AdminError {
        AdminError(400, "bad-request", what, why: why, next: next)
    }

    var response: Response { AdminJSON.response(self, status: HTTPResponse.Status(code: error.number)) }
}
