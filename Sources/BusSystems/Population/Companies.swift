import BusContracts

/// One legal entity as its register knows it at the population's epoch.
package struct Company: Sendable {
    package enum Founder: Hashable, Sendable {
        /// Index of a person.
        case person(Int)
        /// Index of another company; always smaller than the company's own, so ownership has no circles.
        case company(Int)
    }

    package let index: Int
    package let bin: String
    package let name: BilingualName
    package let oked: Activity
    /// Index of a person who is living, of age and has a number in force.
    package let director: Int
    /// Shares sum to exactly 1.
    package let founders: [(founder: Founder, share: Share)]
    package let status: String
    package let residency: Residency
    package let registered: CivilDate
    /// Index of an address.
    package let address: Int
}

/// A kind of activity, by its 5-digit code.
package struct Activity: Sendable {
    package let code: String
    package let name: BilingualName
}

extension Population {
    /// Company number `index`, 0 ..< `scale.companies`.
    package func company(_ index: Int) -> Company {
        var random = random(.company, index)
        let identity = companyIdentity(index, &random)
        let director = capablePerson(&random)
        return Company(
            index: index, bin: identity.bin, name: Population.companyName(&random, residency: identity.residency),
            oked: random.pick(Population.activities), director: director,
            founders: founders(of: index, director: director, &random),
            status: random.pick(Population.companyStatuses), residency: identity.residency,
            registered: identity.registered, address: random.below(scale.properties))
    }

    /// Only the number of company `index`: what other registers need, at a tenth of the price.
    package func bin(_ index: Int) -> String {
        var random = random(.company, index)
        return companyIdentity(index, &random).bin
    }

    package func iin(_ index: Int) -> String { person(index).iin }

    /// Some person who is living, of age and has a number in force.
    package func capablePerson(_ random: inout SeededRandom) -> Int {
        while true {
            let index = random.below(scale.people)
            if person(index).isCapable(on: epoch) { return index }
        }
    }

    /// Numbers are unique because the last five digits before the check digit are one to one with the index; month and
    /// year are drawn again until the number has a check digit.
    private func companyIdentity(
        _ index: Int, _ random: inout SeededRandom
    ) -> (bin: String, residency: Residency, registered: CivilDate) {
        let drawn = random.below(10)
        let residency: Residency = drawn < 8 ? .resident : drawn == 8 ? .nonResident : .joint
        let sign: BIN.Sign =
            residency == .joint
            ? random.pick([.head, .farm])
            : random.pick([.head, .head, .head, .head, .head, .head, .head, .branch, .representativeOffice])
        let serial = scrambled(index, bound: 100_000)
        while true {
            let day = CivilDate(
                year: random.between(1998...epoch.year - 1), month: random.between(1...12), day: random.between(1...28))
            let bin = Numbers.bin(registered: day, residency: residency, sign: sign, serial: serial)
            if let bin { return (bin, residency, day) }
        }
    }

    private func founders(
        of index: Int, director: Int, _ random: inout SeededRandom
    ) -> [(founder: Company.Founder, share: Share)] {
        let count = random.pick([1, 1, 1, 1, 2, 2, 3, 4, 5])
        var founders: [Company.Founder] = random.chance(percent: 70) ? [.person(director)] : []
        while founders.count < count {
            let byCompany = index > 0 && random.chance(percent: 12)
            let founder: Company.Founder =
                byCompany ? .company(random.below(index)) : .person(capablePerson(&random))
            if !founders.contains(founder) || founders.count >= index { founders.append(founder) }
        }
        // A tiny country may run out of distinct founders: what repeats is dropped before the shares are split.
        var seen: Set<Company.Founder> = []
        founders = founders.filter { seen.insert($0).inserted }
        return Array(zip(founders, Share.split(into: founders.count, &random))).map { (founder: $0.0, share: $0.1) }
    }

    private static func companyName(_ random: inout SeededRandom, residency: Residency) -> BilingualName {
        let core = random.pick(firstWords) + random.pick(secondWords)
        if residency == .joint { return BilingualName("«\(core)» ШҚ", "КХ «\(core)»") }
        let form = random.pick([BilingualName("ЖШС", "ТОО"), BilingualName("ЖШС", "ТОО"), BilingualName("АҚ", "АО")])
        return BilingualName("«\(core)» \(form.kk)", "\(form.ru) «\(core)»")
    }

    private static let companyStatuses =
        Array(repeating: "active", count: 88) + Array(repeating: "suspended", count: 5)
        + Array(repeating: "liquidated", count: 6) + ["bankrupt"]

    private static let firstWords = [
        "Алтын", "Ақ", "Бай", "Дала", "Жібек", "Көк", "Қазақ", "Сары", "Тау", "Ұлы", "Шығыс", "Есіл", "Ертіс", "Нұр",
        "Орда", "Самұрық", "Тұлпар", "Барыс", "Каспий", "Евразия", "Степь", "Арқа", "Жер", "Агро", "Техно", "Мега",
    ]
    private static let secondWords = [
        " Құрылыс", " Трейд", " Сервис", " Дән", " Логистика", "-Инвест", " Жол", " Мұнай", " Энерго", " Строй",
        " Фарм",
        " Проект", " Медиа", " Текстиль", " Транс", " Металл", "-Консалт", " Сүт", " Ет", " Цифр", " Софт", " Тур",
    ]

    static let activities: [Activity] = [
        ("01111", "Дәнді дақылдар өсіру", "Выращивание зерновых культур"),
        ("01410", "Сүтті ірі қара өсіру", "Разведение молочного крупного рогатого скота"),
        ("06100", "Шикі мұнай өндіру", "Добыча сырой нефти"),
        ("10510", "Сүт өңдеу", "Переработка молока"),
        ("14130", "Сырт киім өндіру", "Производство верхней одежды"),
        ("25110", "Құрылыс металл конструкциялары", "Производство строительных металлических конструкций"),
        ("35112", "Электр энергиясын өндіру", "Производство электроэнергии"),
        ("41201", "Тұрғын үй құрылысы", "Строительство жилых зданий"),
        ("42110", "Жол құрылысы", "Строительство дорог и автомагистралей"),
        ("46900", "Көтерме сауда", "Неспециализированная оптовая торговля"),
        ("47111", "Бөлшек сауда", "Розничная торговля"),
        ("47730", "Дәріхана тауарлары", "Розничная торговля фармацевтическими товарами"),
        ("49410", "Жүк тасымалы", "Грузовые перевозки автомобильным транспортом"),
        ("55101", "Қонақүй қызметі", "Предоставление услуг гостиницами"),
        ("56100", "Мейрамхана қызметі", "Деятельность ресторанов"),
        ("62011", "Бағдарламалық қамтамасыз ету", "Разработка программного обеспечения"),
        ("64191", "Банк қызметі", "Деятельность банков"),
        ("68201", "Мүлікті жалға беру", "Аренда недвижимости"),
        ("69101", "Заң қызметі", "Деятельность в области права"),
        ("71120", "Инженерлік ізденіс", "Инженерные изыскания"),
        ("85310", "Жалпы орта білім", "Общее среднее образование"),
        ("86210", "Жалпы дәрігерлік практика", "Общая врачебная практика"),
    ].map { Activity(code: $0.0, name: BilingualName($0.1, $0.2)) }
}
