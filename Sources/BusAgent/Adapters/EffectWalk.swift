import BusProtocol

/// The steps by which a delivered message has one effect, however often it comes and wherever the process ends in between.
package enum EffectStep: Sendable, CaseIterable {
    /// A transaction of the register opens.
    case begin
    /// The message's id goes into the inbox; what stands there already has had its effect.
    case remember
    case effect
    /// What is to be said about it goes into the outbox, with its bytes.
    case answer
    case commit
    /// Only now may the broker forget it.
    case settle

    package static var order: [EffectStep] {
        Mutant.isOn(.ackBeforeCommit) ? [.begin, .remember, .effect, .answer, .settle, .commit] : allCases
    }
}

/// A register as these steps see it: one transaction for one message.
package protocol EffectStore {
    func begin() throws
    /// False when the message was taken before.
    func remember() throws -> Bool
    func effect() throws
    func answer() throws
    func commit() throws
    func rollback()
    /// Acknowledges the delivery.
    func settle()
}

/// One message on its way through the steps; whoever drives it may stop, or die, after any of them.
package struct EffectWalk: Sendable {
    private var left = EffectStep.order[...]

    package init() {}

    package var next: EffectStep? { left.first }

    /// Takes the next step.
    /// - Throws: what the store throws; the transaction is then undone, and the message has had no effect.
    package mutating func step(on store: some EffectStore) throws {
        guard let step = left.popFirst() else { return }
        do {
            switch step {
            case .begin: try store.begin()
            case .remember: if try !store.remember() { skip(store) }
            case .effect: try store.effect()
            case .answer: try store.answer()
            case .commit: try store.commit()
            case .settle: store.settle()
            }
        } catch {
            store.rollback()
            left = []
            throw error
        }
    }

    /// It had its effect before: the broker only has to be told.
    private mutating func skip(_ store: some EffectStore) {
        store.rollback()
        left = [.settle]
    }
}
