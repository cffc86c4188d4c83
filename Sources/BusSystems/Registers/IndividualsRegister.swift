import GRDB

/// State database "Individuals": people, their families, addresses and life status.
struct IndividualsRegister: RegisterContent {
    let tables = """
        CREATE TABLE person (
            id INTEGER PRIMARY KEY,
            iin TEXT NOT NULL,
            surname_kk TEXT NOT NULL, given_kk TEXT NOT NULL, patronymic_kk TEXT NOT NULL,
            surname_ru TEXT NOT NULL, given_ru TEXT NOT NULL, patronymic_ru TEXT NOT NULL,
            sex TEXT NOT NULL CHECK (sex IN ('male', 'female')),
            born TEXT NOT NULL,
            died TEXT,
            number_status TEXT NOT NULL CHECK (number_status IN ('active', 'excluded', 'conditionally-excluded')),
            citizenship TEXT NOT NULL,
            father_iin TEXT, mother_iin TEXT, spouse_iin TEXT,
            rka TEXT NOT NULL,
            address_since TEXT NOT NULL,
            verified_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL
        );
        CREATE TABLE address (
            rka TEXT NOT NULL,
            kato TEXT NOT NULL,
            locality_kk TEXT NOT NULL, locality_ru TEXT NOT NULL,
            street_kk TEXT NOT NULL, street_ru TEXT NOT NULL,
            house TEXT NOT NULL, flat TEXT
        );
        """

    let indexes = """
        CREATE UNIQUE INDEX person_iin ON person (iin);
        CREATE INDEX person_surname_kk ON person (surname_kk, given_kk);
        CREATE INDEX person_surname_ru ON person (surname_ru, given_ru);
        CREATE INDEX person_mother ON person (mother_iin) WHERE mother_iin IS NOT NULL;
        CREATE INDEX person_father ON person (father_iin) WHERE father_iin IS NOT NULL;
        CREATE INDEX person_updated ON person (updated_at);
        CREATE UNIQUE INDEX address_rka ON address (rka);
        """

    func steps(_ population: Population) -> Int {
        population.scale.people / Population.householdSize + population.scale.properties
    }

    func fill(_ writer: RegisterWriter) throws {
        for number in 0..<writer.population.scale.people / Population.householdSize {
            let people = writer.population.household(number)
            for person in people { try insert(person, of: people, writer) }
            writer.step()
        }
        for index in 0..<writer.population.scale.properties {
            try insert(writer.population.address(index), writer)
            writer.step()
        }
    }

    private func insert(_ person: Person, of household: [Person], _ writer: RegisterWriter) throws {
        let first = household[0].index
        func iin(_ relative: Int?) -> String? { relative.map { household[$0 - first].iin } }
        let freshness = writer.freshness(person.index)
        var random = writer.population.random(.person, person.index)
        let registeredDays = writer.population.epoch.daysSince1970 - person.born.daysSince1970
        try writer.insert(
            "person",
            [
                person.index, person.iin,
                person.surname.kk, person.given.kk, person.patronymic.kk,
                person.surname.ru, person.given.ru, person.patronymic.ru,
                person.sex.rawValue, person.born.text, person.died?.text, person.numberStatus.rawValue,
                person.citizenship, iin(person.father), iin(person.mother), iin(person.spouse),
                writer.population.address(person.address).rka,
                writer.population.epoch.adding(days: -random.below(min(registeredDays, 9_000))).text,
                freshness.verified, freshness.updated,
            ])
    }

    private func insert(_ address: Address, _ writer: RegisterWriter) throws {
        try writer.insert(
            "address",
            [
                address.rka, address.kato, address.locality.kk, address.locality.ru, address.street.kk,
                address.street.ru, address.house, address.flat,
            ])
    }
}
