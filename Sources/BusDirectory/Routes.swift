/// The questions of the message path, answered from tables that are built once for a snapshot.
///
/// Access exists only through an integration whose stage is testing or approved. An integration's `index` is its place in
/// `space.integrations`: dense, and valid for this snapshot only; across snapshots use its id.
package struct Routes: Sendable {
    package struct Agent: Sendable, Equatable {
        package var name: String
        package var systems: [String]
        package var roles: [AgentKey.Role]
        /// Ed25519 public key, 64 hexadecimal digits.
        package var sign: String?

        package func serves(_ system: String) -> Bool { systems.contains(system) }
    }

    package struct Service: Sendable, Equatable {
        package var name: String
        package var contract: String
        package var kind: OfferedService.Kind
        package var provider: String
        package var deadline: Milliseconds?
        package var promisedP95: Milliseconds?
        /// Place in `space.services`, valid for this snapshot only.
        package var index: Int
    }

    package struct Way: Sendable, Equatable {
        package var index: Int
        package var id: String
        package var consumer: String
        package var stage: Integration.Stage
        package var service: Service
    }

    /// Why a message may not pass.
    package enum Refusal: Error, Sendable, Equatable, CustomStringConvertible {
        case noSuchService(String)
        case noIntegration(consumer: String, service: String)
        /// The integration exists, its stage opens nothing; `index` counts it as an attempt without approval.
        case stageForbids(index: Int, id: String, stage: Integration.Stage)

        /// Number of the error catalogue.
        package var number: Int {
            switch self {
            case .noSuchService: 404
            case .noIntegration, .stageForbids: 403
            }
        }

        package var description: String {
            switch self {
            case .noSuchService(let service):
                "404: there is no service `\(service)`; see `kerege services`"
            case .noIntegration(let consumer, let service):
                "403: no integration lets `\(consumer)` use `\(service)`; register one in the space"
            case .stageForbids(_, let id, let stage):
                "403: integration `\(id)` is \(stage.rawValue); messages pass when it is testing or approved"
            }
        }
    }

    private struct Pair: Hashable {
        var consumer: UInt32
        var service: UInt32
    }

    package let snapshot: SpaceSnapshot
    private let agents: [String: Agent]
    private let services: [String: Service]
    private let systemIndices: [String: UInt32]
    private let ways: [Pair: Way]
    private let subscribers: [String: [Way]]
    private let agentsBySystem: [String: [String]]

    package init(_ snapshot: SpaceSnapshot) {
        self.snapshot = snapshot
        let space = snapshot.space
        agents = Dictionary(
            space.keys.filter { $0.revoked == nil }.map {
                ($0.curve, Agent(name: $0.agent, systems: $0.systems, roles: $0.roles, sign: $0.sign))
            }, uniquingKeysWith: { first, _ in first })
        services = Dictionary(
            space.services.enumerated().map { index, service in
                (
                    service.name,
                    Service(
                        name: service.name, contract: service.contract, kind: service.kind, provider: service.system,
                        deadline: service.deadline, promisedP95: service.promisedP95, index: index)
                )
            }, uniquingKeysWith: { first, _ in first })
        systemIndices = Dictionary(
            space.systems.enumerated().map { ($1.id, UInt32($0)) }, uniquingKeysWith: { first, _ in first })
        var ways: [Pair: Way] = [:]
        var subscribers: [String: [Way]] = [:]
        for (index, integration) in space.integrations.enumerated() {
            guard let service = services[integration.service], let consumer = systemIndices[integration.consumer] else {
                continue
            }
            let way = Way(
                index: index, id: integration.id, consumer: integration.consumer, stage: integration.stage,
                service: service)
            ways[Pair(consumer: consumer, service: UInt32(service.index))] = way
            if service.kind == .event, integration.stage.permitsTraffic {
                subscribers[service.name, default: []].append(way)
            }
        }
        self.ways = ways
        self.subscribers = subscribers
        var agentsBySystem: [String: [String]] = [:]
        for key in space.keys where key.revoked == nil {
            for system in key.systems { agentsBySystem[system, default: []].append(key.curve) }
        }
        self.agentsBySystem = agentsBySystem
    }

    /// Nil: the key is unknown, 401.
    package func agent(key: String) -> Agent? { agents[key] }

    /// Keys of the agents that may serve a system.
    package func agentKeys(serving system: String) -> [String] { agentsBySystem[system] ?? [] }

    package func mayAct(key: String, for system: String) -> Bool { agents[key]?.serves(system) ?? false }

    package func service(_ name: String) -> Service? { services[name] }

    /// Whether the way from a consumer to a service or event type is open.
    package func way(from consumer: String, to service: String) -> Result<Way, Refusal> {
        guard let offered = services[service] else { return .failure(.noSuchService(service)) }
        guard let system = systemIndices[consumer],
            let way = ways[Pair(consumer: system, service: UInt32(offered.index))]
        else { return .failure(.noIntegration(consumer: consumer, service: service)) }
        guard way.stage.permitsTraffic else {
            return .failure(.stageForbids(index: way.index, id: way.id, stage: way.stage))
        }
        return .success(way)
    }

    /// Only the system an event type belongs to publishes it.
    package func mayPublish(_ event: String, from system: String) -> Bool {
        guard let service = services[event] else { return false }
        return service.kind == .event && service.provider == system
    }

    /// Integrations in testing or approved that receive an event type, by id.
    package func subscribers(of event: String) -> [Way] { subscribers[event] ?? [] }

    /// Event types a system receives, by name.
    package func subscriptions(of system: String) -> [Way] {
        subscribers.values.joined().filter { $0.consumer == system }.sorted { $0.service.name < $1.service.name }
    }
}
