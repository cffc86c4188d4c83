import BusDirectory

/// The space of these tests: a register that answers and publishes, a portal and a bank that ask and subscribe.
enum Spaces {
    /// Keys in Z85 that no test needs the secret of. The core only compares them.
    static let registerKey = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
    static let register2Key = "sq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
    static let portalKey = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
    static let bankKey = "Zne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
    static let unknownKey = "Xne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"

    static let record = "register.record-get.v1"
    static let changed = "register.record-changed.v1"
    static let order = "register.thing-order.v1"
    static let status = "portal.status-get.v1"

    static func keys(
        register: String = registerKey, register2: String = register2Key, portal: String = portalKey,
        bank: String = bankKey
    ) -> [AgentKey] {
        [
            AgentKey(agent: "register-1", systems: ["register"], curve: register),
            AgentKey(agent: "register-2", systems: ["register"], curve: register2),
            AgentKey(agent: "portal-1", systems: ["portal"], curve: portal),
            AgentKey(agent: "bank-1", systems: ["bank"], curve: bank),
        ]
    }

    /// - Parameter change: what this test's space does differently.
    static func space(keys: [AgentKey] = keys(), _ change: (inout Space) -> Void = { _ in }) throws -> Space {
        guard let day = CalendarDate(year: 2030, month: 12, day: 31) else { throw Missing() }
        func integration(_ id: String, _ consumer: String, _ service: String, _ stage: Integration.Stage) -> Integration
        {
            Integration(
                id: id, consumer: consumer, service: service, owner: "ministry", planYear: 2026, due: day, stage: stage)
        }
        var thresholds = Thresholds.production
        thresholds.heartbeat = .init(interval: .seconds(1), missed: 3)
        var space = Space(
            id: "small", title: LocalizedName(en: "Small"),
            broker: BrokerFacts(id: "b", endpoint: "tcp://127.0.0.1:7400"),
            thresholds: thresholds, agencies: [Agency(id: "ministry", name: LocalizedName(en: "Ministry"))],
            systems: ["bank", "portal", "register"].map {
                InformationSystem(id: $0, owner: "ministry", status: .operation)
            },
            services: [
                OfferedService(name: record, kind: .request, system: "register", deadline: .seconds(2)),
                OfferedService(name: changed, kind: .event, system: "register"),
                OfferedService(name: order, kind: .command, system: "register", deadline: .seconds(60)),
                OfferedService(name: status, kind: .request, system: "portal", deadline: .seconds(2)),
            ],
            integrations: [
                integration("bank-changes", "bank", changed, .testing),
                integration("bank-record", "bank", record, .planned),
                integration("portal-changes", "portal", changed, .approved),
                integration("portal-record", "portal", record, .approved),
                integration("z-bank-order", "bank", order, .testing),
                integration("z-portal-order", "portal", order, .approved),
            ], keys: keys)
        change(&space)
        return space
    }

    struct Missing: Error {}
}

/// More of a space than the small one has.
enum OfferedServiceFixture {
    static func command(_ name: String) -> OfferedService {
        OfferedService(name: name, kind: .command, system: "register", deadline: .seconds(60))
    }

    static func integration(_ id: String, _ consumer: String, _ service: String, _ space: Space) -> Integration {
        var integration = space.integrations[0]
        integration.id = id
        integration.consumer = consumer
        integration.service = service
        integration.stage = .approved
        return integration
    }
}
