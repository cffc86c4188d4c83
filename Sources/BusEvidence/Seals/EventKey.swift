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

    init(event: String, _ key: SymmetricKey) {
        self.event = event
        self.key = key
        epoch = Self.purpose(event).id(key)
    }

    private static func purpose(_ event: String) -> KeyWrap.Purpose {
        KeyWrap.Purpose(words: .keyWrap, idWords: .eventKeyID, name: event)
    }

    /// The body of the `keyWrap` message for one system.
    package func wrapped(for recipient: SystemPublicKey) throws(SealFault) -> [UInt8] {
        try KeyWrap.wrap(key, Self.purpose(event), for: recipient)
    }

    /// - Parameters:
    ///   - body: of a `keyWrap` message.
    ///   - event: its target.
    package init(
        unwrapping body: some Collection<UInt8>, event: String, with keyOf: (KeyID) -> SystemKey?
    ) throws(SealFault) {
        self.init(event: event, try KeyWrap.unwrap(body, Self.purpose(event), with: keyOf))
    }
}
