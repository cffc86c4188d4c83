/// How many people, companies and properties there are. `.full` is 100,000, 10,000 and 50,000.
package struct Scale: Hashable, Sendable {
    /// People are made in households of ten, and a four-digit serial with a birthday bucket keeps their numbers
    /// apart: see `Population.person(_:)`. So more than this cannot be made.
    package static let maximumPeople = 100_000

    package let people: Int
    package let companies: Int
    package let properties: Int

    package static let full = Scale(oneIn: 1)

    /// One person for every `divisor` of the full scale, and so on; 1 ... 500. Outside it the nearest is taken.
    package init(oneIn divisor: Int) {
        let bounded = min(max(divisor, 1), 500)
        people = Scale.maximumPeople / bounded / 10 * 10
        companies = people / 10
        properties = people / 2
    }
}

/// Who lives in the simulated country, which companies it has and which properties: pure functions of the seed.
///
/// Nothing is stored. Person number k is the same in every register and in every process that knows the seed, so the
/// register of legal entities names a director's IIN, and a consumer asks about it, without either reading the register
/// of individuals. The identity of a person does not depend on the scale; who directs or owns what does.
package struct Population: Sendable {
    /// Everybody of the register was born before this day, and ages (adult, child) are counted on it.
    package static let defaultEpoch = CivilDate(year: 2026, month: 1, day: 1)

    /// The seed of the demonstration: the examples of the contracts are people and companies of this country.
    package static let demonstrationSeed: UInt64 = 1

    package let seed: UInt64
    package let scale: Scale
    package let epoch: CivilDate

    package init(seed: UInt64, scale: Scale = .full, epoch: CivilDate = Population.defaultEpoch) {
        self.seed = seed
        self.scale = scale
        self.epoch = epoch
    }

    package func random(_ stream: SeededRandom.Stream, _ index: Int) -> SeededRandom {
        SeededRandom(seed: seed, stream, index)
    }

    /// A number of `bound` things as a reordering of themselves: i ↦ (i·factor + offset) mod bound, which is one to one
    /// because the factor has no divisor in common with a power of ten.
    func scrambled(_ index: Int, bound: Int, factor: Int = 7919) -> Int {
        (index &* factor &+ Int(seed % 997)) % bound
    }
}

/// Exact part of a whole. Founders' and owners' shares add up to 1 as rationals, never as floats.
package struct Share: Hashable, Sendable {
    package let numerator: Int
    package let denominator: Int

    package static let whole = Share(1, 1)

    /// Reduced to lowest terms.
    package init(_ numerator: Int, _ denominator: Int) {
        let divisor = Share.greatestCommonDivisor(numerator, denominator)
        self.numerator = numerator / divisor
        self.denominator = denominator / divisor
    }

    /// `parts` shares that sum to exactly 1, from small whole weights.
    static func split(into parts: Int, _ random: inout SeededRandom) -> [Share] {
        if parts <= 1 { return [.whole] }
        let equal = random.chance(percent: 50)
        let weights = (0..<parts).map { _ in equal ? 1 : random.between(1...9) }
        let sum = weights.reduce(0, +)
        return weights.map { Share($0, sum) }
    }

    package static func + (left: Share, right: Share) -> Share {
        Share(
            left.numerator * right.denominator + right.numerator * left.denominator,
            left.denominator * right.denominator)
    }

    private static func greatestCommonDivisor(_ left: Int, _ right: Int) -> Int {
        var (a, b) = (left, right)
        while b != 0 { (a, b) = (b, a % b) }
        return max(a, 1)
    }
}
