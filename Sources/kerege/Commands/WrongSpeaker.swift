import BusAgent
import BusProtocol

/// Why a command may not speak as a system: there is none of that name, or the key is one of others. The broker says only that the two do
/// not fit.
struct WrongSpeaker {
    let system: String
    let standing: SystemStanding
    /// The key's file.
    let key: String
    /// Whether another system would do as well, or the message belongs to this one.
    let mayChoose: Bool

    var failure: Failure {
        let own = standing.own
        guard standing.isInSpace else {
            return Self.failure(
                "there is no system `\(system)`", why: "the space has none of this name; the key \(key) \(belonging)",
                next: mayChoose && !own.isEmpty
                    ? "use \(choice), or name another; kerege systems lists them"
                    : "kerege systems lists them, kerege services what they offer")
        }
        return Self.failure(
            "the key \(key) may not speak as \(system)", why: "it \(belonging)",
            next: (mayChoose && !own.isEmpty ? "use \(choice), or " : "use ") + "a key of \(system) with --key FILE")
    }

    static func failure(_ what: String, why: String, next: String) -> Failure {
        let code = FaultCode.keyNotForSystem
        return Failure(.wrongUse, code.name, "\(code.number) \(code.name): \(what)", why: why, next: next)
    }

    private var belonging: String {
        standing.own.isEmpty ? "belongs to no system" : "belongs to \(standing.own.joined(separator: ", "))"
    }

    private var choice: String {
        guard let only = standing.own.first, standing.own.count == 1 else { return "--as with one of those" }
        return "--as \(only)"
    }
}

extension AgentOptions {
    /// Until a broker that takes part in version 3 of the wire has shown its space.
    private static let spaceWait = Duration.seconds(2)

    /// A fault of a command that spoke as a system. A name, or a key, that does not fit is wrong use, and told as that.
    /// - Parameters:
    ///   - target: the service or event it was about.
    ///   - mayChoose: see `WrongSpeaker`.
    func explain(
        _ fault: BusFault, about target: String?, as system: String, _ agent: Agent, mayChoose: Bool = true
    ) async -> Failure {
        guard fault.code == .keyNotForSystem,
            let standing = await agent.standing(of: system, within: Self.spaceWait), !standing.own.contains(system)
        else { return Self.explain(fault, about: target.map { "\($0) as \(system)" }) }
        return WrongSpeaker(system: system, standing: standing, key: keyPath, mayChoose: mayChoose).failure
    }

    /// A fault of the greeting of an agent that was to serve a system: it was refused before it was shown the space. A guest is shown it.
    func explain(_ fault: BusFault, greetedBy configuration: AgentConfiguration) async -> Failure {
        guard fault.code == .keyNotForSystem, let system = configuration.systems.first else {
            return Self.explain(fault, isGreeting: true)
        }
        var guest = configuration
        guest.systems = []
        let agent: Agent
        do throws(BusFault) { agent = try await Agent.connect(guest) } catch { return Self.explain(fault) }
        let failure = await explain(fault, about: nil, as: system, agent)
        await agent.close()
        return failure
    }
}
