import BusProtocol
import Testing

@testable import BusEvidence

private let now: Int64 = 1_000_000

private func request(_ number: UInt128 = 1) -> Header {
    var header = Header(kind: .request, id: MessageID(value: 7 << 76 | 0b10 << 62 | number), created: 1)
    header.target = "individuals.person-get.v1"
    header.consumer = "portal"
    header.remaining = 5000
    return header
}

private func event(_ name: String = "individuals.person-born.v1") -> Header {
    var header = Header(kind: .event, id: MessageID(value: 7 << 76 | 0b10 << 62 | 1), created: 1)
    header.target = name
    header.consumer = "individuals"
    return header
}

extension SealOpener {
    fileprivate mutating func open(_ message: SealedMessage) throws(SealFault) -> [UInt8] {
        try open(header: message.header[...], body: message.body[...])
    }
}

private let body = Array(#"{"iin":"000000000000"}"#.utf8)

@Suite struct SealTests {
    private let key: SystemKey
    private let sender: SealSender
    private var opener: SealOpener

    init() throws {
        key = try SystemKey()
        sender = try SealSender(to: key.publicKey, now: now)
        opener = SealOpener([key])
    }

    @Test mutating func whatIsSealedIsOpenedInAnyOrderAndAgain() throws {
        try opener.take(record: sender.record)
        #expect(sender.record.count == 1160 && opener.knows(sender.epoch))
        let sealed = try (0..<20).map { number in
            var header = request(UInt128(number))
            let message = try sender.seal(body + [UInt8(number)], in: &header)
            #expect(header.sealSuite == 1 && header.keyEpoch == sender.epoch && header.counter == UInt64(number + 1))
            #expect(message.header == header.encoded() && message.body.count == body.count + 1 + 16)
            return message
        }
        for number in [19, 3, 3, 0, 19] + Array(0..<20) {
            #expect(try opener.open(sealed[number]) == body + [UInt8(number)])
        }
        #expect(Set(sealed.map { $0.body.prefix(16) }).count == 20, "no two look alike")
    }

    /// Load-sharing: every agent of the system opens everything.
    @Test func anyHolderOfTheKeyOpens() throws {
        var header = request()
        let message = try sender.seal(body, in: &header)
        for _ in 0..<2 {
            var other = SealOpener([try SystemKey(seed: key.seed), try SystemKey()])
            try other.take(record: sender.record)
            #expect(try other.open(message) == body)
        }
    }

    @Test mutating func everyChangedByteIsRefused() throws {
        try opener.take(record: sender.record)
        var header = request()
        let message = try sender.seal(body, in: &header)
        for index in message.body.indices {
            var changed = message.body
            changed[index] ^= 1
            #expect(throws: SealFault.notAuthentic) {
                try opener.open(header: message.header[...], body: changed[...])
            }
        }
        for index in message.header.indices {
            var changed = message.header
            changed[index] ^= 1
            #expect(throws: SealFault.self, "byte \(index)") {
                try opener.open(header: changed[...], body: message.body[...])
            }
        }
        #expect(try opener.open(message) == body)
    }

    @Test mutating func eachWrongHasItsReason() throws {
        var header = request()
        let message = try sender.seal(body, in: &header)
        func fault(_ header: Header, _ body: [UInt8]? = nil) -> SealFault? {
            do throws(SealFault) {
                _ = try opener.open(header: header.encoded()[...], body: (body ?? message.body)[...])
                return nil
            } catch { return error }
        }
        #expect(fault(header) == .unknownEpoch(sender.epoch))
        try opener.take(record: sender.record)

        var other = header
        other.priority = 5
        #expect(fault(other) == .notAuthentic, "another header")
        other = header
        other.counter = 2
        #expect(fault(other) == .notAuthentic, "another counter")
        other = header
        other.sealSuite = 0
        #expect(fault(other) == .notSealed)
        other.sealSuite = 2
        #expect(fault(other) == .unknownSuite(2))
        other = header
        other.counter = nil
        #expect(fault(other) == .fieldsMissing)
        other = header
        other.keyEpoch = nil
        #expect(fault(other) == .fieldsMissing)
        other = header
        other.kind = .event
        #expect(fault(other) == .wrongEpoch(sender.epoch))
        #expect(fault(header, Array(message.body.prefix(15))) == .tooShort(15))
        #expect(fault(header, Array(message.body.dropLast())) == .notAuthentic)
        #expect(throws: SealFault.malformedHeader) { try opener.open(header: [1, 2, 3], body: message.body[...]) }

        // A second epoch is as good as unknown: its key is another.
        let second = try SealSender(to: key.publicKey, now: now)
        try opener.take(record: second.record)
        other = header
        other.keyEpoch = second.epoch
        #expect(fault(other) == .notAuthentic)

        #expect(fault(header) == nil)
        other = header
        other.purpose = "another"
        #expect(fault(other) == .notAuthentic)
        #expect(fault(header) == nil)
    }

    /// A sender whose memory was copied counts twice: that breaks the cipher, so it must not pass in silence.
    @Test mutating func aCopiedSenderIsNoticed() throws {
        let event = "register.changed.v1"
        let content = EventSealer(event: event, now: now).key
        try opener.take(wrap: content.wrapped(for: key.publicKey), event: event)
        func sealed(_ body: String) throws -> SealedMessage {
            // Each copy counts from where the memory was copied.
            let copy = EpochKey(epoch: content.epoch, key: content.key, began: now)
            var header = request(1)
            header.kind = .event
            header.target = event
            return try copy.seal(Array(body.utf8), in: &header)
        }
        let first = try sealed("one")
        #expect(try opener.open(first) == Array("one".utf8))
        let second = try sealed("another")
        #expect(throws: SealFault.counterReused(1)) { try opener.open(second) }
        // The message itself may come again.
        #expect(try opener.open(first) == Array("one".utf8))
    }

    @Test mutating func recordsAreBoundToTheirKeyAndID() throws {
        let record = sender.record
        var stranger = SealOpener([try SystemKey()])
        #expect(throws: SealFault.unknownRecipient(key.id)) { try stranger.take(record: record) }
        for (index, fault) in [
            (0, SealFault.unknownSuite(0)), (1, .malformedRecord), (7, .malformedRecord), (8, .wrongEpochID),
            (15, .wrongEpochID), (16, .wrongEpochID), (24, .wrongEpochID), (1143, .wrongEpochID), (1144, .wrongKey),
            (1159, .wrongKey),
        ] {
            var changed = record
            changed[index] ^= 1
            #expect(throws: fault, "byte \(index)") { try opener.take(record: changed) }
        }
        #expect(throws: SealFault.malformedRecord) { try opener.take(record: record.dropLast()) }
        #expect(throws: SealFault.malformedRecord) { try opener.take(record: record + [0]) }

        // Made for another key, and said to be for this one, with the right id of what it says.
        let other = try SealSender(to: SystemKey().publicKey, now: now).record
        let encapsulated = other[24..<1144]
        let forged = EpochHead(
            epoch: EpochHead.id(recipient: key.id, encapsulated: encapsulated), recipient: key.id,
            encapsulated: encapsulated)
        #expect(throws: SealFault.wrongKey) { try opener.take(record: forged.bytes + other.suffix(16)) }
        #expect(!opener.knows(sender.epoch))
    }

    @Test func anEpochEndsByCountAndByTime() throws {
        #expect(!sender.isSpent(now: now) && !sender.isSpent(now: now + SealSender.lifetime - 1))
        #expect(sender.isSpent(now: now + SealSender.lifetime))
        let small = try SealSender(to: key.publicKey, now: now, limit: 2)
        var header = request()
        for _ in 0..<2 {
            #expect(!small.isSpent(now: now))
            _ = try small.seal(body, in: &header)
        }
        #expect(small.isSpent(now: now))
        #expect(throws: SealFault.epochSpent) { try small.seal(body, in: &header) }
        #expect(header.counter == 2, "a header that was not sealed is not touched")
    }

    @Test func countersAreNeverGivenTwice() async throws {
        let sender = sender
        let counters = try await withThrowingTaskGroup(of: [UInt64].self) { group in
            for _ in 0..<4 {
                group.addTask {
                    try (0..<250).map { _ in
                        var header = request()
                        _ = try sender.seal([], in: &header)
                        return header.counter ?? 0
                    }
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(counters.sorted() == Array(1...1000))
    }

    @Test func aBodyMustFitWithItsTag() throws {
        var header = request()
        #expect(try sender.seal([UInt8](repeating: 1, count: Limits.body - 16), in: &header).body.count == Limits.body)
        #expect(throws: SealFault.bodyTooLarge(Limits.body - 15)) {
            try sender.seal([UInt8](repeating: 1, count: Limits.body - 15), in: &header)
        }
    }

    @Test func epochsAreForgottenOldestFirst() throws {
        var small = SealOpener([key], epochs: 4, counters: 4)
        let senders = try (0..<6).map { _ in try SealSender(to: key.publicKey, now: now) }
        for sender in senders { try small.take(record: sender.record) }
        #expect(!small.knows(senders[0].epoch) && small.knows(senders[5].epoch))
    }

    /// Bytes that another build made: the formats must not drift.
    @Test func recordedBytesAreOpened() throws {
        let vector = try SealVector.load()
        let key = try SystemKey(seed: vector.bytes(vector.seed))
        #expect(key.id.description == vector.keyID)
        var opener = SealOpener([key])
        try opener.take(record: vector.bytes(vector.record))
        #expect(
            try opener.open(header: vector.bytes(vector.header)[...], body: vector.bytes(vector.body)[...])
                == vector.bytes(vector.opened))
        try opener.take(wrap: vector.bytes(vector.wrap), event: vector.event)
        #expect(
            try opener.open(header: vector.bytes(vector.eventHeader)[...], body: vector.bytes(vector.eventBody)[...])
                == vector.bytes(vector.eventOpened))
    }

    @Test func keysHaveSeeds() throws {
        #expect(key.seed.count == 32 && key.publicKey.bytes.count == 1216)
        #expect(try SystemKey(seed: key.seed).publicKey == key.publicKey)
        #expect(try SystemPublicKey(key.publicKey.bytes) == key.publicKey)
        #expect(try SystemKey().id != key.id)
        #expect(throws: SealFault.malformedKey) { try SystemKey(seed: [1]) }
        #expect(throws: SealFault.malformedKey) { try SystemPublicKey([1]) }
        // Right in size alone: it shows when an epoch is begun.
        let wrong = try SystemPublicKey([UInt8](repeating: 255, count: 1216))
        #expect(throws: SealFault.malformedKey) { try SealSender(to: wrong, now: now) }
    }

    /// Contents and keys stay out of whatever is printed of a fault.
    @Test func faultsSayNothingOfContents() {
        let faults: [SealFault] = [
            .notSealed, .unknownSuite(2), .malformedHeader, .fieldsMissing, .unknownEpoch(1), .wrongEpoch(1),
            .tooShort(3), .counterReused(4), .notAuthentic, .malformedRecord, .unknownRecipient(KeyID(value: 1)),
            .wrongKey, .wrongEpochID, .epochSpent, .bodyTooLarge(9), .malformedKey,
        ]
        #expect(Set(faults.map(\.code)).count == faults.count)
        for fault in faults { #expect(fault.description.contains("; "), "what happened, and what to do") }
    }
}

