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
        let base = entry.flags & TapeEntry.decoded == 0 ? body : decoded
        return UnsafeBufferPointer(start: base + Int(entry.start), count: Int(entry.length))
    }

    /// The index after this value and everything in it.
    @inline(__always)
    func after(_ index: Int) -> Int {
        let entry = entries[index]
        return entry.kind.rawValue >= TapeKind.array.rawValue ? Int(entry.link) : index + 1
    }

    /// Unicode characters (scalar values) of a string, which is what minLength and maxLength count.
    @inline(__always)
    func characterCount(_ index: Int) -> Int {
        let entry = entries[index]
        guard entry.flags & TapeEntry.beyondASCII != 0 else { return Int(entry.length) }
        return text(index).reduce(0) { $1 & 0xC0 == 0x80 ? $0 : $0 + 1 }
    }

    func string(_ index: Int) -> String { String(decoding: text(index), as: UTF8.self) }
}

/// A growable run of plain values outside the heap of Swift objects; freed with its owner.
struct RawStack<Element: BitwiseCopyable>: ~Copyable {
    private(set) var base: UnsafeMutablePointer<Element>
    private(set) var capacity: Int
    var count = 0

    init(capacity: Int) {
        self.capacity = capacity
        base = .allocate(capacity: capacity)
    }

    deinit { base.deallocate() }

    @inline(__always)
    mutating func push(_ element: Element) {
        if count == capacity { grow(to: count + 1) }
        base[count] = element
        count += 1
    }

    mutating func reserve(_ more: Int) {
        if count + more > capacity { grow(to: count + more) }
    }

    /// Gives memory back after an unusually large text, so that one text does not hold memory for ever.
    mutating func shrink(to most: Int) {
        guard capacity > most else { return }
        base.deallocate()
        base = .allocate(capacity: most)
        capacity = most
        count = 0
    }

    private mutating func grow(to needed: Int) {
        let larger = max(needed, capacity * 2)
        let fresh = UnsafeMutablePointer<Element>.allocate(capacity: larger)
        fresh.update(from: base, count: count)
        base.deallocate()
        base = fresh
        capacity = larger
    }
}
