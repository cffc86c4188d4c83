import BusDirectory
import BusEvidence
import BusJournal
import BusProtocol

/// Part of step 1: a message is its sender's only if the sender's agent signed it. An agent whose entry in the directory names a
/// signing key must sign; one without (of an earlier version) is told apart by its transport key alone.
extension BrokerCore {
    /// - Parameter created: as the header says, Unix milliseconds. Without a signature its receivers, and whoever verifies the journal, hold
    ///   it to the days of the entry: what they would refuse must not get into the journal.
    mutating func isProven(
        _ message: JournalBatch.Message, created: Int64, _ raw: UnsafeRawBufferPointer, _ slot: Int
    ) -> Bool {
        let agent = rights.agents[sessions[slot].agentIndex]
        guard let key = agent.sign else { return agent.validity.isValid(at: created) }
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
                notice(.warning, "a message is not its sender's", ["agent": agent.name, "why": "\(error)"])
            }
            return false
        }
    }
}
