/// Eight bytes of a text in one register, the first in the lowest bits, so that one instruction looks at all of them.
struct EightBytes: BitwiseCopyable {
    static let width = 8
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let tops: UInt64 = 0x8080_8080_8080_8080

    static let zeros = EightBytes(bits: 0)

    let bits: UInt64

    /// Whole words only: at least eight bytes follow `start`.
    @inline(__always)
    init(at start: UnsafePointer<UInt8>) {
        bits = UInt64(littleEndian: UnsafeRawPointer(start).loadUnaligned(as: UInt64.self))
    }

    /// The first `count` bytes after `start`, fewer than eight, and zeros.
    @inline(__always)
    init(first count: Int, at start: UnsafePointer<UInt8>) {
        let raw = UnsafeRawPointer(start)
        if count >= 4 {
            // Two halves that overlap: no loop, and nothing beyond the bytes is read.
            let low = UInt64(UInt32(littleEndian: raw.loadUnaligned(as: UInt32.self)))
            let high = UInt64(UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self)))
            bits = low | high &<< UInt64(truncatingIfNeeded: (count &- 4) &* 8)
        } else {
            var bits: UInt64 = 0
            if count > 0 { bits = UInt64(start[0]) }
            if count > 1 { bits |= UInt64(start[1]) &<< 8 }
            if count > 2 { bits |= UInt64(start[2]) &<< 16 }
            self.bits = bits
        }
    }

    @inline(__always)
    private init(bits: UInt64) { self.bits = bits }

    /// The top bit of each byte that ends a plain run of a JSON string: quote, backslash, control, beyond ASCII. Right
    /// up to the lowest bit that is set, above which borrows may have set more.
    @inline(__always)
    var endsOfPlainRun: UInt64 {
        // Less one borrows only from zero, or leaves a top bit that counts as beyond ASCII anyway.
        let quotes = (bits ^ Self.ones &* UInt64(Byte.quote)) &- Self.ones
        let backslashes = (bits ^ Self.ones &* UInt64(Byte.backslash)) &- Self.ones
        let controls = bits &- Self.ones &* UInt64(Byte.space)
        return (bits | quotes | backslashes | controls) & Self.tops
    }

    /// The offset of the lowest byte in a mask of top bits.
    @inline(__always)
    static func offset(of mask: UInt64) -> Int { mask.trailingZeroBitCount &>> 3 }

    @inline(__always)
    func byte(at offset: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: bits &>> UInt64(truncatingIfNeeded: offset &* 8))
    }

    /// These bytes up to `offset`, fewer than eight, and zeros.
    @inline(__always)
    func first(_ offset: Int) -> EightBytes {
        EightBytes(bits: bits & ((1 &<< UInt64(truncatingIfNeeded: offset &* 8)) &- 1))
    }

    /// A run of plain ASCII mixed with characters of two bytes, as Cyrillic ones are, read eight bytes at a time
    /// wherever characters begin and end.
    struct MixedRun {
        /// The top bit of each byte that ends the run: quote, backslash, control. Right up to the lowest.
        let ends: UInt64
        /// Whether there is something else before the end: another character, or half of one.
        let isBroken: Bool
        /// The lowest top bit, if the last character continues in the next word.
        let continues: UInt64

        /// `continues` is that of the word before.
        @inline(__always)
        init(_ word: EightBytes, after continued: UInt64) {
            let bits = word.bits
            ends = word.endsOfPlainRun & ~bits
            let leads = bits & (bits &<< 1) & tops
            // Of three bytes or more, or C0 and C1, whose characters would fit one byte.
            let others = leads & (bits &<< 2 | ~(bits &<< 3 | bits &<< 4 | bits &<< 5 | bits &<< 6))
            let continuations = bits & ~(bits &<< 1) & tops
            let halves = (leads &<< 8 | continued) ^ continuations
            // The bits up to the lowest of `ends`, or all.
            isBroken = (others | halves) & (ends ^ (ends &- 1)) != 0
            continues = leads &>> 56
        }
    }

    /// Bytes that begin a character: all but 10xxxxxx.
    @inline(__always)
    private var characterCount: Int {
        let continuing = bits & (~bits &<< 1) & Self.tops
        return Self.width &- continuing.nonzeroBitCount
    }

    /// Unicode characters of valid UTF-8.
    static func characterCount(of text: UnsafeBufferPointer<UInt8>) -> Int {
        guard let base = text.baseAddress else { return 0 }
        var (count, offset) = (0, 0)
        while offset <= text.count &- width {
            count = count &+ EightBytes(at: base + offset).characterCount
            offset = offset &+ width
        }
        let left = text.count &- offset
        // The zeros after the last bytes count as characters.
        return count &+ EightBytes(first: left, at: base + offset).characterCount &- (width &- left)
    }

    /// Whether two runs of bytes are equal.
    @inline(__always)
    static func areEqual(_ left: UnsafePointer<UInt8>, _ right: UnsafePointer<UInt8>, count: Int) -> Bool {
        if count < width {
            return EightBytes(first: count, at: left).bits == EightBytes(first: count, at: right).bits
        }
        // The last word overlaps the one before it.
        let last = count &- width
        var offset = 0
        while offset < last {
            if EightBytes(at: left + offset).bits != EightBytes(at: right + offset).bits { return false }
            offset = offset &+ width
        }
        return EightBytes(at: left + last).bits == EightBytes(at: right + last).bits
    }
}

/// Whether two runs of bytes are equal.
@inline(__always)
func sameBytes(_ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>) -> Bool {
    guard left.count == right.count else { return false }
    guard let a = left.baseAddress, let b = right.baseAddress else { return true }
    return EightBytes.areEqual(a, b, count: left.count)
}
