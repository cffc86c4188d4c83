/// Why the admin API cannot start: what happened, and what to do.
package struct ConsoleError: Error, Sendable, CustomStringConvertible {
    package let description: String
    package init(_ what: String, remedy: String) { description = "\(what) — \(remedy)" }
}
