package import BusProtocol
import Crypto
import Foundation
import Synchronization

/// A message as it travels sealed.
package struct SealedMessage: Sendable {
    package let header: [UInt8]
    package let body: [UInt8]
}

/// One epoch of a sender towards one system: seals any number of messages that can be opened in any order, by any agent of that
/// system, also twice.
///
/// An epoch lives in memory alone. A process that starts begins new ones, so that no counter is used twice under one key,
/// whatever was restored from wherever. It is a class, because a copy would count by itself.
package final class SealSender: Sendable {
    /// Of `Header.sealSuite`.
    package static let suite = EpochHead.suite
    /// Bytes by which a body grows.
    package static let growth = SealCipher.tagSize
    /// Messages one epoch seals at most.
    package static let messageLimit: UInt64 = 1 << 20
    /// How long an epoch is used, milliseconds: a day.
    package static let lifetime: Int64 = 86_400_000

    package let recipient: KeyID
    /// The body of the `keyEpoch` message, which must be submitted before the first message of the epoch.
    package let record: [UInt8]
    private let epochKey: EpochKey

    /// - Parameter now: milliseconds of a clock that does not step back.
    package init(
        to recipient: SystemPublicKey, now: Int64, limit: UInt64 = messageLimit
    ) throws(SealFault) {
        self.recipient = recipient.id
        let (head, keys) = try Self.setUp(recipient)
        record = head.bytes + keys.confirmation
        epochKey = EpochKey(epoch: head.epoch, key: keys.message, began: now, limit: limit)
    }

    private static func setUp(_ recipient: SystemPublicKey) throws(SealFault) -> (EpochHead, EpochSecrets) {
        let info = Data(Domain.epoch.bytes)
        guard let sender = try? HPKE.Sender(recipientKey: recipient.key, ciphersuite: .kerege, info: info),
            let secrets = EpochSecrets({ try sender.exportSecret(context: $0, outputByteCount: $1) })
        else { throw .malformedKey }
        let epoch = EpochHead.id(recipient: recipient.id, encapsulated: sender.encapsulatedKey)
        return (EpochHead(epoch: epoch, recipient: recipient.id, encapsulated: sender.encapsulatedKey), secrets)
    }

    package var epoch: UInt64 { epochKey.epoch }

    /// Whether it is time for a new epoch.
    package func isSpent(now: Int64) -> Bool { epochKey.isSpent(now) }

    /// Sets suite, epoch and counter of the header, and seals the body with it.
    package func seal(_ body: [UInt8], in header: inout Header) throws(SealFault) -> SealedMessage {
        try epochKey.seal(body, in: &header)
    }

    /// The same for a header that is encoded already, but for epoch and counter.
    /// - Parameter fill: writes them into it.
    package func seal(
        _ body: [UInt8], _ fill: (_ epoch: UInt64, _ counter: UInt64) -> [UInt8]
    ) throws(SealFault) -> SealedMessage {
        try epochKey.seal(body, fill)
    }
}

/// What both sides get from an epoch's set-up.
struct EpochSecrets {
    static let confirmationSize = 16
    let message: SymmetricKey
    /// Shows a recipient at once whether it has the same key.
    let confirmation: [UInt8]

    init?(_ export: (Data, Int) throws -> SymmetricKey) {
        guard let message = try? export(Data(Domain.seal.bytes), 32),
            let confirmation = try? export(Data(Domain.epochConfirmation.bytes), Self.confirmationSize)
        else { return nil }
        self.message = message
        self.confirmation = confirmation.withUnsafeBytes { Array($0) }
    }
}

/// A key with its counter. The bodies it seals carry their tag behind them.
final class EpochKey: Sendable {
    let epoch: UInt64
    private let cipher: SealCipher
    private let began: Int64
    private let limit: UInt64
    /// Counters given out; the first message has 1.
    private let count = Atomic<UInt64>(0)

    init(epoch: UInt64, key: SymmetricKey, began: Int64, limit: UInt64 = SealSender.messageLimit) {
        self.epoch = epoch
        cipher = SealCipher(key)
        self.began = began
        self.limit = limit
    }

    func isSpent(_ now: Int64) -> Bool {
        now - began >= SealSender.lifetime || count.load(ordering: .relaxed) >= limit
    }

    func seal(_ body: [UInt8], in header: inout Header) throws(SealFault) -> SealedMessage {
        try seal(body) { epoch, counter in
            header.sealSuite = EpochHead.suite
            header.keyEpoch = epoch
            header.counter = counter
            return header.encoded()
        }
    }

    func seal(_ body: [UInt8], _ fill: (UInt64, UInt64) -> [UInt8]) throws(SealFault) -> SealedMessage {
        guard body.count + SealCipher.tagSize <= Limits.body else { throw .bodyTooLarge(body.count) }
        let counter = count.wrappingAdd(1, ordering: .relaxed).newValue
        guard counter <= limit else { throw .epochSpent }
        let bytes = fill(epoch, counter)
        let sealed = body.withUnsafeBytes { body in
            bytes.withUnsafeBytes { cipher.seal(body, header: $0, counter: counter) }
        }
        return SealedMessage(header: bytes, body: sealed)
    }
}