@Suite struct EventKeyTests {
    private let name = "individuals.person-born.v1"
    private let publisher: SystemKey
    private let subscriber: SystemKey
    private let sealer: EventSealer

    init() throws {
        publisher = try SystemKey()
        subscriber = try SystemKey()
        sealer = EventSealer(event: name, now: now)
    }

    @Test func subscribersOpenEvents() throws {
        var header = event()
        let message = try sealer.seal(body, in: &header)
        for key in [publisher, subscriber] {
            var opener = SealOpener([key])
            #expect(throws: SealFault.unknownEpoch(sealer.epoch)) { try opener.open(message) }
            let wrap = try sealer.key.wrapped(for: key.publicKey)
            #expect(wrap.count == 1192)
            #expect(try opener.take(wrap: wrap, event: name).epoch == sealer.epoch)
            #expect(try opener.open(message) == body)
        }
    }

    /// The publisher's own system opens its wrap later and wraps anew, in another process.
    @Test func aLaterSubscriberGetsTheKeyFromThePublishersSystem() throws {
        var header = event()
        let message = try sealer.seal(body, in: &header)
        let own = try sealer.key.wrapped(for: publisher.publicKey)
        let again = try EventKey(unwrapping: own, event: name) { $0 == publisher.id ? publisher : nil }
        var later = SealOpener([subscriber])
        try later.take(wrap: try again.wrapped(for: subscriber.publicKey), event: name)
        #expect(try later.open(message) == body)
    }

