import GRDB

/// E-Notary: deeds over properties, and what the register of real estate told the notaries.
struct ENotaryRegister: RegisterContent {
    let tables = """
        CREATE TABLE deed (
            number TEXT NOT NULL, kind TEXT NOT NULL, cadastral_number TEXT NOT NULL,
            giver_iin TEXT NOT NULL, taker_iin TEXT NOT NULL, state TEXT NOT NULL, signed TEXT,
            updated_at INTEGER NOT NULL
        );
        CREATE TABLE property_notice (cadastral_number TEXT PRIMARY KEY, kind TEXT NOT NULL, registered TEXT NOT NULL);
        """
    let indexes = "CREATE UNIQUE INDEX deed_number ON deed (number); CREATE INDEX deed_updated ON deed (updated_at);"

    func steps(_ population: Population) -> Int { population.documents(.deed) }

    func fill(_ writer: RegisterWriter) throws {
        let population = writer.population
        for index in 0..<steps(population) {
            var random = population.random(.smallRegister, index)
            let state = random.pick(["drafted", "signed", "signed", "registered", "registered", "cancelled"])
            let signed = writer.moment(daysBack: 700, &random)
            try writer.insert(
                "deed",
                [
                    population.documentNumber(.deed, index), random.pick(["sale", "gift", "exchange"]),
                    population.cadastralNumber(random.below(population.scale.properties)),
                    population.applicant(.deed, index).iin, population.iin(population.capablePerson(&random)), state,
                    state == "drafted" ? nil : Moment.text(signed), writer.freshness(index).updated,
                ])
            writer.step()
        }
    }
}

/// E-Licensing: licences of companies.
struct ELicensingRegister: RegisterContent {
    let tables = """
        CREATE TABLE licence (
            number TEXT NOT NULL, bin TEXT NOT NULL,
            activity TEXT NOT NULL, activity_kk TEXT NOT NULL, activity_ru TEXT NOT NULL,
            responsible_iin TEXT NOT NULL, responsible_deceased_since TEXT,
            status TEXT NOT NULL, issued TEXT NOT NULL, valid_until TEXT, updated_at INTEGER NOT NULL
        );
        """
    let indexes = """
        CREATE UNIQUE INDEX licence_number ON licence (number);
        CREATE INDEX licence_responsible ON licence (responsible_iin);
        CREATE INDEX licence_updated ON licence (updated_at);
        """

    let workTables = """
        CREATE TABLE IF NOT EXISTS application (
            number INTEGER PRIMARY KEY AUTOINCREMENT, command TEXT NOT NULL UNIQUE,
            bin TEXT NOT NULL, activity TEXT NOT NULL, activity_kk TEXT NOT NULL, activity_ru TEXT NOT NULL,
            responsible_iin TEXT NOT NULL, applicant_iin TEXT NOT NULL,
            fee_tenge INTEGER NOT NULL CHECK (fee_tenge > 0),
            state TEXT NOT NULL CHECK (state IN ('awaiting-fee', 'issued', 'refused')),
            payment_code TEXT, told INTEGER NOT NULL DEFAULT 0
        );
        CREATE UNIQUE INDEX IF NOT EXISTS application_open ON application (bin, activity) WHERE state = 'awaiting-fee';
        CREATE INDEX IF NOT EXISTS licence_bin ON licence (bin);
        """

    func steps(_ population: Population) -> Int { population.documents(.licence) }

    func fill(_ writer: RegisterWriter) throws {
        let population = writer.population
        for index in 0..<steps(population) {
            var random = population.random(.smallRegister, index)
            let activity = random.pick(Population.activities)
            let issued = population.epoch.adding(days: -random.below(2_500))
            let validUntil = random.chance(percent: 40) ? issued.adding(days: 5 * 365) : nil
            try writer.insert(
                "licence",
                [
                    population.documentNumber(.licence, index),
                    population.bin(random.below(population.scale.companies)),
                    activity.code, activity.name.kk, activity.name.ru, population.applicant(.licence, index).iin, nil,
                    random.pick(["valid", "valid", "valid", "valid", "suspended", "revoked"]), issued.text,
                    validUntil?.text, writer.freshness(index).updated,
                ])
            writer.step()
        }
    }
}

/// The gateway: outside systems that reach the state's through it.
struct GatewayRegister: RegisterContent {
    let tables = """
        CREATE TABLE outside_system (
            code TEXT NOT NULL, name_ru TEXT NOT NULL, kind TEXT NOT NULL, bin TEXT NOT NULL, updated_at INTEGER NOT NULL
        );
        """
    let indexes = "CREATE UNIQUE INDEX outside_system_code ON outside_system (code);"

    func steps(_ population: Population) -> Int { max(population.scale.companies / 50, 5) }

    func fill(_ writer: RegisterWriter) throws {
        for index in 0..<steps(writer.population) {
            let company = writer.population.company(index)
            try writer.insert(
                "outside_system",
                [
                    "EXT-\(padded(index + 1, 4))", company.name.ru,
                    ["bank", "notary", "insurer", "operator"][index % 4],
                    company.bin, writer.freshness(index).updated,
                ])
            writer.step()
        }
    }
}

/// The payment gateway: fees paid, in whole tenge.
struct PaymentsRegister: RegisterContent {
    let tables = """
        CREATE TABLE payment (
            code TEXT NOT NULL, budget_code TEXT NOT NULL, payer_iin TEXT NOT NULL,
            amount_tenge INTEGER NOT NULL CHECK (amount_tenge > 0), paid TEXT NOT NULL, updated_at INTEGER NOT NULL
        );
        """
    let indexes =
        "CREATE UNIQUE INDEX payment_code ON payment (code); CREATE INDEX payment_updated ON payment (updated_at);"

    let workTables = """
        CREATE TABLE IF NOT EXISTS invoice (
            number INTEGER PRIMARY KEY AUTOINCREMENT, reference TEXT NOT NULL UNIQUE, requester TEXT NOT NULL,
            budget_code TEXT NOT NULL, payer_iin TEXT NOT NULL,
            amount_tenge INTEGER NOT NULL CHECK (amount_tenge > 0), requested TEXT NOT NULL, payment_code TEXT UNIQUE
        );
        CREATE INDEX IF NOT EXISTS invoice_open ON invoice (number) WHERE payment_code IS NULL;
        """

    func steps(_ population: Population) -> Int { population.documents(.order) / 2 }

    func fill(_ writer: RegisterWriter) throws {
        for index in 0..<steps(writer.population) {
            var random = writer.population.random(.smallRegister, index)
            try writer.insert(
                "payment",
                [
                    "P\(padded(index + 1, 11))", random.pick(["108125", "108126", "108113"]),
                    writer.population.applicant(.order, index).iin, random.between(1...60) * 197,
                    Moment.text(writer.moment(daysBack: 365, &random)), writer.freshness(index).updated,
                ])
            writer.step()
        }
    }
}

extension RegisterWriter {
    /// Some second in the `daysBack` days before the register's moment.
    func moment(daysBack: Int, _ random: inout SeededRandom) -> Int64 {
        asOf - Int64(random.below(daysBack * 86_400)) * 1000
    }
}
