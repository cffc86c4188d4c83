import BusDirectory
package import BusEvidence
import BusProtocol
public import Logging
package import ZeroMQ

/// What an agent needs to take part.
public struct AgentConfiguration: Sendable {
    /// Address of the broker, as ZeroMQ writes it.
    public var broker: String
    /// Name of the agent, as the space knows it.
    public var name: String
    /// Systems it speaks for; the first is the one it asks as unless told otherwise.
    public var systems: [String]
    /// Public CURVE key of the broker, Z85. `nil` with `keys` `nil`: a plain connection, which only tests should use.
    public var brokerKey: String?
    /// The agent's own key pair.
    public var keys: KeyFile?
    /// The authority whose spaces this agent takes; `nil`: it takes what the broker sends, which only tests should.
    package private(set) var authority: VerifyingKey?
    /// Secret halves of the seal keys of its systems.
    package var seals: [SealFile] = []
    /// Keys from which references to people are made, of those of its systems that have one.
    package var subjects: [SubjectFile] = []
    /// Where the agent remembers its last receipt, its starts and the newest space; `nil`: nowhere.
    public var dataDirectory: String?
    /// Contracts to check bodies against; `nil`: none are checked.
    public var contracts: ContractLibrary?
    /// Bodies are not JSON of a contract: nothing is checked.
    public var isOpaque = false
    /// Deadline of an `ask` or `publish` that names none.
    public var defaultDeadline: Duration = .seconds(5)
    /// How long `connect` waits for the broker's WELCOME.
    public var connectDeadline: Duration = .seconds(10)
    /// `connect` returns at once and the session opens in the background.
    public var connectsInBackground = false
    /// How long `drain` waits for what is under way.
    public var drainDeadline: Duration = .seconds(10)
    public var logger = Logger(label: "kerege.agent")

    /// A tool that receives for a system for a while: outcomes it has no handler for are left to the system's own agents,
    /// rather than taken and dropped. All other work without a handler is left to them by every agent.
    package var isGuest = false
    package var timing = AgentTiming()
    /// One context for many agents of a process; `nil`: one of its own.
    package var context: Context?

    var signsMessages: Bool { keys?.signing != nil }

    public init(broker: String = "tcp://127.0.0.1:7400", name: String, systems: [String]) {
        self.broker = broker
        self.name = name
        self.systems = systems
    }

    /// Pins the authority of the space: a broker with a space that it did not sign, or with an older one than was seen before, is
    /// refused (4094).
    /// - Parameter path: `authority.pub`.
    /// - Throws: when the file cannot be read or has no such key.
    public mutating func pinAuthority(_ path: String) throws(KeyFile.Problem) {
        authority = try AuthorityFile.publicKey(path)
    }

    /// Reads the keys to which messages for this agent's systems are sealed: `SYSTEM.seal`, for those systems that have one.
    /// - Throws: when a file cannot be read, others may read it, or it is no key.
    public mutating func loadSeals(from directory: String) throws(KeyFile.Problem) {
        seals = []
        for system in systems { seals += try SealFile.all(system: system, in: directory) }
    }

    /// Reads every seal key of a folder: for tools that ask as any system. What they may not read they cannot open.
    package mutating func loadEverySeal(from directory: String) {
        seals = SealFile.systems(in: directory).flatMap { (try? SealFile.all(system: $0, in: directory)) ?? [] }
    }

    /// Reads the keys from which references to people are made: `SYSTEM.subject`, for those systems that have one. An agent with one
    /// marks its signed answers about people and answers `SYSTEM.access-reference.v1` by itself.
    /// - Throws: when a file cannot be read, others may read it, or it is no key.
    public mutating func loadSubjects(from directory: String) throws(KeyFile.Problem) {
        subjects = []
        for system in systems {
            if let subject = try SubjectFile.loadIfPresent(system: system, in: directory) { subjects.append(subject) }
        }
    }
}
