/// A postal address. One stands for every property, at the same index.
package struct Address: Sendable {
    package let index: Int
    /// Code of the address register, 16 digits.
    package let rka: String
    package let kato: String
    package let region: Int
    package let locality: BilingualName
    package let street: BilingualName
    package let house: String
    package let flat: String?
}

/// One property as its register knows it at the population's epoch.
package struct Property: Sendable {
    package let index: Int
    package let cadastralNumber: String
    /// `flat`, `house`, `land`, `commercial` or `parking`.
    package let kind: String
    /// In hundredths of a square metre, so that areas are whole numbers.
    package let areaHundredths: Int
    package let address: Address
    /// Shares sum to exactly 1.
    package let rights: [Right]
    package let encumbrances: [Encumbrance]

    package struct Right: Sendable {
        package let owner: Company.Founder
        package let share: Share
        /// Unix milliseconds of a whole minute.
        package let since: Int64
    }

    package struct Encumbrance: Sendable {
        /// `pledge`, `arrest`, `lease` or `servitude`.
        package let kind: String
        /// Unix milliseconds of a whole minute, different for each encumbrance of a property: the earlier has priority.
        package let imposed: Int64
        package let creditor: Int
        package let lifted: Int64?
    }
}

extension Population {
    /// Properties come in groups of five: an apartment house (three flats, a shop, a parking place) or a street of two
    /// houses with their land and a field.
    private static let groupSize = 5

    /// Index of the property where household half `half` lives; every group has two dwellings, its first and third.
    static func dwelling(_ half: Int) -> Int {
        half / 2 * groupSize + half % 2 * 2
    }

    /// Address number `index`, 0 ..< `scale.properties`.
    package func address(_ index: Int) -> Address {
        let group = index / Population.groupSize
        var random = random(.property, group)
        let apartments = random.chance(percent: 55)
        let region = random.below(Regions.all.count)
        let locality = random.pick([0, 0, 1, 2])
        let street = random.pick(Regions.streets)
        let house = random.between(1...180)
        let place = index % Population.groupSize
        let kato = Regions.kato(region, locality: locality)
        return Address(
            index: index, rka: kato.prefix(4) + padded(scrambled(index, bound: 10_000_000_000, factor: 98_765_431), 12),
            kato: kato, region: region, locality: Regions.all[region].localities[locality], street: street,
            house: apartments ? String(house) : String(house + place / 2 * 2),
            flat: apartments && place < 3 ? String(place + 1 + random.below(30) * 4) : nil)
    }

    /// Property number `index`, 0 ..< `scale.properties`.
    package func property(_ index: Int) -> Property {
        var random = random(.rights, index)
        let kind = propertyKind(index)
        let rights = rights(of: index)
        return Property(
            index: index, cadastralNumber: cadastralNumber(index), kind: kind,
            areaHundredths: Population.area(kind, underHouse: index % Population.groupSize < 4, &random),
            address: address(index), rights: rights,
            encumbrances: encumbrances(kind, after: rights.map(\.since).max() ?? 0, &random))
    }

    /// The number of property `index`. Unique because quarter and plot together are one to one with the plot's index;
    /// a house stands on the plot of the property after it, the places of an apartment house share one building.
    package func cadastralNumber(_ index: Int) -> String {
        let place = index % Population.groupSize
        let base = index - place
        let region = Regions.all[address(index).region].cadastre
        switch propertyKind(index) {
        case "house": return plot(index, region) + ":1"
        case "land": return place == 4 ? plot(index, region) : plot(index - 1, region)
        default: return plot(base, region) + ":1:\(place + 1)"
        }
    }

    private func plot(_ index: Int, _ region: Int) -> String {
        let plotsOfQuarter = 5000
        var random = random(.property, index / Population.groupSize)
        let district = 1 + random.below(320)
        let quarter = 1 + index / plotsOfQuarter * 90 + random.below(90)
        return "\(padded(region, 2)):\(padded(district, 3)):\(padded(quarter, 3)):\(index % plotsOfQuarter + 1)"
    }

