/// Ranges of bytes, one per byte of an encoding: every character of one class as paths of an automaton over bytes.
enum UTF8Ranges {
    /// The byte sequences that encode exactly the scalar values of `range`; surrogates are left out.
    static func sequences(for range: ClosedRange<UInt32>) -> [[ClosedRange<UInt8>]] {
        var result: [[ClosedRange<UInt8>]] = []
        // Encodings change length at these values; surrogates have none.
        let bands: [ClosedRange<UInt32>] = [
            0...0x7F, 0x80...0x7FF, 0x800...0xD7FF, 0xE000...0xFFFF, 0x10000...CharacterClass.lastScalar,
        ]
        for band in bands where band.overlaps(range) {
            split(band.clamped(to: range), into: &result)
        }
        return result
    }

    /// Splits until all continuation bytes of a piece range freely, so that one sequence of ranges describes it.
    private static func split(_ range: ClosedRange<UInt32>, into result: inout [[ClosedRange<UInt8>]]) {
        let length = range.lowerBound < 0x80 ? 1 : range.lowerBound < 0x800 ? 2 : range.lowerBound < 0x10000 ? 3 : 4
        for continuation in 1..<max(length, 2) where length > 1 {
            let mask = UInt32(1) << (6 * UInt32(continuation)) - 1
            guard range.lowerBound & ~mask != range.upperBound & ~mask else { continue }
            if range.lowerBound & mask != 0 {
                split(range.lowerBound...(range.lowerBound | mask), into: &result)
                split((range.lowerBound | mask) + 1...range.upperBound, into: &result)
                return
            }
            if range.upperBound & mask != mask {
                split(range.lowerBound...(range.upperBound & ~mask) - 1, into: &result)
                split((range.upperBound & ~mask)...range.upperBound, into: &result)
                return
            }
        }
        let (low, high) = (encode(range.lowerBound, length), encode(range.upperBound, length))
        result.append(zip(low, high).map { $0...$1 })
    }

    private static func encode(_ value: UInt32, _ length: Int) -> [UInt8] {
        func continuation(_ shift: UInt32) -> UInt8 { UInt8(value >> shift & 0x3F) | 0x80 }
        return switch length {
        case 1: [UInt8(value)]
        case 2: [UInt8(value >> 6) | 0xC0, continuation(0)]
        case 3: [UInt8(value >> 12) | 0xE0, continuation(6), continuation(0)]
        default: [UInt8(value >> 18) | 0xF0, continuation(12), continuation(6), continuation(0)]
        }
    }
}
