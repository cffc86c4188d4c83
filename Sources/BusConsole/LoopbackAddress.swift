/// An address of this machine that no other machine reaches. The admin API listens nowhere else: it has no encryption.
package struct LoopbackAddress: Sendable, Equatable {
    /// As it is bound: `127.0.0.1` for `localhost`.
    package let host: String

    /// Nil for every address that is not of the loopback interface.
    package init?(_ text: String) {
        switch text {
        case "localhost": host = "127.0.0.1"
        case "::1", "[::1]": host = "::1"
        default:
            let parts = text.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count == 4, parts[0] == "127", parts.allSatisfy({ UInt8($0) != nil }) else { return nil }
            host = text
        }
    }
}
