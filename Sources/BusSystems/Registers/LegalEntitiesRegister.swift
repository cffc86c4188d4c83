import GRDB

/// State database "Legal Entities": companies, their directors and founders.
struct LegalEntitiesRegister: RegisterContent {
    let tables = """
        CREATE TABLE entity (
            id INTEGER PRIMARY KEY,
            bin TEXT NOT NULL,
            name_kk TEXT NOT NULL, name_ru TEXT NOT NULL,
            oked TEXT NOT NULL, activity_kk TEXT NOT NULL, activity_ru TEXT NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('active', 'suspended', 'liquidated', 'bankrupt')),
            residency TEXT NOT NULL CHECK (residency IN ('resident', 'non-resident', 'joint')),
            registered TEXT NOT NULL,
            kato TEXT NOT NULL, rka TEXT NOT NULL,
            director_iin TEXT NOT NULL,
            director_deceased_since TEXT,
            verified_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL
        );
        CREATE TABLE founder (
            bin TEXT NOT NULL,
            position INTEGER NOT NULL,
            iin TEXT,
            founder_bin TEXT,
            numerator INTEGER NOT NULL CHECK (numerator > 0),
            denominator INTEGER NOT NULL CHECK (denominator >= numerator),
            CHECK ((iin IS NULL) <> (founder_bin IS NULL))
        );
        """

    let indexes = """
        CREATE UNIQUE INDEX entity_bin ON entity (bin);
        CREATE INDEX entity_director ON entity (director_iin);
        CREATE INDEX entity_updated ON entity (updated_at);
        CREATE UNIQUE INDEX founder_bin_position ON founder (bin, position);
        CREATE INDEX founder_iin ON founder (iin) WHERE iin IS NOT NULL;
        """

    func steps(_ population: Population) -> Int { population.scale.companies }

    func fill(_ writer: RegisterWriter) throws {
        for index in 0..<writer.population.scale.companies {
            let company = writer.population.company(index)
            try insert(company, writer)
            try insertFounders(of: company, writer)
            writer.step()
        }
    }

    private func insert(_ company: Company, _ writer: RegisterWriter) throws {
        let freshness = writer.freshness(company.index)
        let address = writer.population.address(company.address)
        try writer.insert(
            "entity",
            [
                company.index, company.bin, company.name.kk, company.name.ru, company.oked.code, company.oked.name.kk,
                company.oked.name.ru, company.status, company.residency.rawValue, company.registered.text, address.kato,
                address.rka, writer.population.iin(company.director), nil, freshness.verified, freshness.updated,
            ])
    }

    private func insertFounders(of company: Company, _ writer: RegisterWriter) throws {
        for (position, (founder, share)) in company.founders.enumerated() {
            let owner = writer.population.numbers(of: founder)
            try writer.insert(
                "founder", [company.bin, position + 1, owner.iin, owner.bin, share.numerator, share.denominator])
        }
    }
}

extension Population {
    /// The number a founder or owner is known by: exactly one of the two.
    func numbers(of founder: Company.Founder) -> (iin: String?, bin: String?) {
        switch founder {
        case .person(let index): (iin(index), nil)
        case .company(let index): (nil, bin(index))
        }
    }
}
