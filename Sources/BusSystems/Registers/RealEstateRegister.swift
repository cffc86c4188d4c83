import GRDB

/// State database "Real Estate Register": properties, rights and encumbrances.
struct RealEstateRegister: RegisterContent {
    let tables = """
        CREATE TABLE property (
            id INTEGER PRIMARY KEY,
            cadastral_number TEXT NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN ('flat', 'house', 'land', 'commercial', 'parking')),
            area_hundredths INTEGER NOT NULL CHECK (area_hundredths > 0),
            rka TEXT NOT NULL, kato TEXT NOT NULL,
            address_kk TEXT NOT NULL, address_ru TEXT NOT NULL,
            verified_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL
        );
        CREATE TABLE ownership (
            cadastral_number TEXT NOT NULL,
            position INTEGER NOT NULL,
            iin TEXT,
            bin TEXT,
            numerator INTEGER NOT NULL CHECK (numerator > 0),
            denominator INTEGER NOT NULL CHECK (denominator >= numerator),
            since TEXT NOT NULL,
            owner_deceased_since TEXT,
            CHECK ((iin IS NULL) <> (bin IS NULL))
        );
        CREATE TABLE encumbrance (
            cadastral_number TEXT NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN ('pledge', 'arrest', 'lease', 'servitude')),
            imposed TEXT NOT NULL,
            creditor_bin TEXT NOT NULL,
            lifted TEXT
        );
        """

    let indexes = """
        CREATE UNIQUE INDEX property_number ON property (cadastral_number);
        CREATE INDEX property_rka ON property (rka);
        CREATE INDEX property_updated ON property (updated_at);
        CREATE UNIQUE INDEX ownership_number ON ownership (cadastral_number, position);
        CREATE INDEX ownership_iin ON ownership (iin) WHERE iin IS NOT NULL;
        CREATE INDEX ownership_bin ON ownership (bin) WHERE bin IS NOT NULL;
        CREATE UNIQUE INDEX encumbrance_priority ON encumbrance (cadastral_number, imposed);
        """

    let workTables = """
        CREATE TABLE IF NOT EXISTS transfer (
            command TEXT PRIMARY KEY,
            cadastral_number TEXT NOT NULL, deed_number TEXT NOT NULL,
            giver_iin TEXT NOT NULL, taker_iin TEXT NOT NULL,
            fee_tenge INTEGER NOT NULL CHECK (fee_tenge > 0),
            state TEXT NOT NULL CHECK (state IN ('awaiting-fee', 'registered', 'refused')),
            payment_code TEXT,
            told INTEGER NOT NULL DEFAULT 0
        );
        CREATE UNIQUE INDEX IF NOT EXISTS transfer_open ON transfer (cadastral_number) WHERE state = 'awaiting-fee';
        """

    func steps(_ population: Population) -> Int { population.scale.properties }

    func fill(_ writer: RegisterWriter) throws {
        for index in 0..<writer.population.scale.properties {
            let property = writer.population.property(index)
            try insert(property, writer)
            try insertRights(of: property, writer)
            try insertEncumbrances(of: property, writer)
            writer.step()
        }
    }

    private func insert(_ property: Property, _ writer: RegisterWriter) throws {
        let freshness = writer.freshness(property.index)
        let line = property.address.line
        try writer.insert(
            "property",
            [
                property.index, property.cadastralNumber, property.kind, property.areaHundredths, property.address.rka,
                property.address.kato, line.kk, line.ru, freshness.verified, freshness.updated,
            ])
    }

    private func insertRights(of property: Property, _ writer: RegisterWriter) throws {
        for (position, right) in property.rights.enumerated() {
            let owner = writer.population.numbers(of: right.owner)
            try writer.insert(
                "ownership",
                [
                    property.cadastralNumber, position + 1, owner.iin, owner.bin, right.share.numerator,
                    right.share.denominator, Moment.text(right.since), nil,
                ])
        }
    }

    private func insertEncumbrances(of property: Property, _ writer: RegisterWriter) throws {
        for encumbrance in property.encumbrances {
            try writer.insert(
                "encumbrance",
                [
                    property.cadastralNumber, encumbrance.kind, Moment.text(encumbrance.imposed),
                    writer.population.bin(encumbrance.creditor), encumbrance.lifted.map(Moment.text),
                ])
        }
    }
}

extension Address {
    /// The address as one line in both languages.
    var line: BilingualName {
        let flat = flat.map { ", \($0)" } ?? ""
        return BilingualName(
            "\(locality.kk), \(street.kk) көш., \(house)\(flat)", "\(locality.ru), ул. \(street.ru), \(house)\(flat)")
    }
}
