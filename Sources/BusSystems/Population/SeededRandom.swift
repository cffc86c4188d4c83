/// Numbers that look random and are the same on every machine: SplitMix64 (Steele, Lea, Flood 2014).
///
/// The standard library's generators are not used for data, because how they turn bits into a range is not a promise of
/// the library: a register made by one release of Swift must equal the register made by the next.
package struct SeededRandom: RandomNumberGenerator, Sendable {
    /// What a stream of numbers is for. Two purposes never share a stream, so that a change in one kind of object does
    /// not reshuffle all others.
    package enum Stream: UInt64, Sendable {
        case household = 1
        case person
        case company
        case property
        case rights
        case freshness
        case smallRegister
        case flow
    }

    private var state: UInt64

    /// A generator for traffic and tests.
    package init(seed: UInt64) {
        state = seed
    }

    /// The generator of one object: the same (seed, stream, index) always gives the same numbers.
    package init(seed: UInt64, _ stream: Stream, _ index: Int) {
        state = SeededRandom.mix(seed ^ SeededRandom.mix(stream.rawValue << 48 ^ UInt64(truncatingIfNeeded: index)))
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return SeededRandom.mix(state)
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var mixed = value &+ 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// 0 ..< bound. A bound under 1 counts as 1.
    package mutating func below(_ bound: Int) -> Int {
        Int(next().multipliedFullWidth(by: UInt64(max(bound, 1))).high)
    }

    /// A number of the closed range.
    package mutating func between(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + below(range.upperBound - range.lowerBound + 1)
    }

    /// True in `percent` of 100 draws; tenths of a percent are given as a fraction of 1000 by `chance(perMille:)`.
    package mutating func chance(percent: Int) -> Bool {
        below(100) < percent
    }

    package mutating func chance(perMille: Int) -> Bool {
        below(1000) < perMille
    }

    /// One of a list that is known not to be empty.
    package mutating func pick<Element>(_ list: [Element]) -> Element {
        list[below(list.count)]
    }
}
