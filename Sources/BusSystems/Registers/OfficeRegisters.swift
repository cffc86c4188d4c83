import GRDB

/// Intranet portal of state bodies: departments and who works in them.
struct IntranetRegister: RegisterContent {
    let tables = """
        CREATE TABLE department (
            code TEXT NOT NULL, name_kk TEXT NOT NULL, name_ru TEXT NOT NULL, updated_at INTEGER NOT NULL
        );
        CREATE TABLE employee (
            department TEXT NOT NULL, position INTEGER NOT NULL, post TEXT NOT NULL, name_kk TEXT NOT NULL,
            name_ru TEXT NOT NULL, extension TEXT NOT NULL
        );
        """
    let indexes = """
        CREATE UNIQUE INDEX department_code ON department (code);
        CREATE UNIQUE INDEX employee_department ON employee (department, position);
        """

    func steps(_ population: Population) -> Int { population.departments }

    func fill(_ writer: RegisterWriter) throws {
        let population = writer.population
        for index in 0..<steps(population) {
            var random = population.random(.smallRegister, index)
            let code = population.departmentCode(index)
            let name = IntranetRegister.names[index % IntranetRegister.names.count]
            try writer.insert("department", [code, name.kk, name.ru, writer.freshness(index).updated])
            for position in 1...random.between(3...12) {
                let person = population.person(population.capablePerson(&random))
                let post = position == 1 ? "head" : position == 2 ? "deputy" : random.pick(["chief-expert", "expert"])
                try writer.insert(
                    "employee",
                    [
                        code, position, post, "\(person.surname.kk) \(person.given.kk)",
                        "\(person.surname.ru) \(person.given.ru)", padded(1000 + index * 12 + position, 4),
                    ])
            }
            writer.step()
        }
    }

    private static let names = [
        BilingualName("Тіркеу қызметі департаменті", "Департамент регистрационной службы"),
        BilingualName("Цифрландыру департаменті", "Департамент цифровизации"),
        BilingualName("Құжат айналымы басқармасы", "Управление документооборота"),
        BilingualName("Заң департаменті", "Юридический департамент"),
        BilingualName("Бюджеттік жоспарлау басқармасы", "Управление бюджетного планирования"),
        BilingualName("Ақпараттық қауіпсіздік басқармасы", "Управление информационной безопасности"),
    ]
}

extension Population {
    /// Departments of state bodies in the intranet's directory.
    package var departments: Int { max(scale.people / 500, 6) }

    /// Two letters of the state body and three digits: `MJ-001`.
    package func departmentCode(_ index: Int) -> String {
        ["MJ", "MD", "LE", "GC"][index % 4] + "-" + padded(index + 1, 3)
    }
}

/// Unified Electronic Document Management System: documents between state bodies.
struct EdmsRegister: RegisterContent {
    let tables = """
        CREATE TABLE document (
            id INTEGER PRIMARY KEY, sender TEXT NOT NULL, recipient TEXT NOT NULL, subject TEXT NOT NULL,
            sent TEXT NOT NULL, received TEXT, updated_at INTEGER NOT NULL
        );
        """
    let indexes = "CREATE INDEX document_updated ON document (updated_at);"

    func steps(_ population: Population) -> Int { population.documents(.application) }

    func fill(_ writer: RegisterWriter) throws {
        let population = writer.population
        for index in 0..<steps(population) {
            var random = population.random(.smallRegister, index)
            let sent = writer.moment(daysBack: 200, &random)
            let received = random.chance(percent: 95) ? Moment.text(min(sent + 3_600_000, writer.asOf)) : nil
            try writer.insert(
                "document",
                [
                    index + 1, population.departmentCode(random.below(population.departments)),
                    population.departmentCode(random.below(population.departments)),
                    random.pick(["Сұрау салу", "Есеп", "Бұйрық", "Хаттама"]), Moment.text(sent), received,
                    writer.freshness(index).updated,
                ])
            writer.step()
        }
    }
}

