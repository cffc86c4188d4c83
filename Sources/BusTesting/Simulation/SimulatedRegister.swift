import BusAgent
import BusProtocol

/// The durable store of one system, shared by its agents: what is committed here survives everything.
final class SimulatedRegister {
    /// An effect as the register keeps it.
    struct Effect {
        let tag: UInt64
        let kind: MessageKind
        let id: MessageID
        let position: UInt64
        let orderKey: UInt128
        /// Outcomes: of which command, and how it ended; whether the broker said so itself.
        let command: MessageID
        let code: UInt16
        let isBrokers: Bool
        let step: Int
    }

    /// A message to be sent: its bytes stand here before they leave for the first time.
    struct Row {
        enum State: Equatable { case open, taken, refused(FaultCode) }
        let kind: MessageKind
        let id: MessageID
        let header: [UInt8]
        let body: [UInt8]
        var state = State.open
    }

    /// A command whose outcome follows later.
    struct Promise {
        let header: Header
        let task: SimulatedTask
    }

    let system: String
    var inbox: Set<MessageID> = []
    var effects: [Effect] = []
    var rows: [Row] = []
    /// Rows before this one are all ended.
    var firstOpen = 0
    var promises: [MessageID: Promise] = [:]
    /// The one transaction that may be open.
    var holder: SimulatedJob?

    init(_ system: String) { self.system = system }

    func end(_ row: Int, as state: Row.State) {
        guard rows[row].state == .open else { return }
        rows[row].state = state
        while firstOpen < rows.count, rows[firstOpen].state != .open { firstOpen += 1 }
    }
}

/// A delivery an agent works on: one transaction of its register, and then the acknowledgement.
final class SimulatedJob: EffectStore {
    let delivery: Delivery
    let header: Header
    /// Nil: the outcome of a broker, which is no task of anybody.
    let task: SimulatedTask?
    let register: SimulatedRegister
    var walk = EffectWalk()
    /// What the agent says about it in the end.
    var verdict: Settled?
    private let makeOutcome: (Header, SimulatedTask) -> SimulatedRegister.Row
    private let step: () -> Int
    private var staged: (effect: SimulatedRegister.Effect?, row: SimulatedRegister.Row?, promise: Bool, id: MessageID?)

    init(
        _ delivery: Delivery, _ header: Header, _ register: SimulatedRegister, step: @escaping () -> Int,
        outcome: @escaping (Header, SimulatedTask) -> SimulatedRegister.Row
    ) {
        self.delivery = delivery
        self.header = header
        self.register = register
        self.step = step
        task = SimulatedTask(delivery.frame[delivery.envelope.body])
        makeOutcome = outcome
        staged = (nil, nil, false, nil)
    }

    func begin() throws { register.holder = self }

    func remember() throws -> Bool {
        guard !register.inbox.contains(header.id) else { return false }
        staged.id = header.id
        return true
    }

    func effect() throws {
        staged.effect = SimulatedRegister.Effect(
            tag: task?.tag ?? 0, kind: header.kind, id: header.id, position: delivery.annotations.position,
            orderKey: header.orderKey ?? 0, command: header.correlation, code: header.outcome,
            isBrokers: header.provider.isEmpty, step: step())
    }

    func answer() throws {
        guard header.kind == .command, let task else { return }
        if task.manner == .deferred { staged.promise = true } else { staged.row = makeOutcome(header, task) }
    }

    func commit() throws {
        // A crash may have come between; then this job is gone and another one holds the register.
        guard register.holder === self else { return }
        if let id = staged.id { register.inbox.insert(id) }
        if let effect = staged.effect { register.effects.append(effect) }
        if let row = staged.row { register.rows.append(row) }
        if staged.promise, let task { register.promises[header.id] = .init(header: header, task: task) }
        register.holder = nil
    }

    func rollback() {
        staged = (nil, nil, false, nil)
        if register.holder === self { register.holder = nil }
    }

    func settle() { verdict = .handled }
}
