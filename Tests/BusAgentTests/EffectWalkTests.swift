import BusAgent
import Testing

@Suite struct EffectWalkTests {
    /// A register that writes down what is asked of it.
    private final class Log: EffectStore {
        struct Broken: Error {}
        var steps: [String] = []
        let isKnown: Bool
        let breaksAt: String
        init(isKnown: Bool = false, breaksAt: String = "") {
            self.isKnown = isKnown
            self.breaksAt = breaksAt
        }

        private func note(_ step: String) throws {
            steps.append(step)
            if step == breaksAt { throw Broken() }
        }

        func begin() throws { try note("begin") }
        func remember() throws -> Bool {
            try note("remember")
            return !isKnown
        }
        func effect() throws { try note("effect") }
        func answer() throws { try note("answer") }
        func commit() throws { try note("commit") }
        func rollback() { steps.append("rollback") }
        func settle() { steps.append("settle") }
    }

    private func walk(_ log: Log) throws {
        var walk = EffectWalk()
        while walk.next != nil { try walk.step(on: log) }
    }

    @Test func theAcknowledgementIsLast() throws {
        let log = Log()
        try walk(log)
        #expect(log.steps == ["begin", "remember", "effect", "answer", "commit", "settle"])
    }

    @Test func whatIsKnownIsOnlyAcknowledged() throws {
        let log = Log(isKnown: true)
        try walk(log)
        #expect(log.steps == ["begin", "remember", "rollback", "settle"])
    }

    @Test(arguments: ["begin", "remember", "effect", "answer", "commit"])
    func aFailedStepUndoesAll(step: String) {
        let log = Log(breaksAt: step)
        #expect(throws: Log.Broken.self) { try walk(log) }
        #expect(log.steps.suffix(2) == [step, "rollback"])
        #expect(!log.steps.contains("settle"))
    }
}
