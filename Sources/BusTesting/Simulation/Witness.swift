import BusEvidence
import BusJournal
import BusProtocol

/// What was promised to whom, seen from outside: reads every frame and every batch, and says when a promise was broken.
///
/// It believes nothing but bytes. The first violation ends a run.
struct Witness {
    /// A message as it was written into the journal.
    struct Entry {
        let header: Header
        let digest: Digest32
        let acceptedAt: Int64
    }

    struct Name: Hashable {
        let position: UInt64
        let receiver: String
    }

    /// A subscriber's cursor in an event.
    struct Wish: Hashable {
        let receiver: String
        let event: String
    }

    struct Sender: Hashable {
        let system: String
        let id: MessageID
    }

    private(set) var violation: String?

    /// The journal, by position and by (sender, id).
    var entries: [UInt64: Entry] = [:]
    var positions: [Sender: UInt64] = [:]
    /// Outcomes of providers, by their command.
    var outcomes: [Sender: UInt64] = [:]
    var subscribers: [UInt64: [String]] = [:]
    /// What a receiver is done with: taken, or given up with a code.
    var taken: Set<Name> = []
    /// Given up at some time, also where the record of it was lost.
    var givenUp: Set<Name> = []
    var resent: Set<Name> = []
    /// Wishes on the disk of which nobody was told yet: resends by letter, seeks by how many events they bring back.
    var untoldResends: [Name: Int] = [:]
    var untoldSeeks: [Wish: [Int]] = [:]
    var journalTime: Int64 = 0
    var size: UInt64 = 0
    /// Commands and events whose sender was told that they are durable.
    var promised: Set<Sender> = []
    var spaces: [(canonical: [UInt8], subscribers: [String])] = []
    var subscribersNow: [String] = []

    // Sessions, by route.
    var sessions: [[UInt8]: SessionView] = [:]
    var asked: [MessageID: Int] = [:]
    /// When the consumer of a request stops waiting, by its last submission. Microseconds of the simulation.
    var deadlines: [MessageID: Int64] = [:]
    /// Where agents grant little credit, an answer may wait for it long after its time.
    var judgesDeadlines = true
    var answered: [MessageID: Int] = [:]

    mutating func fail(_ what: @autoclosure () -> String) { if violation == nil { violation = what() } }

    mutating func expect(_ condition: Bool, _ what: @autoclosure () -> String) { if !condition { fail(what()) } }

    // MARK: - The journal

    mutating func durable(_ batch: StoredBatch) {
        expect(batch.committedAt >= journalTime, "time in the journal ran back")
        expect(batch.firstPosition == size + 1, "a gap in the journal before \(batch.firstPosition)")
        journalTime = max(journalTime, batch.committedAt)
        do throws(Fault) {
            try batch.forEach { position, type, payload throws(Fault) in
                size = position
                try note(position, type, &payload)
            }
        } catch { fail("a batch cannot be read: \(error)") }
    }

    private mutating func note(_ position: UInt64, _ type: UInt8, _ payload: inout ByteReader) throws(Fault) {
        switch RecordType(rawValue: type) {
        case .message: try note(MessageRecord(&payload), position)
        case .settled: note(try SettledRecord(&payload))
        case .resent:
            let record = try ResentRecord(&payload)
            let name = Name(position: record.position, receiver: record.receiver)
            resent.insert(name)
            untoldResends[name, default: 0] += 1
        case .erased: noteErased(try ErasedRecord(&payload))
        case .sought:
            let record = try SoughtRecord(&payload)
            untoldSeeks[.init(receiver: record.receiver, event: record.event), default: []].append(
                record.positions.count)
        case .space:
            let bytes = try payload.takeArray(payload.remaining)
            subscribersNow = spaces.first { $0.canonical == bytes }?.subscribers ?? []
        default: break
        }
    }

    private mutating func note(_ record: MessageRecord, _ position: UInt64) throws(Fault) {
        guard let digest = Digest32(record.bodyDigest) else {
            return fail("a digest of \(record.bodyDigest.count) bytes")
        }
        let header = try Header(decoding: record.header)
        entries[position] = Entry(header: header, digest: digest, acceptedAt: record.receivedAt)
        switch header.kind {
        case .command, .event:
            let sender = Sender(system: header.consumer, id: header.id)
            expect(positions[sender] == nil, "\(header.kind) \(header.id) was accepted twice")
            positions[sender] = position
            if header.kind == .event { subscribers[position] = subscribersNow }
        case .outcome:
            let sender = Sender(system: Names.system(of: header.target), id: header.id)
            expect(positions[sender] == nil, "outcome \(header.id) was accepted twice")
            positions[sender] = position
            let command = Sender(system: header.consumer, id: header.correlation)
            guard !header.provider.isEmpty else {
                return expect(outcomes[command] == nil, "the broker concluded \(header.correlation) after its provider")
            }
            expect(outcomes[command] == nil, "command \(header.correlation) has two outcomes of its provider")
            outcomes[command] = position
        case .request, .reply, .keyEpoch, .keyWrap: break
        }
    }

    private mutating func note(_ record: SettledRecord) {
        let name = Name(position: record.position, receiver: record.subscriber)
        if record.code == 0 { taken.insert(name) } else { givenUp.insert(name) }
        guard record.code == FaultCode.expired.number, let entry = entries[record.position], !resent.contains(name)
        else { return }
        expect(
            record.at / 1000 >= Self.expiry(entry),
            "\(entry.header.kind) at \(record.position) expired \(Self.expiry(entry) - record.at / 1000) ms early")
    }

    /// Nobody is owed what was erased, and its time had come.
    private mutating func noteErased(_ record: ErasedRecord) {
        for position in record.positions {
            guard let entry = entries[position] else { return fail("what was erased at \(position) is no message") }
            let receivers: [String] =
                switch entry.header.kind {
                case .command: [Names.system(of: entry.header.target)]
                case .outcome: [entry.header.consumer]
                default: subscribers[position] ?? []
                }
            for receiver in receivers {
                let name = Name(position: position, receiver: receiver)
                expect(
                    taken.contains(name) || givenUp.contains(name),
                    "\(entry.header.kind) at \(position) was erased while \(receiver) was owed it")
            }
            let age = record.at / 1000 - entry.acceptedAt / 1000
            expect(
                age >= SimulatedSpace.retention,
                "\(entry.header.kind) at \(position) was erased after \(age) ms")
        }
    }

    static func expiry(_ entry: Entry) -> Int64 {
        let wanted = entry.header.expiry ?? .max
        guard entry.header.kind == .command else { return wanted }
        return min(wanted, entry.acceptedAt / 1000 + SimulatedSpace.orderDeadline)
    }
}

/// The time of the simulation, and since when the broker's process runs without a pause. Microseconds.
struct BrokerTime {
    let time: Int64
    let awakeSince: Int64
}

/// One session as its frames tell it.
struct SessionView {
    /// Seeks that wait for their DONE, in the order in which they were asked.
    var seeks: [(token: UInt64, wish: Witness.Wish)] = []
    /// Messages by their numbers.
    var numbers: [UInt64: (sender: Witness.Sender, kind: MessageKind)] = [:]
    var received: UInt64 = 0
    /// What the agent is ready to take, as far as the broker has heard.
    var messageLimit: UInt64
    var byteLimit: UInt64
    var delivered: UInt64 = 0
    var deliveredBytes: UInt64 = 0
}
