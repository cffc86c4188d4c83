import Testing

@testable import BusAgent

/// A register in memory that can end at any step, as a process does.
private final class CrashingStore: CommandStore {
    struct Crash: Error {}
    struct State: Equatable {
        var inbox: Set<String> = []
        var effects: [String] = []
        var told: [String] = []
    }

    final class Steps: CommandTransaction {
        let store: CrashingStore
        var state: State
        init(_ store: CrashingStore) {
            self.store = store
            state = store.durable
        }

        func begin() throws { try store.step() }
        func commit() throws {
            try store.step()
            store.durable = state
        }
        func rollback() { state = store.durable }

        func remember(_ command: TakenCommand) throws -> Bool {
            try store.step()
            return state.inbox.insert(command.id).inserted
        }

        func change(for command: TakenCommand) throws -> CommandEnd? {
            try store.step()
            if let refusal = command.refusal { return .refused(refusal) }
            state.effects.append(command.id)
            return store.isLate ? nil : .completed([])
        }

        func tell(_ end: CommandEnd, of command: TakenCommand) throws {
            try store.step()
            state.told.append(command.id)
        }
    }

    var durable = State()
    var isLate = false
    /// Steps left until the process ends.
    var stepsLeft = Int.max

    func step() throws {
        guard stepsLeft > 0 else { throw Crash() }
        stepsLeft -= 1
    }

    func lend(_ work: (Steps) throws -> Void) throws { try work(Steps(self)) }
}

@Suite("Carrying out")
struct CarryOutTests {
    @Test(arguments: 0...6, [false, true])
    func whereverTheProcessEndsTheEffectIsOne(_ steps: Int, _ isLate: Bool) {
        let store = CrashingStore()
        store.isLate = isLate
        let command = TakenCommand(id: "c", service: "land.mark.v1", consumer: "notary")
        store.stepsLeft = steps
        var isAcknowledged = false
        CarryOut.run(command, in: store) { result in
            // An acknowledgement that gets out stands for a commit.
            if case .success = result { isAcknowledged = true }
        }
        #expect(isAcknowledged == (store.durable.inbox == ["c"]))
        #expect(store.durable.effects.count == store.durable.inbox.count)
        store.stepsLeft = .max
        for _ in 0..<2 { CarryOut.run(command, in: store) { #expect(throws: Never.self, performing: $0.get) } }
        #expect(store.durable == .init(inbox: ["c"], effects: ["c"], told: isLate ? [] : ["c"]))
    }

    @Test func manyCommandsInAnyOrderWithCrashesHaveOneEffectEach() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix(seed)
        let store = CrashingStore()
        var open = (0..<50).map { TakenCommand(id: "c\($0)", service: "land.mark.v1", consumer: "notary") }
        let all = Set(open.map(\.id))
        while let index = open.indices.randomElement(using: &random) {
            store.stepsLeft = Int.random(in: 0...7, using: &random)
            var isDone = false
            CarryOut.run(open[index], in: store) { if case .success = $0 { isDone = true } }
            // Half of the acknowledgements are lost.
            if isDone, Bool.random(using: &random) { open.remove(at: index) }
        }
        #expect(store.durable.effects.count == 50 && Set(store.durable.effects) == all, "seed \(seed)")
        #expect(store.durable.told.count == 50 && Set(store.durable.told) == all, "seed \(seed)")
    }
}
