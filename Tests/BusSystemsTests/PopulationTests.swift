import BusContracts
import BusSystems
import Testing

@Suite struct PopulationTests {
    let population = SmallCountry.population
    let people: [Person]

    init() {
        let population = SmallCountry.population
        people = (0..<population.scale.people / 10).flatMap(population.household)
    }

    @Test func everyNumberIsValidAndSaysTheBirthdayAndSex() throws {
        for person in people {
            let parts = try #require(IIN.parts(of: person.iin), "\(person.iin)")
            #expect(CivilDate(year: parts.year, month: parts.month, day: parts.day) == person.born)
            #expect((parts.sex == .male) == (person.sex == .male))
        }
    }

    @Test func numbersAreUniqueAtFullScale() {
        let full = Population(seed: 7)
        var iins: Set<String> = []
        for household in 0..<full.scale.people / 10 { iins.formUnion(full.household(household).map(\.iin)) }
        #expect(iins.count == Scale.maximumPeople)
        #expect(Set((0..<full.scale.companies).map(full.bin)).count == full.scale.companies)
        #expect(Set((0..<full.scale.properties).map(full.cadastralNumber)).count == full.scale.properties)
        #expect(Set((0..<full.scale.properties).map { full.address($0).rka }).count == full.scale.properties)
        for series in DocumentSeries.allCases {
            let count = full.documents(series)
            #expect(Set((0..<count).map { full.documentNumber(series, $0) }).count == count)
        }
    }

    @Test func aPersonIsTheSameAtEveryScaleAndAnotherForAnotherSeed() {
        let full = Population(seed: population.seed)
        let other = Population(seed: population.seed + 1)
        #expect((0..<200).allSatisfy { population.iin($0) == full.iin($0) })
        #expect((0..<200).filter { population.iin($0) == other.iin($0) }.isEmpty)
    }

    @Test func spousesAreMarriedToEachOther() throws {
        var couples = 0
        for person in people {
            guard let spouse = person.spouse else { continue }
            couples += 1
            #expect(people[spouse].spouse == person.index)
            #expect(people[spouse].sex != person.sex)
            #expect(people[spouse].address == person.address)
        }
        #expect(couples == population.scale.people / 10 * 4)
    }

    @Test func parentsAreOfAnAgeToBeParents() throws {
        var children = 0
        for child in people {
            guard let mother = child.mother.map({ people[$0] }), let father = child.father.map({ people[$0] }) else {
                #expect(child.mother == nil && child.father == nil)
                continue
            }
            children += 1
            #expect(mother.sex == .female && father.sex == .male && mother.spouse == father.index)
            #expect((18...45).contains(mother.born.age(on: child.born)), "\(child.iin)")
            #expect(father.born.age(on: child.born) >= 18, "\(child.iin)")
            #expect(mother.died.map { $0 > child.born } ?? true)
            #expect(father.died.map { $0 > child.born } ?? true)
            #expect(child.surname.ru.hasPrefix(father.surname.ru.dropLast(1)))
            #expect(child.patronymic.kk.hasPrefix(father.given.kk) || child.patronymic.kk == child.patronymic.ru)
        }
        #expect(children > population.scale.people / 10)
    }