    @Test func eachWrongHasItsReason() throws {
        let wrap = try sealer.key.wrapped(for: subscriber.publicKey)
        func fault(_ wrap: [UInt8], _ event: String? = nil, _ key: SystemKey? = nil) -> SealFault? {
            var opener = SealOpener([key ?? subscriber])
            do throws(SealFault) {
                try opener.take(wrap: wrap, event: event ?? name)
                return nil
            } catch { return error }
        }
        #expect(fault(wrap) == nil)
        #expect(fault(wrap, "individuals.person-died.v1") == .wrongKey, "for another event")
        #expect(fault(wrap, nil, publisher) == .unknownRecipient(subscriber.id))
        #expect(fault(Array(wrap.dropLast())) == .malformedRecord)
        for (index, wanted) in [
            (0, SealFault.unknownSuite(0)), (5, .malformedRecord), (8, .wrongKey), (24, .wrongKey), (1144, .wrongKey),
            (1191, .wrongKey),
        ] {
            var changed = wrap
            changed[index] ^= 1
            #expect(fault(changed) == wanted, "byte \(index)")
        }
        var renamed = wrap
        renamed.replaceSubrange(16..<24, with: publisher.id.bytes)
        #expect(fault(renamed, nil, publisher) == .wrongKey)
    }

