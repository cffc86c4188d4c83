import GRDB

/// Services that citizens order, as orders and applications name them.
let orderedServices = [
    "address-certificate", "absence-of-property-certificate", "person-certificate", "company-participation",
    "kindergarten-queue", "licence-copy",
]

/// E-Akimat: the queue for kindergartens and certificates of the local executive bodies.
struct EAkimatRegister: RegisterContent {
    let tables = """
        CREATE TABLE kindergarten_queue (
            iin TEXT NOT NULL, parent_iin TEXT NOT NULL, kato TEXT NOT NULL, place INTEGER NOT NULL,
            applied TEXT NOT NULL, state TEXT NOT NULL, updated_at INTEGER NOT NULL
        );
        CREATE TABLE certificate (
            number TEXT NOT NULL, kind TEXT NOT NULL, iin TEXT NOT NULL, kato TEXT NOT NULL, issued TEXT NOT NULL,
            valid_until TEXT NOT NULL, updated_at INTEGER NOT NULL
        );
        CREATE TABLE birth_notice (iin TEXT PRIMARY KEY, mother_iin TEXT, kato TEXT NOT NULL, born TEXT NOT NULL);
        CREATE TABLE property_notice (cadastral_number TEXT PRIMARY KEY, kind TEXT NOT NULL, registered TEXT NOT NULL);
        """
    let indexes = """
        CREATE UNIQUE INDEX kindergarten_queue_iin ON kindergarten_queue (iin);
        CREATE INDEX kindergarten_queue_updated ON kindergarten_queue (updated_at);
        CREATE UNIQUE INDEX certificate_number ON certificate (number);
        """

    func steps(_ population: Population) -> Int {
        population.scale.people / Population.householdSize + population.documents(.certificate)
    }

    func fill(_ writer: RegisterWriter) throws {
        try fillQueue(writer)
        try fillCertificates(writer)
    }

    private func fillQueue(_ writer: RegisterWriter) throws {
        let population = writer.population
        var places: [String: Int] = [:]
        var queued = 0
        for number in 0..<population.scale.people / Population.householdSize {
            defer { writer.step() }
            guard let child = population.kindergartenChild(ofHousehold: number), let mother = child.mother else {
                continue
            }
            let kato = population.address(child.address).kato
            places[kato, default: 0] += 1
            defer { queued += 1 }
            var random = population.random(.smallRegister, number)
            let waited = population.epoch.daysSince1970 - child.born.daysSince1970
            try writer.insert(
                "kindergarten_queue",
                [
                    child.iin, population.iin(mother), kato, places[kato],
                    child.born.adding(days: random.below(waited)).text,
                    random.pick(["waiting", "waiting", "waiting", "invited"]), writer.freshness(queued).updated,
                ])
        }
    }

    private func fillCertificates(_ writer: RegisterWriter) throws {
        for index in 0..<writer.population.documents(.certificate) {
            var random = writer.population.random(.smallRegister, index)
            let person = writer.population.applicant(.certificate, index)
            let issued = writer.population.epoch.adding(days: -random.below(400))
            try writer.insert(
                "certificate",
                [
                    writer.population.documentNumber(.certificate, index),
                    random.pick(["family-composition", "personal-subsidiary-farm", "address"]), person.iin,
                    writer.population.address(person.address).kato, issued.text, issued.adding(days: 180).text,
                    writer.freshness(index).updated,
                ])
            writer.step()
        }
    }
}

/// The service centre's applications; the portal's orders have the same life and another table.
struct CitizensServiceCentreRegister: RegisterContent {
    let tables = """
        CREATE TABLE application (
            number TEXT NOT NULL, service TEXT NOT NULL, iin TEXT NOT NULL, state TEXT NOT NULL,
            submitted TEXT NOT NULL, due TEXT NOT NULL, finished TEXT, updated_at INTEGER NOT NULL
        );
        """
    let indexes = """
        CREATE UNIQUE INDEX application_number ON application (number);
        CREATE INDEX application_updated ON application (updated_at);
        """

    func steps(_ population: Population) -> Int { population.documents(.application) }

    func fill(_ writer: RegisterWriter) throws {
        try writer.insertOrders(into: "application", series: .application)
    }
}

