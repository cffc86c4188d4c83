import BusDirectory
import BusEvidence
import BusJournal
import BusProtocol

/// Part of step 1: a message is its sender's only if the sender's agent signed it. An agent whose entry in the directory names a
/// signing key must sign; one without (of an earlier version) is told apart by its transport key alone, on the days of its entry.
extension BrokerCore {
    mutating func isProven(
        _ header: HeaderView, _ message: JournalBatch.Message, _ raw: UnsafeRawBufferPointer, _ slot: Int
    ) -> Bool {
        let index = sessions[slot].agentIndex
        let key = rights.agents[index].sign
        // Of most agents of before nothing more is asked: their entries have no days.
        if key == nil, message.proof.isEmpty, rights.agents[index].unsigned?.contains(header.created) ?? false {
            return true
        }
        do throws(ProofFault) {
            guard let key else {
                try judgeUnstated(header, message, raw)
                return true
            }
            try proofs.check(
                leaf: message.leaf, proof: UnsafeRawBufferPointer(rebasing: raw[message.proof]),
                signedRoot: UnsafeRawBufferPointer(rebasing: raw[message.signedRoot])
            ) { id in id == key.key.id ? key : nil }
            return true
        } catch {
            counters.badProofs += 1
            // Once a session: who signs wrongly does so with every message.
            if !sessions[slot].isUnproven {
                sessions[slot].isUnproven = true
                let agent = rights.agents[index].name
                notice(.warning, "a message is not its sender's", ["agent": agent, "why": "\(error)"])
            }
            return false
        }
    }

    /// What an agent says whose entry states no signing key, by the rule of its receivers: what they would refuse, and `kerege journal
    /// verify` would complain of for ever, gets into no journal. The time is that of the header: nobody signed another.
    private mutating func judgeUnstated(
        _ header: HeaderView, _ message: JournalBatch.Message, _ raw: UnsafeRawBufferPointer
    ) throws(ProofFault) {
        guard let sender = (try? Header(decoding: raw, in: header.range))?.sender else { throw .absent }
        let directory = rights.directory
        var found = ProofFault.absent
        if !message.proof.isEmpty {
            do throws(ProofFault) {
                try proofs.check(
                    leaf: message.leaf, proof: UnsafeRawBufferPointer(rebasing: raw[message.proof]),
                    signedRoot: UnsafeRawBufferPointer(rebasing: raw[message.signedRoot])
                ) { id in directory.key(id, for: sender) }
                return
            } catch {
                // It may sign already with the key that its entry does not state yet; a proof that is wrong is nobody's.
                guard case .unknownKey = error else { throw error }
                found = error
            }
        }
        // Another entry may count then: what waited in an outbox is of before this one.
        guard directory.maySendUnsigned(sender, at: header.created...header.created) else { throw found }
    }
}
