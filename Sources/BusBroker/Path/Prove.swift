import BusEvidence
import BusJournal
import BusProtocol

/// Part of step 1: a message is its sender's only if the sender's agent signed it. An agent whose entry in the directory names a
/// signing key must sign; one without (of an earlier version) is told apart by its transport key alone.
extension BrokerCore {
    mutating func isProven(_ message: JournalBatch.Message, _ raw: UnsafeRawBufferPointer, _ slot: Int) -> Bool {
        guard let key = rights.agents[sessions[slot].agentIndex].sign else { return true }
        do throws(ProofFault) {
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
                let agent = rights.agents[sessions[slot].agentIndex].name
                notice(.warning, "a message is not its sender's", ["agent": agent, "why": "\(error)"])
            }
            return false
        }
    }
}
