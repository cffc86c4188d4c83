import BusProtocol

/// A request between acceptance and answer.
struct Call: Sendable {
    enum State: Sendable {
        /// In a batch that is not yet durable, or waiting for an agent's credit.
        case accepted
        /// With a provider's agent.
        case delivered
        /// Its reply is in a batch that is not yet durable.
        case answered
    }

    let id: MessageID
    /// The consumer's session: slot and id, because slots are reused.
    var consumer: SessionReference
    var consumerAgent: Int
    var integration: UInt32
    let stage: UInt8
    var provider: Int
    /// Monotonic microseconds.
    let deadline: Int64
    let acceptedAt: Int64
    /// First eight bytes of the request's leaf hash.
    var fingerprint: UInt64 = 0
    /// What its reply must repeat: the names, hashed with this process's own seed.
    var target = 0
    var consumerName = 0
    /// Where these names were last found among the decisions.
    var namesRow = -1
    /// The consumer's system has a seal key: the reply must be sealed for it.
    var sealsReply = false
    var providerSession: SessionReference?
    var state: State = .accepted
    /// Submitted more than once: the ACCEPT of the first submission may not reach who waits for it now.
    var isRepeated = false
    var times = HopTimes()
    /// Request until it goes to an agent or waits for one's credit, then the reply until it is durable. The frame it came in must
    /// not live as long as the slowest request in it.
    var envelope: OutgoingEnvelope?
    var outcome: UInt16 = 0

    /// Its reply came. Unix microseconds.
    /// - Returns: what the reply counts for.
    mutating func take(
        _ reply: consuming OutgoingEnvelope, _ outcome: UInt16, at time: Int64
    ) -> (integration: UInt32, stage: UInt8) {
        state = .answered
        times.replyIn = time
        self.outcome = outcome
        envelope = reply
        return (integration, stage)
    }
}

package struct SessionReference: Sendable, Equatable {
    var slot: Int
    var id: UInt64
}

/// A call by slot and generation: stays safe to hold when the call has ended and the slot was reused.
struct CallReference: Sendable, Equatable {
    var slot: Int32
    var generation: UInt32
}

/// Open calls in slots, found by request id.
struct CallTable: Sendable {
    private var slots: [Call?] = []
    private var generations: [UInt32] = []
    private var free: [Int32] = []
    private var byID: [MessageID: Int32] = [:]

    var count: Int { byID.count }

    func reference(_ id: MessageID) -> CallReference? {
        guard let slot = byID[id] else { return nil }
        return CallReference(slot: slot, generation: generations[Int(slot)])
    }

    func isOpen(_ reference: CallReference) -> Bool {
        generations[Int(reference.slot)] == reference.generation && slots[Int(reference.slot)] != nil
    }

    /// Only for open calls.
    subscript(reference: CallReference) -> Call {
        _read { yield slots[Int(reference.slot)]! }
        _modify { yield &slots[Int(reference.slot)]! }
    }

    mutating func insert(_ call: Call) -> CallReference {
        let slot = free.popLast() ?? Int32(slots.count)
        if Int(slot) == slots.count {
            slots.append(call)
            generations.append(0)
        } else {
            slots[Int(slot)] = call
        }
        byID[call.id] = slot
        return CallReference(slot: slot, generation: generations[Int(slot)])
    }

    mutating func remove(_ reference: CallReference) { _ = take(reference) }

    /// The call, which ends.
    mutating func take(_ reference: CallReference) -> Call? {
        guard isOpen(reference), let call = slots[Int(reference.slot)].take() else { return nil }
        byID[call.id] = nil
        generations[Int(reference.slot)] &+= 1
        free.append(reference.slot)
        return call
    }

    /// Every open call that satisfies a condition; for rare events such as a lost agent.
    func references(where condition: (Call) -> Bool) -> [CallReference] {
        slots.indices.compactMap { slot in
            guard let call = slots[slot], condition(call) else { return nil }
            return CallReference(slot: Int32(slot), generation: generations[slot])
        }
    }
}
