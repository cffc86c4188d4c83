import BusAgent
import BusSystems
import Logging

/// Plays the flows an agent's file names, each evenly paced, through the agent.
struct Traffic: Sendable {
    /// Plays of one flow that may run at once; beyond it a play is left out, so that a slow provider is not buried.
    static let playsAtOnce = 64

    private struct Paced: Sendable {
        let flow: Flow
        let every: Duration
        let number: UInt64
    }

    private let flows: [Paced]
    private let bus: AgentBus
    private let population: Population
    private let logger: Logger

    /// - Parameter register: path of the database of the agent's system.
    /// - Throws: `AgentService.Problem` for a flow that does not exist or that another system plays.
    init(_ file: AgentFile, _ agent: Agent, _ adapter: SQLAdapter?, register: String?) async throws {
        flows = try file.traffic.enumerated().map { index, entry in
            guard let flow = Flows.named(entry.flow) else {
                throw AgentService.Problem(
                    description: "\(entry.place): error: there is no flow `\(entry.flow)` — use one of "
                        + Flows.all.filter { file.systems.contains($0.consumer) }.map(\.name).joined(separator: ", "))
            }
            guard file.systems.contains(flow.consumer) else {
                throw AgentService.Problem(
                    description:
                        "\(entry.place): error: the flow `\(entry.flow)` is played by \(flow.consumer) — move it to that agent's file"
                )
            }
            return Paced(flow: flow, every: .microseconds(Int64(1_000_000 / entry.perSecond)), number: UInt64(index))
        }
        population = try await Self.population(adapter)
        bus = AgentBus(agent: agent, registerPath: register)
        logger = agent.configuration.logger
    }

    /// The country the agent's own register was generated for; without a register, the demonstration's.
    private static func population(_ adapter: SQLAdapter?) async throws -> Population {
        let row = try? await adapter?.lookUp("SELECT seed || ' ' || people FROM generation")
        let words = row?.split(separator: " ") ?? []
        guard words.count == 2, let seed = UInt64(words[0]), let people = Int(words[1]), people > 0 else {
            return Population(seed: Population.demonstrationSeed)
        }
        return Population(seed: seed, scale: Scale(oneIn: Scale.maximumPeople / people))
    }

    /// Plays until cancelled, and until the plays under way have ended.
    func run() async {
        await withTaskGroup { group in
            for paced in flows { group.addTask { await play(paced) } }
        }
    }

    private func play(_ paced: Paced) async {
        let clock = ContinuousClock()
        // Flows of one rate do not beat together.
        let start = clock.now.advanced(by: paced.every * Double(paced.number % 7) / 7)
        let base = UInt64.random(in: 0 ... .max)
        var underWay = 0
        await withTaskGroup(of: Void.self) { group in
            var turn: Int64 = 0
            while !Task.isCancelled {
                do { try await clock.sleep(until: start.advanced(by: paced.every * Int(turn))) } catch { break }
                turn += 1
                // After a pause of the machine the missed plays are not made up for.
                let due = (start.duration(to: clock.now) / paced.every).rounded(.down)
                turn = max(turn, Int64(due))
                if underWay >= Self.playsAtOnce {
                    await group.next()
                    underWay -= 1
                }
                underWay += 1
                let seed = base &+ UInt64(turn)
                group.addTask { await play(paced.flow, seed: seed) }
            }
        }
    }

    private func play(_ flow: Flow, seed: UInt64) async {
        var random = SeededRandom(seed: seed)
        do {
            try await flow.run(bus, &random, population)
        } catch {
            guard !Task.isCancelled else { return }
            logger.debug("flow ended with a fault", metadata: ["flow": "\(flow.name)", "fault": "\(error)"])
        }
    }
}

/// The bus as a flow sees it.
private struct AgentBus: FlowBus {
    let agent: Agent
    let registerPath: String?

    func ask(_ service: String, _ body: [UInt8]) async throws -> [UInt8] { try await agent.ask(service, body).body }
    func publish(_ event: String, _ body: [UInt8]) async throws { _ = try await agent.publish(event, body) }
}
