import BusDirectory
import BusEvidence
import BusProtocol

/// The small space of the simulation: a register with two agents, an archive, and a portal and a bank that ask and subscribe.
enum SimulatedSpace {
    struct Place {
        let agent: String
        let key: String
        let system: String
    }

    static let register = "register"
    static let archive = "archive"
    static let portal = "portal"
    static let bank = "bank"

    static let record = "register.record-get.v1"
    static let order = "register.thing-order.v1"
    static let file = "archive.paper-file.v1"
    static let changed = "register.record-changed.v1"
    static let consumers = [portal, bank]

    /// Keys in Z85 that nobody has the secret of; the core only compares them.
    static let places = [
        Place(agent: "archive-1", key: key("a"), system: archive),
        Place(agent: "bank-1", key: key("b"), system: bank),
        Place(agent: "portal-1", key: key("p"), system: portal),
        Place(agent: "register-1", key: key("r"), system: register),
        Place(agent: "register-2", key: key("s"), system: register),
    ]

    private static func key(_ letter: String) -> String { letter + "q:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf" }

    /// With which the broker signs its log.
    static let logKey = SigningKey(seed: [UInt8](repeating: 8, count: SigningKey.seedSize)) ?? SigningKey()

    /// How long a command stays deliverable, milliseconds.
    static let orderDeadline: Int64 = 12_000
    /// How long bodies of papers and events are kept when they are settled, milliseconds.
    static let retention: Int64 = 1_500
    static let heartbeat: Int64 = 1_000
    static let missed: Int64 = 3

    /// - Parameter isNarrow: the bank may neither order nor receive events.
    static func space(isNarrow: Bool) throws -> Space {
        guard let day = CalendarDate(year: 2030, month: 12, day: 31) else { throw SimulationError.badSpace }
        func integration(_ consumer: String, _ service: String, _ stage: Integration.Stage) -> Integration {
            Integration(
                id: "\(consumer)-\(service.split(separator: ".")[1])", consumer: consumer, service: service,
                owner: "ministry", planYear: 2026, due: day, stage: stage)
        }
        var thresholds = Thresholds.production
        thresholds.heartbeat = .init(interval: Milliseconds(heartbeat), missed: Int(missed))
        let retry = RetryTerms(attempts: 5, first: Milliseconds(40), longest: Milliseconds(600))
        let bankStage: Integration.Stage = isNarrow ? .planned : .approved
        return Space(
            id: "simulated", title: LocalizedName(en: isNarrow ? "Narrow" : "Wide"),
            broker: BrokerFacts(
                id: "b", endpoint: "tcp://127.0.0.1:7400", sign: logKey.publicKey.bytes.hex), thresholds: thresholds,
            agencies: [Agency(id: "ministry", name: LocalizedName(en: "Ministry"))],
            systems: [register, archive, portal, bank].map {
                InformationSystem(id: $0, owner: "ministry", status: .operation)
            },
            services: [
                OfferedService(name: record, kind: .request, system: register, deadline: .seconds(2)),
                OfferedService(
                    name: order, kind: .command, system: register, deadline: Milliseconds(orderDeadline), retry: retry),
                OfferedService(
                    name: file, kind: .command, system: archive, deadline: Milliseconds(orderDeadline), retry: retry,
                    retention: Milliseconds(retention)),
                OfferedService(
                    name: changed, kind: .event, system: register, retry: retry, retention: Milliseconds(retention)),
            ],
            integrations: [
                integration(portal, record, .approved), integration(bank, record, .approved),
                integration(portal, order, .approved), integration(bank, order, bankStage),
                integration(portal, file, .approved), integration(bank, file, .testing),
                integration(portal, changed, .approved), integration(bank, changed, bankStage),
            ], keys: places.map { AgentKey(agent: $0.agent, systems: [$0.system], curve: $0.key) })
    }
}

enum SimulationError: Error { case badSpace }