    @Test func siblingsAreBornAtLeastNineMonthsApart() {
        for children in Dictionary(grouping: people.filter { $0.mother != nil }, by: \.mother).values {
            let days = children.map(\.born.daysSince1970).sorted()
            for (earlier, later) in zip(days, days.dropFirst()) { #expect(later - earlier >= 270) }
        }
    }

    @Test func everybodyWasBornAndDiedBeforeTheEpoch() {
        let dead = people.filter { $0.died != nil }
        #expect(people.allSatisfy { $0.born < population.epoch })
        #expect(dead.allSatisfy { $0.died! < population.epoch && $0.died! > $0.born })
        #expect((10...150).contains(dead.count))
        for status in [NumberStatus.excluded, .conditionallyExcluded] {
            #expect(people.contains { $0.numberStatus == status })
        }
    }

    @Test func companiesHaveCapableDirectorsAndWholeShares() throws {
        for index in 0..<population.scale.companies {
            let company = population.company(index)
            #expect(BIN.isValid(company.bin), "\(company.bin)")
            #expect(company.bin == population.bin(index))
            let parts = try #require(BIN.parts(of: company.bin))
            #expect(parts.month == company.registered.month && parts.shortYear == company.registered.year % 100)
            #expect((parts.kind == .nonResident) == (company.residency == .nonResident))
            #expect(people[company.director].isCapable(on: population.epoch))
            #expect(company.founders.map(\.share).reduce(Share(0, 1), +) == .whole)
            #expect(!company.founders.isEmpty && Set(company.founders.map(\.founder)).count == company.founders.count)
            for case (.company(let owner), _) in company.founders { #expect(owner < index) }
        }
    }

    @Test func propertiesHaveValidNumbersWholeSharesAndStrictPriority() {
        var kinds: Set<String> = []
        for index in 0..<population.scale.properties {
            let property = population.property(index)
            kinds.insert(property.kind)
            #expect(CadastralNumber.isValid(property.cadastralNumber), "\(property.cadastralNumber)")
            #expect(KATO.isValid(property.address.kato), "\(property.address.kato)")
            #expect(property.address.rka.utf8.count == 16)
            #expect(property.rights.map(\.share).reduce(Share(0, 1), +) == .whole)
            #expect(property.rights.allSatisfy { $0.since % 60_000 == 0 && $0.since < population.epoch.milliseconds })
            let imposed = property.encumbrances.map(\.imposed)
            #expect(zip(imposed, imposed.dropFirst()).allSatisfy { $0 < $1 })
            #expect(property.encumbrances.allSatisfy { ($0.lifted ?? .max) > $0.imposed && $0.imposed % 60_000 == 0 })
        }
        #expect(kinds == ["flat", "house", "land", "commercial", "parking"])
    }

    @Test func everybodyLivesInADwelling() {
        #expect(people.allSatisfy { $0.address < population.scale.properties })
        #expect(people.allSatisfy { ["flat", "house"].contains(population.propertyKind($0.address)) })
    }

    @Test func aNewbornGetsAValidNumberThatNobodyHas() throws {
        let day = population.epoch.adding(days: 30)
        let taken = Set(people.map(\.iin))
        let born = (0..<500).compactMap { population.newborn($0, on: day, sex: .female) }
        #expect(born.count > 450 && Set(born).count == born.count)
        #expect(born.allSatisfy { IIN.isValid($0) && !taken.contains($0) })
        #expect(population.newborn(1, on: population.epoch.adding(days: -1), sex: .male) == nil)
    }
}

@Suite struct CivilDateTests {
    @Test func daysGoThereAndBack() {
        for days in stride(from: -60_000, through: 60_000, by: 7) {
            #expect(CivilDate(daysSince1970: days).daysSince1970 == days)
        }
        #expect(CivilDate(daysSince1970: 0) == CivilDate(year: 1970, month: 1, day: 1))
        #expect(CivilDate(daysSince1970: 11_016) == CivilDate(year: 2000, month: 2, day: 29))
    }

    @Test(arguments: ["2023-02-29", "2023-13-01", "23-01-01", "2023-1-1", "2023-01-01 ", ""])
    func aDayThatDoesNotExistIsRefused(_ text: String) {
        #expect(CivilDate(text) == nil)
    }

    @Test func momentsAreWrittenInUTC() {
        #expect(Moment.text(0) == "1970-01-01T00:00:00Z")
        #expect(Moment.text(1_700_000_000_000) == "2023-11-14T22:13:20Z")
        #expect(Moment.text(-1) == "1969-12-31T23:59:59Z")
    }

    @Test func ageTurnsOnTheBirthday() {
        let born = CivilDate(year: 2000, month: 6, day: 15)
        #expect(born.age(on: CivilDate(year: 2018, month: 6, day: 14)) == 17)
        #expect(born.age(on: CivilDate(year: 2018, month: 6, day: 15)) == 18)
    }
}
