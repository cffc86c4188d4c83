package import BusDirectory
import BusEvidence
import BusProtocol

/// Holds what comes from the broker to what its sender signed.
package struct SenderCheck: Sendable {
    private struct Known: Sendable {
        let system: String
        let id: KeyID
        let key: SenderKey
    }

    package let directory: Directory
    private var checker = ProofChecker()
    /// The last sender whose key was looked up: neighbours mostly share it.
    private var last: Known?

    package init(_ directory: Directory) { self.directory = directory }

    /// What its sender signed, where anybody looked, and why nobody may act on the message; no refusal when it is its sender's, or
    /// when nobody could have signed it.
    struct Verdict {
        var leaf: Digest32?
        var isProven = false
        var refusal: Fault?

        init() {}

        init(_ leaf: Digest32?, isProven: Bool = false, _ refusal: Fault? = nil) {
            self.leaf = leaf
            self.isProven = isProven
            self.refusal = refusal
        }
    }

    /// - Parameter wall: this agent's clock, Unix milliseconds.
    mutating func judge(_ envelope: EnvelopeView, _ raw: UnsafeRawBufferPointer, at wall: Int64) -> Verdict {
        guard let place = Self.placeOfSender(envelope.header, raw) else { return Verdict() }
        let name = raw.part(place)
        let known: Known? = if let last, name.isSame(as: last.system) { last } else { nil }
        let system = known?.system ?? String(decoding: name, as: UTF8.self)
        if envelope.proof.isEmpty, mayBeUnsigned(envelope.header, of: system, at: wall) { return Verdict() }
        let leaf = LogHash.messageLeaf(envelope, in: raw)
        do throws(ProofFault) {
            let directory = directory
            var found: SenderKey?
            let id = try checker.check(
                leaf: leaf, proof: UnsafeRawBufferPointer(rebasing: raw[envelope.proof]),
                signedRoot: UnsafeRawBufferPointer(rebasing: raw[envelope.signedRoot])
            ) { id in
                if let known, known.id == id { return known.key }
                found = directory.key(id, for: system)
                return found
            }
            if let found { last = Known(system: system, id: id, key: found) }
            return Verdict(leaf, isProven: true, Freshness.refusal(of: envelope, in: raw, at: wall))
        } catch {
            // An agent that signs already and whose key the space does not state yet proves no more than one that cannot sign.
            if case .unknownKey = error, mayBeUnsigned(envelope.header, of: system, at: wall) { return Verdict(leaf) }
            return Verdict(leaf, Fault(.badSignature, at: .broker, "\(error)"))
        }
    }

    /// Entries without a signing key have days like those with one. Nobody signed a time, so the header's counts; what asks or answers is
    /// of this moment, and is held to our clock too, as `Freshness` does with what is signed.
    private func mayBeUnsigned(_ header: HeaderView, of system: String, at wall: Int64) -> Bool {
        guard directory.maySendUnsigned(system, at: header.created...header.created) else { return false }
        switch header.kind {
        case .request, .reply: return directory.maySendUnsigned(system, at: Freshness.now(wall))
        case .command, .outcome, .event, .keyEpoch, .keyWrap: return true
        }
    }

    /// What the broker says itself names no provider, and is a fault: neither an answer nor "there is no such record".
    static func isBrokersOwn(_ header: HeaderView) -> Bool {
        header.provider.isEmpty && header.outcome >= FaultCode.badFrame.number
    }

    /// The system in whose name it was sent; `nil` for what the broker says itself.
    ///
    /// Whose an answer or an event is, its target says, whatever name stands beside it: a system without a key, or an accomplice
    /// with one, must not speak for another.
    static func sender(_ header: HeaderView, _ raw: UnsafeRawBufferPointer) -> String? {
        placeOfSender(header, raw).map { String(decoding: raw[$0], as: UTF8.self) }
    }

    /// Where its name stands.
    private static func placeOfSender(_ header: HeaderView, _ raw: UnsafeRawBufferPointer) -> Range<Int>? {
        switch header.kind {
        case .reply, .outcome: isBrokersOwn(header) ? nil : header.targetSystem(in: raw)
        case .event: header.targetSystem(in: raw)
        case .request, .command, .keyEpoch, .keyWrap: header.consumer
        }
    }
}

extension HeaderView {
    /// Where the system stands that the target belongs to: `individuals` of `individuals.person-get.v1`.
    func targetSystem(in frame: UnsafeRawBufferPointer) -> Range<Int> {
        let end = frame[target].firstIndex(of: UInt8(ascii: ".")) ?? target.upperBound
        return target.lowerBound..<end
    }
}