    package func propertyKind(_ index: Int) -> String {
        var random = random(.property, index / Population.groupSize)
        let kinds =
            random.chance(percent: 55)
            ? ["flat", "flat", "flat", "commercial", "parking"] : ["house", "land", "house", "land", "land"]
        return kinds[index % Population.groupSize]
    }

    private static func area(_ kind: String, underHouse: Bool, _ random: inout SeededRandom) -> Int {
        switch kind {
        case "flat": random.between(2_800...14_000)
        case "house": random.between(6_000...32_000)
        case "commercial": random.between(3_000...90_000)
        case "parking": random.between(1_300...1_900)
        default: underHouse ? random.between(60_000...150_000) : random.between(400_000...5_000_000)
        }
    }

    /// Who owns it: mostly the people who live there, for the land under a house those of the house, else somebody.
    private func rights(of index: Int) -> [Property.Right] {
        let place = index % Population.groupSize
        if propertyKind(index) == "land", place == 1 || place == 3 { return rights(of: index - 1) }
        var random = SeededRandom(seed: seed ^ 0x5EED, .rights, index)
        var owners: [Company.Founder] = place % 2 == 0 && place < 4 ? residents(of: index, &random) : []
        if owners.isEmpty { owners = strangers(&random) }
        let shares = Share.split(into: owners.count, &random)
        let since = rightStart(owners, &random)
        return zip(owners, shares).map { Property.Right(owner: $0, share: $1, since: since) }
    }

    private func residents(of index: Int, _ random: inout SeededRandom) -> [Company.Founder] {
        let people = household(index / Population.groupSize).filter { $0.address == index && $0.isCapable(on: epoch) }
        guard random.chance(percent: 75), let first = people.first else { return [] }
        var owners = [Company.Founder.person(first.index)]
        if let spouse = first.spouse, people.contains(where: { $0.index == spouse }), random.chance(percent: 60) {
            owners.append(.person(spouse))
        }
        return owners
    }

    private func strangers(_ random: inout SeededRandom) -> [Company.Founder] {
        if random.chance(percent: 30) { return [.company(random.below(scale.companies))] }
        let first = capablePerson(&random)
        let second = capablePerson(&random)
        return random.chance(percent: 20) && first != second ? [.person(first), .person(second)] : [.person(first)]
    }

    /// A minute after every owner came of age, or after 1998 for a company.
    private func rightStart(_ owners: [Company.Founder], _ random: inout SeededRandom) -> Int64 {
        var earliest = CivilDate(year: 1998, month: 1, day: 1)
        for case .person(let index) in owners {
            earliest = max(earliest, person(index).born.adding(days: 366 * Population.adulthood))
        }
        return minute(after: min(earliest, epoch.adding(days: -1)), &random)
    }

    private func minute(after day: CivilDate, _ random: inout SeededRandom) -> Int64 {
        minute(after: day.milliseconds, &random)
    }

    private func minute(after start: Int64, _ random: inout SeededRandom) -> Int64 {
        let minutes = Int((epoch.milliseconds - start) / Moment.millisecondsPerMinute)
        let first = start / Moment.millisecondsPerMinute
        return (first + 1 + Int64(random.below(minutes - 1))) * Moment.millisecondsPerMinute
    }

    private func encumbrances(_ kind: String, after start: Int64, _ random: inout SeededRandom) -> [Property
        .Encumbrance]
    {
        guard random.chance(percent: kind == "land" ? 8 : 20) else { return [] }
        let minutes = Set((0..<random.pick([1, 1, 1, 2, 3])).map { _ in minute(after: start, &random) }).sorted()
        return minutes.map { imposed in
            let lifted = random.chance(percent: 40) ? minute(after: imposed, &random) : nil
            let kind =
                kind == "land"
                ? random.pick(["lease", "servitude", "pledge"]) : random.pick(["pledge", "pledge", "arrest", "lease"])
            return Property.Encumbrance(
                kind: kind, imposed: imposed, creditor: random.below(scale.companies), lifted: lifted)
        }
    }
}
