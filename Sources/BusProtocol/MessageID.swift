/// The name of one message: a UUID of version 7 (RFC 9562), so ids sort by the sender's clock
/// and are unique without coordination between brokers or agents.
@usableFromInline
package struct MessageID: Hashable, Sendable, Comparable, CustomStringConvertible {
    @usableFromInline package let value: UInt128

    @inlinable
    package init(value: UInt128) { self.value = value }

    /// "No id": an optional id field that is absent reads as this.
    @inlinable package static var none: MessageID { MessageID(value: 0) }

    @inlinable
    package static func == (a: MessageID, b: MessageID) -> Bool { a.value == b.value }

    @inlinable
    package static func < (a: MessageID, b: MessageID) -> Bool { a.value < b.value }

    @inlinable
    package func hash(into hasher: inout Hasher) { hasher.combine(value) }

    /// The sender's clock when the id was made, Unix milliseconds (48 bits).
    @inlinable package var unixMilliseconds: Int64 { Int64(truncatingIfNeeded: value >> 80) }

    package var isVersion7: Bool { (value >> 76) & 0xf == 7 && (value >> 62) & 0b11 == 0b10 }

    /// The usual text form: 36 characters, lower case, four hyphens.
    @usableFromInline package var description: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(unsafeUninitializedCapacity: 36) { buffer in
            var at = 0
            for nibble in 0..<32 {
                if nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20 {
                    buffer[at] = UInt8(ascii: "-")
                    at += 1
                }
                buffer[at] = digits[Int(truncatingIfNeeded: (value >> (124 - 4 * UInt128(nibble))) & 0xf)]
                at += 1
            }
            return at
        }
    }

    /// Reads the text form; hyphens only in the four usual places. `nil` when it is anything else.
    package init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard bytes.count == 36 else { return nil }
        var value: UInt128 = 0
        for (index, byte) in bytes.enumerated() {
            if index == 8 || index == 13 || index == 18 || index == 23 {
                guard byte == UInt8(ascii: "-") else { return nil }
                continue
            }
            guard let digit = [UInt8].value(ofDigit: byte) else { return nil }
            value = value << 4 | UInt128(digit)
        }
        self.value = value
    }
}

/// Makes ids in strictly rising order, also when the clock stands still or steps back.
///
/// RFC 9562 section 6.2, method 2: the random part counts up within a millisecond. Time and randomness
/// are passed in, so a simulator can drive it.
package struct MessageIDSource: Sendable {
    // Before every clock, so that the first id draws its random part also at time 0 of a virtual clock.
    private var lastMilliseconds: Int64 = -1
    private var tail: UInt128 = 0
    private var random: any RandomNumberGenerator & Sendable
    /// Random bits of which the last steps took some: four steps ask the kernel once.
    private var bits: UInt64 = 0
    private var bitsLeft = 0

    package init(random: any RandomNumberGenerator & Sendable = BulkRandom()) { self.random = random }

    private static let tailBits: UInt128 = 74

    package mutating func next(unixMilliseconds clock: Int64) -> MessageID {
        let now = max(0, clock)
        if now > lastMilliseconds {
            lastMilliseconds = now
            // The top bit stays clear, so that 2^73 ids fit behind any start.
            tail = (UInt128(random.next()) << 64 | UInt128(random.next())) >> (128 - Self.tailBits + 1)
        } else {
            tail += UInt128(1 + nextBits())
        }
        let high = UInt128(UInt64(lastMilliseconds) & 0xffff_ffff_ffff) << 80
        let randA = (tail >> 62) & 0xfff
        let randB = tail & (1 << 62 - 1)
        return MessageID(value: high | UInt128(7) << 76 | randA << 64 | UInt128(0b10) << 62 | randB)
    }

    /// 16 bits.
    private mutating func nextBits() -> UInt64 {
        if bitsLeft == 0 { (bits, bitsLeft) = (random.next(), 4) }
        defer { (bits, bitsLeft) = (bits >> 16, bitsLeft - 1) }
        return bits & 0xffff
    }
}
