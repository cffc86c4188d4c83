package import BusProtocol
import Crypto
import Foundation

/// Opens what is sealed for the systems an agent serves: takes epoch records and wrapped keys, then messages in any order.
package struct SealOpener: Sendable {
    /// Epochs remembered unless told otherwise; an older one is asked for again.
    package static let epochsRemembered = 4096
    /// Counters remembered over all epochs, to notice a sender that counts twice.
    package static let countersRemembered = 65_536

    private struct Epoch: Sendable {
        var cipher: SealCipher
        /// The key of an event's epoch, to be wrapped for others; `nil` for messages from system to system.
        var event: EventKey?
    }

    private var keys: [KeyID: SystemKey]
    private var epochs: RecentMap<UInt64, Epoch>
    private var opened: OpenedCounters

    /// - Parameter keys: of all systems served, also those that were replaced and may still open something.
    package init(
        _ keys: some Sequence<SystemKey>, epochs: Int = epochsRemembered, counters: Int = countersRemembered
    ) {
        self.keys = Dictionary(keys.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        self.epochs = RecentMap(limit: epochs)
        opened = OpenedCounters(limit: counters)
    }

    package mutating func add(_ key: SystemKey) { keys[key.id] = key }

    /// The content key of an epoch of events, to wrap it for another.
    package func eventKey(_ epoch: UInt64) -> EventKey? {
        epochs[epoch]?.event
    }

    /// The body of a `keyWrap` message whose target is a system: its secret for order keys.
    package func take(orderSecret wrap: some Collection<UInt8>, of system: String) throws(SealFault) -> OrderSecret {
        try OrderSecret(unwrapping: wrap, system: system) { keys[$0] }
    }

    package func knows(_ epoch: UInt64) -> Bool { epochs[epoch] != nil }

    /// The body of a `keyEpoch` message: from now on its messages can be opened.
    @discardableResult
    package mutating func take(record: some Collection<UInt8>) throws(SealFault) -> UInt64 {
        let head = try EpochHead(record, tail: EpochSecrets.confirmationSize)
        guard head.epoch == EpochHead.id(recipient: head.recipient, encapsulated: head.encapsulated) else {
            throw .wrongEpochID
        }
        guard let system = keys[head.recipient] else { throw .unknownRecipient(head.recipient) }
        guard
            let recipient = try? HPKE.Recipient(
                privateKey: system.key, ciphersuite: .kerege, info: Data(Domain.epoch.bytes),
                encapsulatedKey: Data(head.encapsulated)),
            let secrets = EpochSecrets({ try recipient.exportSecret(context: $0, outputByteCount: $1) }),
            SymmetricKey(data: secrets.confirmation)
                == SymmetricKey(data: Array(record.suffix(EpochSecrets.confirmationSize)))
        else { throw .wrongKey }
        epochs.put(Epoch(cipher: SealCipher(secrets.message)), for: head.epoch)
        return head.epoch
    }

    /// The body of a `keyWrap` message with this target: from now on the events of its epoch can be opened.
    @discardableResult
    package mutating func take(wrap: some Collection<UInt8>, event: String) throws(SealFault) -> EventKey {
        let key = try EventKey(unwrapping: wrap, event: event) { keys[$0] }
        epochs.put(Epoch(cipher: SealCipher(key.key), event: key), for: key.epoch)
        return key
    }

    /// The body of a message as it was before it was sealed.
    ///
    /// - Parameters:
    ///   - header: its bytes as they travelled.
    ///   - body: sealed.
    package mutating func open(header: ArraySlice<UInt8>, body: ArraySlice<UInt8>) throws(SealFault) -> [UInt8] {
        let result: Result<[UInt8], SealFault> = header.withUnsafeBytes { header in
            body.withUnsafeBytes { body in
                do throws(SealFault) {
                    guard let view = try? HeaderView(header, in: 0..<header.count) else { throw .malformedHeader }
                    return .success(try open(try SealFields(view, in: header), header: header, body: body))
                } catch { return .failure(error) }
            }
        }
        return try result.get()
    }

    /// The same of a message as it stands in a frame, whose header has been read.
    package mutating func open(
        _ header: HeaderView, body: Range<Int>, in frame: UnsafeRawBufferPointer
    ) throws(SealFault) -> [UInt8] {
        try open(
            try SealFields(header, in: frame), header: UnsafeRawBufferPointer(rebasing: frame[header.range]),
            body: UnsafeRawBufferPointer(rebasing: frame[body]))
    }

    private mutating func open(
        _ fields: SealFields, header: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer
    ) throws(SealFault) -> [UInt8] {
        guard let epoch = epochs.use(fields.epoch) else { throw .unknownEpoch(fields.epoch) }
        guard fields.isEvent ? epoch.event?.event == fields.target : epoch.event == nil else {
            throw .wrongEpoch(fields.epoch)
        }
        guard body.count >= SealCipher.tagSize else { throw .tooShort(body.count) }
        guard let content = epoch.cipher.open(body, header: header, counter: fields.counter) else {
            throw .notAuthentic
        }
        // Only what was sealed so counts: a forged message must not shut out the true one. The same message has the same tag.
        let tag = body.loadUnaligned(fromByteOffset: body.count - SealCipher.tagSize, as: UInt64.self)
        guard opened.note(fields.counter, of: fields.epoch, tag) else { throw .counterReused(fields.counter) }
        return content
    }
}

/// What the header says of the seal.
private struct SealFields {
    let epoch: UInt64
    let counter: UInt64
    let isEvent: Bool
    /// Of events.
    let target: String

    init(_ view: HeaderView, in raw: UnsafeRawBufferPointer) throws(SealFault) {
        guard view.sealSuite != 0 else { throw .notSealed }
        guard view.sealSuite == EpochHead.suite else { throw .unknownSuite(view.sealSuite) }
        guard let epoch = view.number(.keyEpoch, in: raw), let counter = view.number(.counter, in: raw) else {
            throw .fieldsMissing
        }
        self.epoch = epoch
        self.counter = counter
        isEvent = view.kind == .event
        target = isEvent ? String(decoding: raw[view.target], as: UTF8.self) : ""
    }
}
