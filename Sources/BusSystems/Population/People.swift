package enum Sex: String, Sendable { case male, female }

/// Whether the number itself is in force. An excluded number stays in the register with its status and is never given
/// to another person.
package enum NumberStatus: String, Sendable {
    case active
    case excluded
    case conditionallyExcluded = "conditionally-excluded"
}

/// One person as the register of individuals knows them at the population's epoch.
package struct Person: Sendable {
    package let index: Int
    package let iin: String
    package let surname: BilingualName
    package let given: BilingualName
    package let patronymic: BilingualName
    package let sex: Sex
    package let born: CivilDate
    package internal(set) var died: CivilDate?
    package let citizenship: String
    package let numberStatus: NumberStatus
    /// Indices of other people of the same household; nil where the register does not know.
    package internal(set) var father: Int?
    package internal(set) var mother: Int?
    package internal(set) var spouse: Int?
    /// Index of the dwelling where they are registered: `Population.address(_:)`.
    package let address: Int

    /// Can act: living, of age, with a number in force.
    package func isCapable(on day: CivilDate) -> Bool {
        died == nil && numberStatus == .active && born.age(on: day) >= Population.adulthood
    }
}

extension Population {
    package static let adulthood = 18
    static let householdSize = 10
    private static let serials = 10_000
    private static let birthdayBuckets = 10

    /// Person number `index`, 0 ..< `scale.people` (any index under `Scale.maximumPeople` has an identity).
    package func person(_ index: Int) -> Person {
        household(index / Population.householdSize)[index % Population.householdSize]
    }

    /// The ten people with indices 10·number ... 10·number + 9: a couple of the older generation, one of their sons
    /// with his wife and children, their other children, and lodgers who are nobody's relatives.
    package func household(_ number: Int) -> [Person] {
        var random = random(.household, number)
        var draft = HouseholdDraft(population: self, number: number, random: random)
        draft.addGrandparents()
        draft.addYoungCouple()
        draft.addGrandchildren(upTo: draft.random.between(0...4))
        draft.addSiblings(upTo: draft.random.between(0...3))
        draft.addLodgers()
        random = draft.random
        return Population.withDeaths(draft.people, epoch: epoch, &random)
    }

    /// Day of birth and number of person `index` born in `year`.
    ///
    /// Numbers are unique without a table: the serial is one to one over ten thousand neighbours, and the ten people
    /// who share a serial are born on days of different last digit. A day whose number has no check digit is drawn
    /// again (under 1 % of draws).
    func birth(_ index: Int, year: Int, sex: Sex, _ random: inout SeededRandom) -> (day: CivilDate, iin: String) {
        let serial = scrambled(index % Population.serials, bound: Population.serials)
        let bucket = (index / Population.serials + serial / 7) % Population.birthdayBuckets
        while true {
            let day = 1 + bucket + 10 * random.below(bucket < 8 ? 3 : 2)
            let born = CivilDate(year: year, month: random.between(1...12), day: day)
            if let iin = Numbers.iin(born: born, sex: sex, serial: serial) { return (born, iin) }
        }
    }

    /// A person who was not born at the epoch: number `index`, born on `day`. Their numbers stay apart from each other
    /// for ten thousand births a day. Nil if the number cannot exist: take the next index.
    package func newborn(_ index: Int, on day: CivilDate, sex: Sex) -> String? {
        guard day >= epoch else { return nil }
        return Numbers.iin(born: day, sex: sex, serial: index % Population.serials)
    }

    /// Deaths by age. A parent never dies before the birth of a child, and nobody dies under age.
    private static func withDeaths(_ people: [Person], epoch: CivilDate, _ random: inout SeededRandom) -> [Person] {
        people.map { person in
            let age = person.born.age(on: epoch)
            let perMille = age >= 75 ? 450 : age >= 60 ? 150 : age >= 40 ? 25 : 3
            let day = epoch.adding(days: -random.between(1...3650))
            guard random.chance(perMille: perMille), person.born.age(on: day) >= adulthood else { return person }
            let children = people.filter { $0.father == person.index || $0.mother == person.index }
            guard children.allSatisfy({ $0.born < day }) else { return person }
            var dead = person
            dead.died = day
            return dead
        }
    }
}