    /// A publisher cannot give two subscribers two keys under one epoch.
    @Test func aWrappedKeyMustBeTheOneItsEpochNames() throws {
        let purpose = KeyWrap.Purpose(words: .keyWrap, idWords: .eventKeyID, name: name)
        let other = EventSealer(event: name, now: now).key.key
        let wrap = try KeyWrap.wrap(other, purpose, id: sealer.epoch, for: subscriber.publicKey)
        var opener = SealOpener([subscriber])
        #expect(throws: SealFault.wrongEpochID) { try opener.take(wrap: wrap, event: name) }
        #expect(!opener.knows(sealer.epoch))
    }

    @Test func aKeyOpensItsEventAlone() throws {
        var opener = SealOpener([subscriber])
        try opener.take(wrap: sealer.key.wrapped(for: subscriber.publicKey), event: name)
        var header = event()
        let message = try sealer.seal(body, in: &header)
        var other = header
        other.target = "individuals.person-died.v1"
        #expect(throws: SealFault.wrongEpoch(sealer.epoch)) {
            try opener.open(header: other.encoded()[...], body: message.body[...])
        }
        other = header
        other.kind = .request
        #expect(throws: SealFault.wrongEpoch(sealer.epoch)) {
            try opener.open(header: other.encoded()[...], body: message.body[...])
        }
        var wrong = event("individuals.person-died.v1")
        #expect(throws: SealFault.wrongEpoch(sealer.epoch)) { try sealer.seal(body, in: &wrong) }
        #expect(EventSealer(event: name, now: now).epoch != sealer.epoch)
    }
}
