/// Grows new inputs from valid ones. The same generator gives the same input.
struct Mutator: Sendable {
    /// Valid inputs.
    var vectors: [[UInt8]]
    /// Pieces that mean something to the reader.
    var words: [[UInt8]] = []
    /// Makes sizes and marks of the head fit again, so that what lies behind it is reached.
    var mend: (@Sendable (inout [UInt8], inout SplitMix) -> Void)?
    var largest = 16 * 1024

    /// Where readers count: around powers of two, and the limits of the wire.
    static let numbers: [UInt64] = [
        0, 1, 2, 3, 15, 16, 39, 40, 48, 63, 64, 65, 127, 128, 255, 256, 512, 1024, 4096, 4097, 32767, 32768, 65535,
        65536, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff, 1 << 32, 1 << 62, .max / 2, 1 << 63, .max - 1, .max,
    ]

    func grow(_ random: inout SplitMix) -> [UInt8] {
        var bytes = random.one(of: vectors)
        // One in sixteen stays as it is: what is valid must stay valid.
        for _ in 0..<(random.below(16) == 0 ? 0 : 1 + random.below(4)) { change(&bytes, &random) }
        if bytes.count > largest { bytes.removeLast(bytes.count - largest) }
        if let mend, random.below(8) > 0 { mend(&bytes, &random) }
        return bytes
    }

    private func change(_ bytes: inout [UInt8], _ random: inout SplitMix) {
        let at = random.below(bytes.count + 1)
        let size = min(1 + random.below(24), bytes.count - at)
        switch random.below(12) {
        case 0, 1, 2: if at < bytes.count { bytes[at] ^= 1 << UInt8(random.below(8)) }
        case 3: if at < bytes.count { bytes[at] = UInt8(random.below(256)) }
        case 4, 5: number(&bytes, at, &random)
        case 6: bytes.removeSubrange(at..<at + size)
        case 7: bytes.insert(contentsOf: bytes[at..<at + size], at: at)
        case 8: bytes.removeLast(bytes.count - at)
        case 9: bytes = Array(bytes[..<at]) + random.one(of: vectors).dropFirst(at)
        case 10: splice(&bytes, at, &random)
        default:
            guard !words.isEmpty else { return number(&bytes, at, &random) }
            let word = random.one(of: words)
            if random.below(2) == 0 { bytes.removeSubrange(at..<min(bytes.count, at + word.count)) }
            bytes.insert(contentsOf: word, at: at)
        }
    }

    /// A length, a count or a time at its boundary; or a little more or less than it was.
    private func number(_ bytes: inout [UInt8], _ at: Int, _ random: inout SplitMix) {
        let width = [1, 2, 4, 8][random.below(4)]
        let place = at / width * width
        guard place + width <= bytes.count else { return }
        var value: UInt64 = 0
        for index in 0..<width { value |= UInt64(bytes[place + index]) << UInt64(8 * index) }
        value = random.below(2) == 0 ? random.one(of: Self.numbers) : value &+ UInt64(random.below(5)) &- 2
        for index in 0..<width { bytes[place + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index)) }
    }

    /// A part of another vector in the middle of this one.
    private func splice(_ bytes: inout [UInt8], _ at: Int, _ random: inout SplitMix) {
        let other = random.one(of: vectors)
        let from = random.below(other.count + 1)
        bytes.insert(contentsOf: other[from..<min(other.count, from + 1 + random.below(64))], at: at)
    }
}

/// SplitMix64: the same numbers for the same seed.
struct SplitMix: RandomNumberGenerator, Sendable {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }

    /// The generator of one input: it depends on no other.
    init(seed: UInt64, index: Int) {
        var first = SplitMix(seed &+ UInt64(index) &* 0xd134_2543_de82_ef95)
        state = first.next()
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// 0..<bound; the small bias does not matter here.
    mutating func below(_ bound: Int) -> Int { bound <= 1 ? 0 : Int(truncatingIfNeeded: next() >> 1) % bound }

    mutating func one<Element>(of elements: [Element]) -> Element { elements[below(elements.count)] }
}
