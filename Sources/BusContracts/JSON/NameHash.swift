/// The hash of member names. It is seeded once per process, so that nobody outside can prepare names that collide.
///
/// A name is read as words of eight bytes, the last filled up with zeros: what the scanner has in a register anyway
/// when it looks for the end of a name.
struct NameHash: BitwiseCopyable {
    static let seed = UInt64.random(in: .min ... .max)
    private static let odd: UInt64 = 0x9E37_79B9_7F4A_7C15

    private var state: UInt64

    @inline(__always)
    init(seed: UInt64) { state = seed }

    /// Takes in eight bytes of a name that has more.
    @inline(__always)
    mutating func add(_ word: EightBytes) { state = Self.fold(state ^ word.bits, Self.odd) }

    /// Takes in the last bytes, fewer than eight and zeros; `count` is that of the whole name.
    @inline(__always)
    func finished(_ tail: EightBytes, count: Int) -> UInt64 {
        Self.fold(state ^ tail.bits, (state &+ UInt64(truncatingIfNeeded: count)) | 1)
    }

    @inline(__always)
    static func of(_ text: UnsafeBufferPointer<UInt8>, seed: UInt64) -> UInt64 {
        var hash = NameHash(seed: seed)
        guard let base = text.baseAddress else { return hash.finished(.zeros, count: 0) }
        var offset = 0
        while offset <= text.count &- EightBytes.width {
            hash.add(EightBytes(at: base + offset))
            offset = offset &+ EightBytes.width
        }
        return hash.finished(EightBytes(first: text.count &- offset, at: base + offset), count: text.count)
    }

    static func of(_ bytes: [UInt8]) -> UInt64 {
        bytes.withUnsafeBufferPointer { of($0, seed: seed) }
    }

    @inline(__always)
    static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }
}