/// The portal egov.kz: orders of services, properties it may tell their owners about, and who was given people's data, which it shows to
/// the people.
struct PortalRegister: RegisterContent {
    let tables = """
        CREATE TABLE service_order (
            number TEXT NOT NULL, service TEXT NOT NULL, iin TEXT NOT NULL, state TEXT NOT NULL,
            submitted TEXT NOT NULL, due TEXT NOT NULL, finished TEXT, updated_at INTEGER NOT NULL
        );
        CREATE TABLE property_notice (cadastral_number TEXT PRIMARY KEY, kind TEXT NOT NULL, registered TEXT NOT NULL);
        """
    let indexes = """
        CREATE UNIQUE INDEX service_order_number ON service_order (number);
        CREATE INDEX service_order_updated ON service_order (updated_at);
        """

    let workTables = """
        CREATE TABLE IF NOT EXISTS order_command (row INTEGER PRIMARY KEY, number TEXT NOT NULL);
        CREATE TABLE IF NOT EXISTS access_notice (
            request TEXT PRIMARY KEY, iin TEXT NOT NULL, system TEXT NOT NULL, service TEXT NOT NULL, purpose TEXT NOT NULL,
            at TEXT NOT NULL
        );
        CREATE INDEX IF NOT EXISTS access_notice_iin ON access_notice (iin, at);
        """

    func steps(_ population: Population) -> Int { population.documents(.order) }

    func fill(_ writer: RegisterWriter) throws {
        try writer.insertOrders(into: "service_order", series: .order)
    }
}

/// Mobile government: numbers of telephones bound to people, and their standing consents.
struct MobileRegister: RegisterContent {
    let tables = """
        CREATE TABLE subscriber (
            iin TEXT NOT NULL, phone TEXT NOT NULL, consents TEXT NOT NULL, updated_at INTEGER NOT NULL
        );
        CREATE TABLE birth_offer (iin TEXT PRIMARY KEY, mother_iin TEXT, born TEXT NOT NULL);
        """
    let indexes = """
        CREATE INDEX subscriber_iin ON subscriber (iin);
        CREATE INDEX subscriber_updated ON subscriber (updated_at);
        """

    func steps(_ population: Population) -> Int { population.documents(.order) }

    func fill(_ writer: RegisterWriter) throws {
        for index in 0..<steps(writer.population) {
            // +7 700 000 xx xx is a block nobody is given: the numbers are no person's.
            let person = writer.population.person(index * (writer.population.scale.people / steps(writer.population)))
            try writer.insert(
                "subscriber",
                [person.iin, "+7700000\(padded(index % 10_000, 4))", "[]", writer.freshness(index).updated])
            writer.step()
        }
    }
}

/// Chatbots in social networks: dialogues about applications.
struct ChatbotsRegister: RegisterContent {
    let tables = """
        CREATE TABLE dialogue (
            id INTEGER PRIMARY KEY, channel TEXT NOT NULL, application TEXT NOT NULL, opened TEXT NOT NULL,
            updated_at INTEGER NOT NULL
        );
        """
    let indexes = "CREATE INDEX dialogue_updated ON dialogue (updated_at);"

    func steps(_ population: Population) -> Int { population.documents(.application) / 2 }

    func fill(_ writer: RegisterWriter) throws {
        for index in 0..<steps(writer.population) {
            var random = writer.population.random(.smallRegister, index)
            try writer.insert(
                "dialogue",
                [
                    index + 1, random.pick(["telegram", "whatsapp", "vk"]),
                    writer.population.documentNumber(.application, index * 2),
                    Moment.text(writer.moment(daysBack: 90, &random)), writer.freshness(index).updated,
                ])
            writer.step()
        }
    }
}

extension RegisterWriter {
    /// Orders of services: the due time is 20 minutes or three days after the submission, as the service promises.
    func insertOrders(into table: String, series: DocumentSeries) throws {
        for index in 0..<population.documents(series) {
            var random = population.random(.smallRegister, index)
            let submitted = moment(daysBack: 60, &random)
            let allowed = random.chance(percent: 50) ? 20 * Moment.millisecondsPerMinute : 3 * Moment.millisecondsPerDay
            let state = random.pick(["accepted", "in-progress", "completed", "completed", "completed", "refused"])
            let over = state == "completed" || state == "refused"
            let finished = min(submitted + Int64(random.below(Int(allowed))), asOf)
            try insert(
                table,
                [
                    population.documentNumber(series, index), random.pick(orderedServices),
                    population.applicant(series, index).iin, state, Moment.text(submitted),
                    Moment.text(submitted + allowed), over ? Moment.text(finished) : nil, freshness(index).updated,
                ])
            step()
        }
    }
}
