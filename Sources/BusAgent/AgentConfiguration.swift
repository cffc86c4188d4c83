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
    /// Where the agent remembers its last receipt and its starts; `nil`: nowhere.
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

    public init(broker: String = "tcp://127.0.0.1:7400", name: String, systems: [String]) {
        self.broker = broker
        self.name = name
        self.systems = systems
    }
}
