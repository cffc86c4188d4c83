/// What kind of message an envelope carries. Numbers are on the wire.
@usableFromInline
package enum MessageKind: UInt8, Sendable, CaseIterable, Codable {
    case request = 1
    case reply = 2
    case command = 3
    case outcome = 4
    case event = 5
    /// An epoch of a sealing key, submitted once and journaled.
    case keyEpoch = 6
    /// A content key wrapped for one subscribing system.
    case keyWrap = 7

    // Said here and of other numbers of the wire, since the general one of raw values is not inlined in other modules. Nor is
    // any member of a package type that is not usable from inline itself.
    @inlinable
    package static func == (a: MessageKind, b: MessageKind) -> Bool { a.rawValue == b.rawValue }
}

/// The immutable header of a message: written once by the sender, signed, and the associated data of the seal.
///
/// Layout (all numbers little endian, ids big endian): a fixed part of 40 bytes, then each field whose bit is set in
/// `present`, in the order of the bits. `Schemas/wire.md` is the specification, `Schemas/vectors/` its examples.
@usableFromInline
package struct Header: Sendable, Equatable {
    @inlinable package static var format: UInt8 { 1 }
    @inlinable package static var fixedSize: Int { 40 }

    @usableFromInline
    package enum Field: UInt32, CaseIterable, Sendable {
        case correlation = 0
        case causation, expiry, orderKey, subjectReference, contractDigest
        case keyEpoch, counter, publisherSequence, chunk, replaces, traceparent
        case target, consumer, provider, purpose, consent, user, extensions
        @inlinable package var bit: UInt32 { 1 << rawValue }
        /// The bits of all fields: `extensions` is the last.
        static var everyBit: UInt32 { (Field.extensions.bit << 1) - 1 }
    }

    package struct Chunk: Sendable, Equatable {
        package var id: UInt128
        package var index: UInt32
        package var total: UInt32
        package init(id: UInt128, index: UInt32, total: UInt32) {
            self.id = id
            self.index = index
            self.total = total
        }
    }

    /// An extension: types with the top bit set must be understood by the reader, others are skipped.
    package struct Extension: Sendable, Equatable {
        package static let criticalBit: UInt16 = 0x8000
        package var type: UInt16
        package var value: [UInt8]
        package init(type: UInt16, value: [UInt8]) {
            self.type = type
            self.value = value
        }
    }

    package var kind: MessageKind
    /// 0 first … 9 last; 4 unless said otherwise.
    package var priority: UInt8 = 4
    /// 0: not sealed.
    package var sealSuite: UInt8 = 0
    package var id: MessageID
    /// The sender's clock, Unix milliseconds.
    package var created: Int64
    /// 0 fine, else a number of the catalogue; replies and outcomes.
    package var outcome: UInt16 = 0
    /// Time left to answer when it was sent, milliseconds; requests.
    package var remaining: UInt32 = 0

    package var correlation: MessageID = .none
    package var causation: MessageID = .none
    /// Wall-clock expiry, Unix milliseconds; commands and events.
    package var expiry: Int64?
    package var orderKey: UInt128?
    package var subjectReference: UInt128?
    /// SHA-256 of the canonical contract the body was checked against, 32 bytes.
    package var contractDigest: [UInt8]?
    package var keyEpoch: UInt64?
    package var counter: UInt64?
    package var publisherSequence: UInt64?
    package var chunk: Chunk?
    package var replaces: MessageID = .none
    /// W3C trace context in binary: version, trace id, parent id, flags; 26 bytes.
    package var traceparent: [UInt8]?
    /// Service (`system.name.vN`) or event type.
    package var target: String = ""
    package var consumer: String = ""
    package var provider: String = ""
    package var purpose: String = ""
    package var consent: String = ""
    package var user: String = ""
    package var extensions: [Extension] = []

    package init(kind: MessageKind, id: MessageID, created: Int64) {
        self.kind = kind
        self.id = id
        self.created = created
    }

    private var present: UInt32 {
        var bits: UInt32 = 0
        func mark(_ field: Field, _ there: Bool) { if there { bits |= field.bit } }
        mark(.correlation, correlation != .none)
        mark(.causation, causation != .none)
        mark(.expiry, expiry != nil)
        mark(.orderKey, orderKey != nil)
        mark(.subjectReference, subjectReference != nil)
        mark(.contractDigest, contractDigest?.count == 32)
        mark(.keyEpoch, keyEpoch != nil)
        mark(.counter, counter != nil)
        mark(.publisherSequence, publisherSequence != nil)
        mark(.chunk, chunk != nil)
        mark(.replaces, replaces != .none)
        mark(.traceparent, traceparent?.count == 26)
        mark(.target, !target.isEmpty)
        mark(.consumer, !consumer.isEmpty)
        mark(.provider, !provider.isEmpty)
        mark(.purpose, !purpose.isEmpty)
        mark(.consent, !consent.isEmpty)
        mark(.user, !user.isEmpty)
        mark(.extensions, !extensions.isEmpty)
        return bits
    }

    /// The bytes that are signed and travel.
    package func encoded() -> [UInt8] {
        var out = ByteWriter(capacity: 160)
        let present = present
        out.put(Self.format)
        out.put(kind.rawValue)
        out.put(priority)
        out.put(sealSuite)
        out.put(present)
        out.put(id: id.value)
        out.put(created)
        out.put(outcome)
        out.put(UInt16(0))
        out.put(remaining)
        if correlation != .none { out.put(id: correlation.value) }
        if causation != .none { out.put(id: causation.value) }
        if let expiry { out.put(expiry) }
        if let orderKey { out.put(id: orderKey) }
        if let subjectReference { out.put(id: subjectReference) }
        if let contractDigest, contractDigest.count == 32 { out.put(raw: contractDigest) }
        if let keyEpoch { out.put(keyEpoch) }
        if let counter { out.put(counter) }
        if let publisherSequence { out.put(publisherSequence) }
        if let chunk {
            out.put(id: chunk.id)
            out.put(chunk.index)
            out.put(chunk.total)
        }
        if replaces != .none { out.put(id: replaces.value) }
        if let traceparent, traceparent.count == 26 { out.put(raw: traceparent) }
        for text in [target, consumer, provider, purpose, consent, user] where !text.isEmpty { out.put(short: text) }
        if !extensions.isEmpty {
            out.put(UInt16(truncatingIfNeeded: extensions.reduce(0) { $0 + 4 + $1.value.count }))
            for item in extensions {
                out.put(item.type)
                out.put(UInt16(truncatingIfNeeded: item.value.count))
                out.put(raw: item.value)
            }
        }
        return out.finish()
    }
}
