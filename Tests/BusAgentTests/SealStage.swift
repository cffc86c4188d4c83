import BusContracts
import BusDirectory
import BusEvidence
import BusProtocol
import Foundation
import Synchronization
import Testing

@testable import BusAgent

/// Two systems with their keys, and the space that states them.
struct SealStage {
    let portal: SealFile
    let register: SealFile
    let space: SpaceSnapshot
    static let service = "register.record-get.v1"
    static let event = "register.changed.v1"
    static let order = "register.record-order.v1"

    /// - Parameters:
    ///   - validity, portalValidity: of the keys.
    ///   - order: id of its secret for order keys, where the space is to state another than it has.
    init(
        _ validity: KeyValidity = KeyValidity(), portalValidity: KeyValidity = KeyValidity(), order: String? = nil
    ) throws {
        portal = SealFile(system: "portal", secret: try SystemKey())
        register = SealFile(system: "register", secret: try SystemKey())
        let day = try #require(CalendarDate("2030-12-31"))
        func integration(_ id: String, _ service: String) -> Integration {
            Integration(
                id: id, consumer: "portal", service: service, owner: "a", planYear: 2026, due: day, stage: .approved
            )
        }
        let space = Space(
            id: "small", title: LocalizedName(en: "Small"),
            broker: BrokerFacts(id: "b", endpoint: "tcp://127.0.0.1:7400"),
            agencies: [Agency(id: "a", name: LocalizedName(en: "A"))],
            systems: ["portal", "register"].map { InformationSystem(id: $0, owner: "a", status: .operation) },
            services: [
                OfferedService(name: Self.service, kind: .request, system: "register"),
                OfferedService(name: Self.event, kind: .event, system: "register"),
                OfferedService(name: Self.order, kind: .command, system: "register"),
            ],
            integrations: [
                integration("one", Self.service), integration("three", Self.order), integration("two", Self.event),
            ],
            // They sign nothing here.
            keys: [
                AgentKey(agent: "portal-1", systems: ["portal"], curve: "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"),
                AgentKey(
                    agent: "register-1", systems: ["register"], curve: "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"),
            ],
            seals: [
                SystemSeal(system: "portal", seal: "\(portal.publicKey)", validity: portalValidity),
                SystemSeal(
                    system: "register", seal: "\(register.publicKey)", order: order ?? register.order.name,
                    validity: validity),
            ])
        self.space = try SpaceSnapshot(space)
    }

    func behaviour(_ agents: String...) -> MiniBroker.Behaviour {
        var behaviour = MiniBroker.Behaviour()
        behaviour.heartbeatMilliseconds = 20_000
        for agent in agents { behaviour.spaces[agent] = space }
        return behaviour
    }

    func agent(
        _ name: String, _ broker: MiniBroker, seals: [SealFile]? = nil, contracts: ContractLibrary? = nil,
        _ prepare: (Agent) -> Void = { _ in }
    ) async throws -> Agent {
        let system = String(name.prefix { $0 != "-" })
        var configuration = AgentConfiguration(broker: broker.endpoint, name: name, systems: [system])
        configuration.timing.keyPatience = 500_000
        configuration.contracts = contracts
        configuration.seals = seals ?? [system == "portal" ? portal : register]
        let agent = try await Agent.connect(configuration, preparing: prepare)
        // The space follows WELCOME.
        if broker.sendsSpace(to: name) { #expect(await comes { agent.spaceVersion == 1 }) }
        return agent
    }
}

/// Runs something that must fail with this number of the catalogue.
func expectFault(_ number: UInt16, at agent: Agent, _ body: () async throws -> Void) async {
    do {
        try await body()
        Issue.record("no fault, \(number) was expected")
    } catch {
        #expect((error as? BusFault)?.number == number, "\(error)")
    }
}

/// Waits until something is so, ten seconds at most.
func comes(_ isSo: () -> Bool) async -> Bool {
    let end = ContinuousClock.now + .seconds(10)
    while !isSo() {
        guard ContinuousClock.now < end else { return false }
        try? await Task.sleep(for: .milliseconds(2))
    }
    return true
}

/// Bodies that reached a handler.
final class Received: Sendable {
    private let lock = NSLock()
    // Guarded by `lock`.
    nonisolated(unsafe) private var all: [[UInt8]] = []
    func add(_ body: [UInt8]) { lock.withLock { all.append(body) } }
    var bodies: [[UInt8]] { lock.withLock { all } }
}
