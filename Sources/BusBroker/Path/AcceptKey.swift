import BusEvidence
import BusJournal
import BusProtocol

/// Keys of what is sealed: epochs and wrapped content keys are journaled once and given to the systems they are for. The broker can
/// open none of them.
extension BrokerCore {
    mutating func acceptKey(
        _ view: EnvelopeView, _ message: JournalBatch.Message, _ raw: UnsafeRawBufferPointer, _ slot: Int, _ now: Moment
    ) {
        guard let header = try? Header(decoding: raw, in: view.header.range), let name = RecordName(header),
            isRecord(of: name, header, view, raw)
        else { return refuse(slot, .badHeader) }
        guard rights.agents[sessions[slot].agentIndex].systems.contains(header.consumer) else {
            return refuse(slot, .keyNotForSystem)
        }
        guard rights.system(header.provider) != nil else { return refuse(slot, .noSuchService) }
        if book.keys.holds(name) {
            counters.duplicates += 1
            return
        }
        if let wait = self[burdenOf: slot, now].keyShare.take(view.cost, at: now.monotonic) {
            return refuse(slot, .quotaExceeded, retryAfter: wait)
        }
        gather(message.counted(.max, 0, keepsBody: true), then: .keep(name, header))
    }

    /// Whether the record is what its header says.
    private func isRecord(
        of name: RecordName, _ header: Header, _ view: EnvelopeView, _ raw: UnsafeRawBufferPointer
    ) -> Bool {
        guard header.sealSuite == 0, (try? KeyRecord.epoch(of: raw[view.body], header.kind)) == name.epoch.epoch else {
            return false
        }
        // A content key is for an event of the system that made it; with the system alone for target it is its order secret.
        return header.kind == .keyWrap
            ? Names.system(of: header.target) == header.consumer : header.target.isEmpty
    }

    /// WANT: only who may speak for the receiving system is given its records; they would be of no use to others.
    mutating func wanted(_ frame: [UInt8], _ head: FrameHead, _ slot: Int, _ now: Moment) throws(Fault) {
        let wish = try frame.reading { raw throws(Fault) in
            var reader = head.fields(of: raw)
            return try KeyWish(&reader)
        }
        guard rights.agents[sessions[slot].agentIndex].systems.contains(wish.system) else {
            throw Fault(.keyNotForSystem, at: .broker, "this key may not speak for \(wish.system)")
        }
        guard self[burdenOf: slot, now].answering < limits.answersAtOnce, sessions[slot].unread.hasRoom(),
            self[burdenOf: slot, now].keyShare.take(1, at: now.monotonic) == nil
        else {
            throw Fault(
                .queueFull, at: .broker, "this agent's last \(limits.answersAtOnce) questions are still being answered",
                retryAfterMilliseconds: 100)
        }
        let positions = wish.epochs.compactMap { book.keys.position(of: $0, for: wish.system) }
        askPublishers(of: wish, slot)
        let session = SessionReference(slot: slot, id: sessions[slot].id)
        guard !positions.isEmpty else { return tell(KeyAnswer(token: wish.token, rows: []), session) }
        self[burdenOf: slot, now].answering += 1
        load(positions.sorted(), for: .keys(session, key: sessions[slot].key, token: wish.token))
    }

    /// A subscriber that came after a content key was made gets it from an agent of its publisher, which alone can wrap it.
    private mutating func askPublishers(of wish: KeyWish, _ asker: Int) {
        let missing = wish.epochs.filter { book.keys.position(of: $0, for: wish.system) == nil }
        for (publisher, epochs) in Dictionary(grouping: missing, by: \.sender) {
            // What no plan lets it have, it need not be told; and its asking must not keep others from asking.
            guard let system = rights.system(publisher), rights.mayHaveKeys(wish.system, of: publisher) else {
                continue
            }
            let order = KeyWish(token: 0, system: wish.system, epochs: epochs)
            // All of them: one may have come without the key.
            for slot in rights.providers[system]
            where slot != asker && sessions[slot].version >= Command.want.since && sessions[slot].unread.hasRoom() {
                transmit(head(.want, slot).frame(order.encoded()), to: slot)
            }
        }
    }

    /// The journal gave the records.
    mutating func finishKeys(_ token: UInt64, _ found: [LoadedMessage], to session: SessionReference) {
        let rows = found.compactMap { item -> KeyAnswer.Row? in
            guard item.hasBody, let header = try? Header(decoding: item.bytes.header), let name = RecordName(header)
            else { return nil }
            return KeyAnswer.Row(name.epoch, event: header.target, record: item.bytes.body)
        }
        tell(KeyAnswer(token: token, rows: rows), session)
    }

    private mutating func tell(_ answer: KeyAnswer, _ session: SessionReference) {
        guard sessions.isLive(session.slot, session.id) else { return }
        transmit(head(.keys, session.slot).frame(answer.encoded()), to: session.slot)
    }
}
