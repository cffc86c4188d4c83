/// Connects an agent to the technology of its system: a database, an HTTP service, a folder.
///
/// To add the next one, conform a type here and make it in `AgentFile.adapter`. An adapter never blocks the agent's thread nor
/// Swift's shared pool: it works on threads of its own and answers through what it was handed.
package protocol Adapter: Sendable {
    /// Registers handlers. Runs before the broker hears of the agent.
    func attach(to agent: Agent)
    /// Does what comes from the system's side (outbox, heartbeat) until the task is cancelled.
    func run(_ agent: Agent) async
    /// Ends its threads, after the agent has ended.
    func close()
}
