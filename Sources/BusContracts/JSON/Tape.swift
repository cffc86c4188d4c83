/// The form a checked text takes: one fixed-size entry per value in document order, names of members included.
///
///     {"a":[1,"x"]}   →   object(members 1, end 5) · name "a" · array(elements 2, end 5) · number 1 · string "x"
///
/// An entry refers to bytes of the text, so nothing is copied but strings with escapes, which are decoded once beside
/// it.
enum TapeKind: UInt8, BitwiseCopyable {
    case null, no, yes, number, string, array, object
}

struct TapeEntry: BitwiseCopyable {
    /// The text is in the decoded bytes, not in the body.
    static let decoded: UInt8 = 1
    /// A string with bytes beyond ASCII: its length in characters has to be counted.
    static let beyondASCII: UInt8 = 2
    /// A number written as an integer of at most 18 digits: fits Int64.
    static let plainInteger: UInt8 = 4

    var kind: TapeKind
    var flags: UInt8
    /// Offset of the text of a string (inside the quotes) or number; of the bracket for containers.
    var start: UInt32
    /// Bytes of the text; for an array its elements, for an object its members.
    var length: UInt32
    /// Containers: the index after their last descendant. Names and strings: 32 bits of the hash, names only.
    var link: UInt32
}

/// A finished tape with the bytes it refers to. Valid only while the scratch that holds it is.
struct TapeView: BitwiseCopyable {
    let entries: UnsafePointer<TapeEntry>
    let body: UnsafePointer<UInt8>
    let decoded: UnsafePointer<UInt8>

    @inline(__always)
    func text(_ index: Int) -> UnsafeBufferPointer<UInt8> {
        let entry = entries[index]
        return UnsafeBufferPointer(start: start(of: entry), count: Int(entry.length))
    }

    /// Where the text of an entry begins.
    @inline(__always)
    func start(of entry: TapeEntry) -> UnsafePointer<UInt8> {
        (entry.flags & TapeEntry.decoded == 0 ? body : decoded) + Int(entry.start)
    }

    /// The index after this value and everything in it.
    @inline(__always)
    func after(_ index: Int) -> Int {
        let entry = entries[index]
        return entry.kind.rawValue >= TapeKind.array.rawValue ? Int(entry.link) : index &+ 1
    }

    /// Unicode characters (scalar values) of a string, which is what minLength and maxLength count.
    @inline(__always)
    func characterCount(_ index: Int) -> Int {
        let entry = entries[index]
        guard entry.flags & TapeEntry.beyondASCII != 0 else { return Int(entry.length) }
        return EightBytes.characterCount(of: text(index))
    }

    func string(_ index: Int) -> String { String(decoding: text(index), as: UTF8.self) }
}
