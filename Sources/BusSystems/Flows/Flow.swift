#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The bus as a consumer's own software sees it.
package protocol FlowBus: Sendable {
    /// Asks a service and waits for its reply. Bodies are JSON texts.
    /// - Throws: the fault, if there is no reply.
    func ask(_ service: String, _ body: [UInt8]) async throws -> [UInt8]

    /// Publishes an event.
    func publish(_ event: String, _ body: [UInt8]) async throws

    /// The file of the register that this system keeps, for flows that change it. Nil if there is none at hand.
    var registerPath: String? { get }

    /// The present moment, Unix milliseconds; a simulated clock may be given.
    var now: Int64 { get }
}

extension FlowBus {
    package var registerPath: String? { nil }

    package var now: Int64 {
        var time = timespec()
        guard clock_gettime(CLOCK_REALTIME, &time) == 0 else { return 0 }
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}

/// One thing that a system of the space does again and again, for people, companies and plots drawn from the population.
package struct Flow: Sendable {
    package typealias Run = @Sendable (any FlowBus, inout SeededRandom, Population) async throws -> Void

    /// As agents' files name it under `traffic`.
    package let name: String
    /// The system that plays the flow.
    package let consumer: String
    package let summary: String
    /// Every service the flow may ask, in the order it asks.
    package let services: [String]
    /// Events that follow from the flow through the outbox of the consumer's register.
    package let events: [String]
    /// Commands that follow from it in the same way.
    package let commands: [String]
    /// Plays the flow once.
    /// - Throws: a fault of the bus, or `FlowFault` if replies contradict each other.
    package let run: Run

    package init(
        _ name: String, consumer: String, _ summary: String, services: [String], events: [String] = [],
        commands: [String] = [], run: @escaping Run
    ) {
        self.name = name
        self.consumer = consumer
        self.summary = summary
        self.services = services
        self.events = events
        self.commands = commands
        self.run = run
    }
}

extension FlowBus {
    /// The file of the consumer's own register.
    func ownRegister(_ flow: String) throws -> String {
        guard let path = registerPath else { throw FlowFault.noRegister(flow: flow) }
        return path
    }
}

/// A flow got replies, but they do not fit.
package enum FlowFault: Error, Equatable, CustomStringConvertible {
    case unreadable(service: String)
    case missing(service: String, member: String)
    case contradiction(String)
    case noRegister(flow: String)

    package var description: String {
        switch self {
        case .unreadable(let service): "\(service) replied with something that is not a JSON object"
        case .missing(let service, let member): "\(service) replied without \(member), which its contract demands"
        case .contradiction(let what): what
        case .noRegister(let flow):
            "\(flow) changes the register of its own system, and the agent has none: give it a database"
        }
    }
}
