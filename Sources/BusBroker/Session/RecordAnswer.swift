import BusProtocol

/// What somebody is told about a record, once it is on the disk: DONE, and the answers to an operator's orders.
///
/// The wish itself takes effect at once: events and letters may come again before its record is durable, which harms nobody.
enum RecordAnswer: Sendable {
    case sought(BrokerCore.SeekOrigin, count: Int)
    case resent(order: UInt64, [DeadLetter])
}

extension BrokerCore {
    /// Answers when the record at `index` of the gathering batch is durable; at once where nothing was to be written.
    mutating func say(_ answer: RecordAnswer, whenDurable index: Int?) {
        guard let index, !Mutant.isOn(.doneBeforeCommit) else { return say(answer) }
        gathering.effects.append((index, .say(answer)))
    }

    /// - Parameter code: why it failed. A wish whose record could not be written stands as long as this process does: its record
    ///   goes with the next batch, and whoever repeats the wish gets nothing twice.
    mutating func say(_ answer: RecordAnswer, failed code: FaultCode? = nil) {
        switch answer {
        case .sought(.session(let session, _, let token), let count):
            guard sessions.isLive(session.slot, session.id) else { return }
            let done = Done(token: token, code: code?.number ?? 0, count: code == nil ? UInt64(count) : 0)
            transmit(head(.done, session.slot).frame(done.encoded()), to: session.slot)
        case .sought(.order(let number), let count):
            actions.append(.sought(order: number, count: code == nil ? count : nil))
        case .resent(let order, let letters):
            actions.append(.resent(order: order, letters: code == nil ? letters : nil))
        }
    }
}
