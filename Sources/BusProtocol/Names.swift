/// The form of names on the bus. A name is ASCII, lower case, so that it compares byte by byte.
package enum Names {
    /// Longest system id, bytes.
    package static let maximumSystem = 48
    /// Longest service or event name, bytes.
    package static let maximumService = 120

    /// A system id: `individuals`, `legal-entities`; letters, digits and single inner hyphens.
    package static func isSystem(_ text: some Collection<UInt8>) -> Bool {
        text.count <= maximumSystem && isWord(text)
    }

    /// A service or event name: `system.name.vN`, N from 1 without leading zero.
    package static func isService(_ text: some BidirectionalCollection<UInt8>) -> Bool {
        guard text.count <= maximumService else { return false }
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, isSystem(parts[0]), isWord(parts[1]) else { return false }
        let version = parts[2]
        guard version.first == UInt8(ascii: "v"), (2...6).contains(version.count) else { return false }
        let digits = version.dropFirst()
        return digits.allSatisfy { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
            && digits.first != UInt8(ascii: "0")
    }

    /// The provider system of a service: what stands before the first dot.
    package static func system(of service: String) -> String {
        String(service.prefix { $0 != "." })
    }

    private static func isWord(_ text: some Collection<UInt8>) -> Bool {
        var previous = UInt8(ascii: "-")
        for byte in text {
            let letter = byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z")
            let digit = byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
            let hyphen = byte == UInt8(ascii: "-")
            guard letter || digit || (hyphen && previous != byte) else { return false }
            previous = byte
        }
        return previous != UInt8(ascii: "-")
    }
}
