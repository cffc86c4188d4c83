/// The text of a JSON number read as ±d₁…dₙ × 10^exponent without leading or trailing zero digits, so that numbers
/// compare as numbers: 1.0 = 1 = 10e-1, and 1e400 is larger than any Double. It points into the text and owns nothing.
struct ExactDecimal {
    private let text: UnsafeBufferPointer<UInt8>
    /// Offset of the first significant digit.
    private let first: Int
    let isNegative: Bool
    /// Significant digits; 0 for zero.
    let digitCount: Int
    /// The power of ten the last significant digit stands for.
    let exponent: Int

    /// Takes the text of a valid JSON number.
    init(_ text: UnsafeBufferPointer<UInt8>) {
        self.text = text
        isNegative = text.first == Byte.minus
        var digitIndex = 0
        var digitsBeforePoint = -1
        var firstSignificant: (offset: Int, digit: Int)?
        var lastSignificant = 0
        var offset = isNegative ? 1 : 0
        while offset < text.count, !text[offset].isExponentMark {
            if text[offset] == Byte.point {
                digitsBeforePoint = digitIndex
            } else {
                if text[offset] != Byte.zero {
                    if firstSignificant == nil { firstSignificant = (offset, digitIndex) }
                    lastSignificant = digitIndex
                }
                digitIndex += 1
            }
            offset += 1
        }
        if digitsBeforePoint < 0 { digitsBeforePoint = digitIndex }
        guard let firstSignificant else {
            (first, digitCount, exponent) = (0, 0, 0)
            return
        }
        first = firstSignificant.offset
        digitCount = lastSignificant - firstSignificant.digit + 1
        exponent = digitsBeforePoint - 1 - lastSignificant + Self.writtenExponent(text, from: offset)
    }

    /// The exponent after the mark at `offset`, 0 when there is none. The scanner has bounded it.
    private static func writtenExponent(_ text: UnsafeBufferPointer<UInt8>, from offset: Int) -> Int {
        guard offset < text.count else { return 0 }
        var value = 0
        for byte in text[(offset + 1)...] where byte.isDigit {
            value = min(value * 10 + Int(byte - Byte.zero), 1 << 40)
        }
        return text[offset + 1] == Byte.minus ? -value : value
    }

    var isZero: Bool { digitCount == 0 }
    var isInteger: Bool { exponent >= 0 }

    /// Calls `body` with each significant digit, most significant first, until it returns false.
    @inline(__always)
    private func forEachDigit(_ body: (UInt8) -> Bool) {
        var (offset, left) = (first, digitCount)
        while left > 0 {
            if text[offset] != Byte.point {
                guard body(text[offset] - Byte.zero) else { return }
                left -= 1
            }
            offset += 1
        }
    }

    var digits: [UInt8] {
        var all: [UInt8] = []
        all.reserveCapacity(digitCount)
        forEachDigit {
            all.append($0)
            return true
        }
        return all
    }

    /// −1, 0 or 1 as `left` is less than, equal to or greater than `right`.
    static func compare(_ left: ExactDecimal, _ right: ExactDecimal) -> Int {
        if left.isZero || right.isZero {
            return (left.isZero ? 0 : left.isNegative ? -1 : 1) - (right.isZero ? 0 : right.isNegative ? -1 : 1)
        }
        if left.isNegative != right.isNegative { return left.isNegative ? -1 : 1 }
        let magnitude = compareMagnitude(left, right)
        return left.isNegative ? -magnitude : magnitude
    }

    private static func compareMagnitude(_ left: ExactDecimal, _ right: ExactDecimal) -> Int {
        let (leftTop, rightTop) = (left.exponent + left.digitCount, right.exponent + right.digitCount)
        if leftTop != rightTop { return leftTop < rightTop ? -1 : 1 }
        var (a, b) = (left.first, right.first)
        var remaining = min(left.digitCount, right.digitCount)
        while remaining > 0 {
            if left.text[a] == Byte.point { a += 1 }
            if right.text[b] == Byte.point { b += 1 }
            if left.text[a] != right.text[b] { return left.text[a] < right.text[b] ? -1 : 1 }
            (a, b, remaining) = (a + 1, b + 1, remaining - 1)
        }
        return (left.digitCount - right.digitCount).signum()
    }

    /// Whether this number is a whole multiple of `divisor` × 10^`divisorExponent`; the divisor is at least 1.
    func isMultiple(of divisor: UInt64, exponent divisorExponent: Int) -> Bool {
        if isZero { return true }
        let shift = exponent - divisorExponent
        // A negative shift would ask for a factor of ten in digits that end in no zero.
        guard shift >= 0 else { return false }
        var remainder: UInt64 = 0
        forEachDigit {
            remainder = Self.multiplied(remainder, by: 10, plus: UInt64($0), modulo: divisor)
            return true
        }
        return Self.multiplied(remainder, by: Self.powerOfTen(shift, modulo: divisor), plus: 0, modulo: divisor) == 0
    }

    private static func multiplied(_ a: UInt64, by b: UInt64, plus c: UInt64, modulo m: UInt64) -> UInt64 {
        let product = UInt128(a) * UInt128(b) + UInt128(c)
        return UInt64(truncatingIfNeeded: product % UInt128(m))
    }

    private static func powerOfTen(_ exponent: Int, modulo m: UInt64) -> UInt64 {
        var (result, base, left) = (1 % m, 10 % m, exponent)
        while left > 0 {
            if left & 1 == 1 { result = multiplied(result, by: base, plus: 0, modulo: m) }
            base = multiplied(base, by: base, plus: 0, modulo: m)
            left >>= 1
        }
        return result
    }

    /// Equal numbers have equal hashes however they are written.
    var hash: UInt64 {
        if isZero { return 1 }
        var hash = NameHash.seed ^ UInt64(bitPattern: Int64(exponent)) ^ (isNegative ? 1 << 63 : 0)
        forEachDigit {
            hash = NameHash.fold(hash ^ UInt64($0), 0x9E37_79B9_7F4A_7C15)
            return true
        }
        return hash
    }
}
