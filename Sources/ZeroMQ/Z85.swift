/// ZeroMQ's text form of binary keys (RFC 32/Z85): 4 bytes become 5 printable characters.
enum Z85 {
    private static let alphabet = Array(
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#".utf8)

    private static let absent: UInt8 = 0xFF

    /// Value of each character, `absent` where a character is not of the alphabet.
    private static let values: [UInt8] = {
        var table = [UInt8](repeating: absent, count: 256)
        for (value, character) in alphabet.enumerated() { table[Int(character)] = UInt8(value) }
        return table
    }()

    /// - Parameter words: the binary, as big-endian 32-bit words.
    static func text(_ words: [UInt32]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(words.count * 5)
        for word in words {
            for power: UInt32 in [52_200_625, 614_125, 7_225, 85, 1] {
                text.append(alphabet[Int(word / power % 85)])
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// - Returns: big-endian 32-bit words, or nil for foreign characters, a wrong length, or a group above 2^32 - 1.
    static func words(_ text: some Collection<UInt8>) -> [UInt32]? {
        guard text.count.isMultiple(of: 5) else { return nil }
        var words: [UInt32] = []
        var group: UInt64 = 0
        for (index, character) in text.enumerated() {
            let value = values[Int(character)]
            guard value != absent else { return nil }
            group = group * 85 + UInt64(value)
            guard index % 5 == 4 else { continue }
            guard let word = UInt32(exactly: group) else { return nil }
            words.append(word)
            group = 0
        }
        return words
    }
}
