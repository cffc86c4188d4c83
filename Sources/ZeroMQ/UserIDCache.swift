/// Turns the C strings of `User-Id` into `String`s without allocating: a bus has few users and many messages.
///
/// A fixed table; a user id whose slot holds another one replaces it, so it stays bounded whatever peers do, and a hit
/// is always compared in full, so it never gives a message to the wrong user.
@safe struct UserIDCache {
    static let slots = 1_024
    /// Longer ones are cut by nobody: they are never cached, and the ZAP handler refuses to give them out.
    static let longest = 255

    /// Made with the first user id, since most sockets never see one.
    private var known: [String?] = []

    mutating func string(_ text: UnsafePointer<CChar>) -> String {
        if known.isEmpty { known = [String?](repeating: nil, count: Self.slots) }
        let (slot, length) = unsafe Self.slot(of: text)
        if let string = known[slot], unsafe Self.isSame(string, text, length) { return string }
        let string = unsafe String(cString: text)
        if length <= Self.longest { known[slot] = string }
        return string
    }

    /// FNV-1a over the text.
    private static func slot(of text: UnsafePointer<CChar>) -> (slot: Int, length: Int) {
        var hash: UInt32 = 2_166_136_261
        var length = 0
        while unsafe text[length] != 0 {
            hash = (hash ^ UInt32(UInt8(bitPattern: unsafe text[length]))) &* 16_777_619
            length += 1
        }
        return (Int((hash ^ hash >> 16) % UInt32(slots)), length)
    }

    private static func isSame(_ string: String, _ text: UnsafePointer<CChar>, _ length: Int) -> Bool {
        unsafe string.utf8.withContiguousStorageIfAvailable { utf8 in
            utf8.count == length && (0..<length).allSatisfy { unsafe utf8[$0] == UInt8(bitPattern: text[$0]) }
        } ?? false
    }
}