/// A household while it is being put together: each step adds people until there are ten.
private struct HouseholdDraft {
    let population: Population
    let number: Int
    let tradition: Names.Tradition
    let family: BilingualName
    var random: SeededRandom
    var people: [Person] = []

    init(population: Population, number: Int, random: SeededRandom) {
        var random = random
        self.population = population
        self.number = number
        tradition = random.chance(percent: 76) ? .kazakh : .russian
        family = Names.familyName(tradition, &random)
        self.random = random
    }

    private var lastYear: Int { population.epoch.year - 1 }
    private var isFull: Bool { people.count >= Population.householdSize }

    mutating func addGrandparents() {
        let year = lastYear - random.between(56...84)
        add(.male, year: year, family: family)
        add(.female, year: year + random.between(-1...6), family: family)
        marry(0, 1)
    }

    mutating func addYoungCouple() {
        addChild(of: 0, 1, year: people[1].born.year + random.between(20...24), sex: .male, dwelling: 1)
        let keepsOwnName = random.chance(percent: 40)
        let year = people[2].born.year + random.between(-2...5)
        add(.female, year: year, family: keepsOwnName ? Names.familyName(tradition, &random) : family, dwelling: 1)
        marry(2, 3)
    }

    mutating func addGrandchildren(upTo count: Int) {
        var year = max(people[3].born.year + random.between(20...24), people[2].born.year + 20)
        for _ in 0..<count where year <= lastYear {
            addChild(of: 2, 3, year: year, sex: anySex(), dwelling: 1)
            year += random.between(2...4)
        }
    }

    mutating func addSiblings(upTo count: Int) {
        var year = people[2].born.year
        for _ in 0..<count where !isFull {
            year += random.between(2...4)
            addChild(of: 0, 1, year: year, sex: anySex(), dwelling: 0)
        }
    }

    mutating func addLodgers() {
        while !isFull {
            let foreign = random.chance(percent: 12)
            let citizenship = foreign ? random.pick(["RUS", "UZB", "KGZ", "TUR", "CHN"]) : "KAZ"
            let family = Names.familyName(tradition, &random)
            add(anySex(), year: lastYear - random.between(19...70), family: family, citizenship: citizenship)
        }
    }

    private mutating func anySex() -> Sex { random.chance(percent: 50) ? .male : .female }

    private mutating func marry(_ husband: Int, _ wife: Int) {
        people[husband].spouse = people[wife].index
        people[wife].spouse = people[husband].index
    }

    private mutating func addChild(of father: Int, _ mother: Int, year: Int, sex: Sex, dwelling: Int) {
        add(sex, year: year, family: family, fatherName: people[father].given, dwelling: dwelling)
        people[people.count - 1].father = people[father].index
        people[people.count - 1].mother = people[mother].index
    }

    private mutating func add(
        _ sex: Sex, year: Int, family: BilingualName, fatherName: BilingualName? = nil, dwelling: Int = 0,
        citizenship: String = "KAZ"
    ) {
        let index = number * Population.householdSize + people.count
        let birth = population.birth(index, year: year, sex: sex, &random)
        let given = Names.given(tradition, sex, &random)
        let fatherName = fatherName ?? Names.given(tradition, .male, &random)
        let status: NumberStatus =
            random.chance(perMille: 3) ? .excluded : random.chance(perMille: 4) ? .conditionallyExcluded : .active
        people.append(
            Person(
                index: index, iin: birth.iin, surname: Names.surname(family, for: sex), given: given,
                patronymic: Names.patronymic(tradition, father: fatherName, for: sex), sex: sex, born: birth.day,
                citizenship: citizenship, numberStatus: status,
                address: Population.dwelling(number * 2 + dwelling)))
    }
}
