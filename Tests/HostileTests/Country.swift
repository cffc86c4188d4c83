import BusDirectory
import BusEvidence
import BusProtocol

/// The space these tests attack: a register with two agents, a portal and a bank, all of which sign, and an archive that cannot; and
/// the authority that says so.
struct Country {
    struct Place {
        let agent: String
        let system: String
        /// In Z85; the cores only compare it.
        let curve: String
        let signing: SigningKey?
    }

    static let record = "register.record-get.v1"
    static let order = "register.thing-order.v1"
    static let changed = "register.record-changed.v1"
    static let account = "bank.account-get.v1"
    static let paper = "archive.paper-get.v1"

    static let authority = key(1)
    static let places = [
        Place(agent: "archive-1", system: "archive", curve: curve("a"), signing: nil),
        Place(agent: "bank-1", system: "bank", curve: curve("b"), signing: key(2)),
        Place(agent: "portal-1", system: "portal", curve: curve("p"), signing: key(3)),
        Place(agent: "register-1", system: "register", curve: curve("r"), signing: key(4)),
        Place(agent: "register-2", system: "register", curve: curve("s"), signing: key(5)),
    ]
    /// With which the space says that the broker signs its log: its owner has it too.
    static let log = key(8)
    static let logName = "small/b"
    /// A key of the broker's owner, who is nobody in the space.
    static let brokers = key(9)

    static func key(_ number: UInt8) -> SigningKey {
        SigningKey(seed: [UInt8](repeating: number, count: SigningKey.seedSize)) ?? SigningKey()
    }

    static func signer(of agent: String) -> SigningKey {
        places.first { $0.agent == agent }?.signing ?? brokers
    }

    private static func curve(_ letter: String) -> String { letter + "q:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7" }

    /// - Parameters:
    ///   - note: makes another space of it.
    ///   - change: what it says of the keys.
    static func space(_ note: String = "", keys change: (inout [AgentKey]) -> Void = { _ in }) throws -> Space {
        guard let day = CalendarDate(year: 2030, month: 12, day: 31) else { throw Missing() }
        func integration(_ consumer: String, _ service: String) -> Integration {
            Integration(
                id: "\(consumer)-\(service.split(separator: ".")[1])", consumer: consumer, service: service,
                owner: "ministry", planYear: 2026, due: day, stage: .approved)
        }
        var thresholds = Thresholds.production
        thresholds.heartbeat = .init(interval: .seconds(1), missed: 3)
        var keys = places.map {
            AgentKey(
                agent: $0.agent, systems: [$0.system], curve: $0.curve, sign: $0.signing?.publicKey.bytes.hex)
        }
        change(&keys)
        return Space(
            id: "small", title: LocalizedName(en: "Small"), note: note,
            broker: BrokerFacts(
                id: "b", endpoint: "tcp://127.0.0.1:7400", sign: log.publicKey.bytes.hex), thresholds: thresholds,
            agencies: [Agency(id: "ministry", name: LocalizedName(en: "Ministry"))],
            systems: Set(places.map(\.system)).sorted().map {
                InformationSystem(id: $0, owner: "ministry", status: .operation)
            },
            services: [
                OfferedService(name: record, kind: .request, system: "register", deadline: .seconds(2)),
                OfferedService(name: order, kind: .command, system: "register", deadline: .seconds(3600)),
                OfferedService(name: changed, kind: .event, system: "register"),
                OfferedService(name: account, kind: .request, system: "bank", deadline: .seconds(2)),
                OfferedService(name: paper, kind: .request, system: "archive", deadline: .seconds(2)),
            ],
            integrations: [
                integration("archive", record), integration("bank", order), integration("bank", changed),
                integration("portal", account), integration("portal", changed), integration("portal", order),
                integration("portal", paper), integration("portal", record),
            ], keys: keys)
    }

    /// Versions one after the other, each signed by the authority.
    static func versions(_ spaces: [Space]) throws -> [SignedSpace] {
        var found: [SignedSpace] = []
        for space in spaces {
            found.append(try SignedSpace(SpaceSnapshot(space, after: found.last?.snapshot), by: authority))
        }
        return found
    }

    struct Missing: Error {}
}
