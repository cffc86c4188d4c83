package import BusProtocol
import Crypto
import Foundation

/// One epoch of a publisher's agent for one event: one content key, wrapped for each subscribing system and for the publisher's
/// own. Lives in memory alone, like `SealSender`; when a subscriber goes, a new one begins.
package final class EventSealer: Sendable {
    package let key: EventKey
    private let epochKey: EpochKey

    /// - Parameters:
    ///   - event: the event's name, the target of its messages.
    ///   - now: milliseconds of a clock that does not step back.
    package init(event: String, now: Int64) {
        key = EventKey(event: event, SymmetricKey(size: .bits256))
        epochKey = EpochKey(epoch: key.epoch, key: key.key, began: now)
    }

    package var epoch: UInt64 { key.epoch }

    /// Whether it is time for a new epoch.
    package func isSpent(now: Int64) -> Bool { epochKey.isSpent(now) }

    /// Sets suite, epoch and counter of the header, and seals the body with it.
    package func seal(_ body: [UInt8], in header: inout Header) throws(SealFault) -> SealedMessage {
        guard header.kind == .event, header.target == key.event else { throw .wrongEpoch(epoch) }
        return try epochKey.seal(body, in: &header)
    }
}

/// The content key of one event and epoch. It only opens and is wrapped; sealing is its `EventSealer`'s, which alone counts.
package struct EventKey: Sendable {
    package let event: String
    package let epoch: UInt64
    let key: SymmetricKey

    fileprivate init(event: String, _ key: SymmetricKey) {
        self.event = event
        self.key = key
        epoch = Self.id(event, key)
    }

    /// The epoch is named by its key, so that all subscribers have the same one.
    private static func id(_ event: String, _ key: SymmetricKey) -> UInt64 {
        let digest = key.withUnsafeBytes {
            SHA256.hash(data: Domain.eventKeyID.bytes + Array(event.utf8) + [0] + Array($0))
        }
        return UInt64(littleEndian: Digest32(digest).a)
    }

    /// The body of the `keyWrap` message for one system.
    package func wrapped(for recipient: SystemPublicKey) throws(SealFault) -> [UInt8] {
        guard
            var sender = try? HPKE.Sender(
                recipientKey: recipient.key, ciphersuite: .kerege, info: Data(Domain.keyWrap.bytes))
        else { throw .malformedKey }
        let head = EpochHead(epoch: epoch, recipient: recipient.id, encapsulated: sender.encapsulatedKey)
        guard let wrapped = try? sender.seal(key.withUnsafeBytes { Data($0) }, authenticating: Self.bound(head, event))
        else {
            throw .malformedKey
        }
        return head.bytes + Array(wrapped)
    }

    static let wrappedSize = 32 + SealedBody.tagSize

    /// - Parameters:
    ///   - body: of a `keyWrap` message.
    ///   - event: its target.
    package init(
        unwrapping body: some Collection<UInt8>, event: String, with keyOf: (KeyID) -> SystemKey?
    ) throws(SealFault) {
        let head = try EpochHead(body, tail: Self.wrappedSize)
        guard let system = keyOf(head.recipient) else { throw .unknownRecipient(head.recipient) }
        guard
            var recipient = try? HPKE.Recipient(
                privateKey: system.key, ciphersuite: .kerege, info: Data(Domain.keyWrap.bytes),
                encapsulatedKey: Data(head.encapsulated)),
            let key = try? recipient.open(
                Data(body.suffix(Self.wrappedSize)), authenticating: Self.bound(head, event))
        else { throw .wrongKey }
        self.init(event: event, SymmetricKey(data: key))
        guard epoch == head.epoch else { throw .wrongEpochID }
    }

    private static func bound(_ head: EpochHead, _ event: String) -> Data { Data(head.fixed + Array(event.utf8)) }
}