/// The architectural portal: a passport of every system of the space.
struct ArchitectureRegister: RegisterContent {
    let tables = """
        CREATE TABLE passport (
            system TEXT NOT NULL, name_kk TEXT NOT NULL, name_ru TEXT NOT NULL, name_en TEXT NOT NULL,
            owner TEXT NOT NULL, operator TEXT, purpose TEXT, security_class TEXT, hosting TEXT,
            status TEXT NOT NULL, commissioned TEXT, freshness_hours INTEGER, updated_at INTEGER NOT NULL
        );
        """
    let indexes = "CREATE UNIQUE INDEX passport_system ON passport (system);"

    func steps(_ population: Population) -> Int { ArchitectureRegister.systems.count }

    /// Some passports are left half filled: the portal's indicator of filling measures exactly this.
    func fill(_ writer: RegisterWriter) throws {
        for (index, entry) in ArchitectureRegister.systems.enumerated() {
            var random = writer.population.random(.smallRegister, index)
            func filled(_ value: String) -> String? { random.chance(percent: 85) ? value : nil }
            try writer.insert(
                "passport",
                [
                    entry.system.rawValue, entry.kk, entry.ru, entry.en, entry.owner, filled("NIT"),
                    filled("\(entry.en): records and services"), filled("2"), filled("state data centre"), "operating",
                    filled(CivilDate(year: 2007 + index % 12, month: 1 + index % 12, day: 1).text), 24,
                    writer.freshness(index).updated,
                ])
            writer.step()
        }
    }

    private struct Entry {
        let system: Register
        let kk: String
        let ru: String
        let en: String
        let owner: String

        init(_ system: Register, _ kk: String, _ ru: String, _ en: String, _ owner: String) {
            self.system = system
            self.kk = kk
            self.ru = ru
            self.en = en
            self.owner = owner
        }
    }

    private static let systems: [Entry] = [
        Entry(.individuals, "«Жеке тұлғалар» МДБ", "ГБД «Физические лица»", "SDB Individuals", "Ministry of Justice"),
        Entry(
            .legalEntities, "«Заңды тұлғалар» МДБ", "ГБД «Юридические лица»", "SDB Legal Entities",
            "Ministry of Justice"),
        Entry(
            .realEstate, "«Жылжымайтын мүлік тіркелімі» МДБ", "ГБД «Регистр недвижимости»", "SDB Real Estate Register",
            "Ministry of Justice"),
        Entry(.eNotary, "«Е-Нотариат» АЖ", "ИС «Е-Нотариат»", "IS E-Notary", "Ministry of Justice"),
        Entry(.eLicensing, "«Е-лицензиялау» МДБ", "ГБД «Е-лицензирование»", "IS SDB E-Licensing", "Digital ministry"),
        Entry(.eAkimat, "«Е-Әкімдік» АЖ", "ИС «Е-Акимат»", "IS E-Akimat", "Local executive bodies"),
        Entry(
            .edms, "Бірыңғай электрондық құжат айналымы", "ЕСЭДО государственных органов",
            "Unified EDMS of state bodies", "Digital ministry"),
        Entry(
            .citizensServiceCentre, "Халыққа қызмет көрсету орталығы АЖ", "ИИС ЦОН",
            "Integrated IS Citizens Service Centre", "Government for Citizens"),
        Entry(
            .intranet, "Мемлекеттік органдардың интранет-порталы", "Интранет-портал государственных органов",
            "Intranet portal of state bodies", "Digital ministry"),
        Entry(
            .gateway, "Электрондық үкімет шлюзі", "Шлюз электронного правительства", "Electronic government gateway",
            "NIT"),
        Entry(.payments, "Төлем шлюзі", "Платёжный шлюз", "Payment gateway", "NIT"),
        Entry(.mobile, "«Мобильді үкімет» АЖ", "ИС «Мобильное правительство»", "IS Mobile Government", "NIT"),
        Entry(
            .chatbots, "Әлеуметтік желілердегі чат-боттар", "Чат-боты в социальных сетях",
            "Chatbots in social networks", "NIT"),
        Entry(.portal, "egov.kz порталы", "Портал egov.kz", "E-government portal", "NIT"),
        Entry(.architecture, "Архитектуралық портал", "Архитектурный портал", "Architectural portal", "Zerde"),
    ]
}
