import BusDirectory
import BusIntegrations
import BusProtocol
import Foundation
import Testing

@testable import BusBroker
@testable import BusJournal

/// A broker that starts on a damaged journal is refused with the place, or knows exactly what it knew at some commit.
@Suite("Starting on damaged journals", .timeLimit(.minutes(60)))
struct DamagedStartTests {
    private static let isLong = ProcessInfo.processInfo.environment["KEREGE_LONG"] == "1"
    private static let noon: Int64 = 1_790_000_000_000_000
    private static let batches = 12

    /// What a broker knows after its start.
    private struct Known: Hashable {
        var space: [UInt8]?
        var ledger: Data?
        var deliveries: [String]

        init(_ recovery: Recovery) throws {
            space = recovery.snapshot?.canonical
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            ledger = try recovery.ledger.map { try encoder.encode($0) }
            let book = BookSummary(recovery.deliveries.book)
            deliveries = book.messages + book.owed + book.dead + book.outcomes.sorted()
        }
    }

    private struct Files {
        var database: [UInt8]
        var wal: [UInt8]
    }

    /// - Parameter closes: stopped in good order, rather than killed.
    private func written(closes: Bool) throws -> (files: Files, known: Set<Known>) {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let journal = try Journal(folder: folder, prefilling: 0)
        var known: Set<Known> = [try Known(Recovery(folder: folder, limits: BrokerLimits()))]
        for number in 0..<Self.batches {
            _ = try journal.commit(try batch(number), at: Self.noon + Int64(number) * 1_000_000)
            let recovery = try Recovery(folder: folder, limits: BrokerLimits())
            known.insert(try Known(recovery))
            if number % 4 == 3, let snapshot = recovery.snapshot, let ledger = recovery.ledger {
                try journal.saveView(ReadModel.spaceViewName, position: recovery.position, snapshot.canonical)
                try journal.saveView(
                    ReadModel.viewName, position: recovery.position, [UInt8](try JSONEncoder().encode(ledger)))
            }
            if number == 6 { try journal.copyIntoDatabase() }
        }
        if closes { journal.close() }
        func read(_ path: String) -> [UInt8] { FileManager.default.contents(atPath: path).map { [UInt8]($0) } ?? [] }
        let files = Files(
            database: read(Journal.path(in: folder)), wal: closes ? [] : read(Journal.path(in: folder) + "-wal"))
        journal.close()
        return (files, known)
    }

    private func folder() throws -> String {
        let path = NSTemporaryDirectory() + "/kerege-start-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    /// A space first; then ends of requests, refusals, events and what became of them.
    private func batch(_ number: Int) throws -> JournalBatch {
        var batch = JournalBatch()
        let time = Self.noon + Int64(number) * 1_000_000
        if number == 0 { batch.append(.record(.space, try SpaceSnapshot(try Spaces.space()).canonical)) }
        var header = Header(
            kind: .event, id: MessageID(value: UInt128(7) << 76 | 2 << 62 | UInt128(number)), created: time / 1000)
        header.target = Spaces.changed
        header.consumer = "register"
        let head = header.encoded()
        let body = [UInt8](repeating: UInt8(number), count: [5, 700, 6000][number % 3])
        batch.append(
            .message(
                JournalBatch.Message(
                    frame: head + body, header: 0..<head.count, proof: head.count..<head.count,
                    body: head.count..<head.count + body.count, receivedAt: time, integration: .max, stage: 3,
                    keepsBody: true)))
        var times = HopTimes()
        times.requestIn = time
        times.requestOut = time + 100
        times.replyIn = time + 900
        times.replyOut = time + 1000
        for outcome in [0, 0, 5020] as [UInt16] {
            batch.append(
                .finished(
                    FinishedRecord(
                        request: header.id, integration: 3, outcome: outcome, hop: .providerAgent, stage: 3,
                        times: times)))
        }
        batch.append(
            .record(
                .refused,
                RefusedRecord(consumer: "bank", target: Spaces.record, code: 4030, count: 3, at: time).encoded))
        if number % 2 == 0 {
            batch.append(
                .record(
                    .settled,
                    SettledRecord(
                        position: number == 0 ? 2 : UInt64(number) * 6 + 2, at: time, integration: 2, code: 0,
                        subscriber: "portal"
                    ).encoded))
        }
        return batch
    }

    @Test(arguments: [false, true]) func whatIsKnownIsTrue(closes: Bool) throws {
        let seed =
            ProcessInfo.processInfo.environment["KEREGE_SEED"].flatMap { UInt64($0) } ?? .random(in: .min ... .max)
        print("seed \(seed)")
        var random = Seeded(seed)
        let (files, known) = try written(closes: closes)
        #expect(known.count > Self.batches / 2)
        let folder = try folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var (held, refused) = (0, 0)
        for _ in 0..<(Self.isLong ? 10_000 : 150) {
            var damaged = files
            let at = Int.random(in: 0..<files.database.count + files.wal.count, using: &random)
            let bit = UInt8(1) << UInt8.random(in: 0..<8, using: &random)
            if at < files.database.count {
                damaged.database[at] ^= bit
            } else {
                damaged.wal[at - files.database.count] ^= bit
            }
            do {
                let found = try start(damaged, in: folder)
                held += 1
                #expect(known.contains(found), "bit \(bit) of byte \(at), seed \(seed): another past")
            } catch let error as JournalError {
                refused += 1
                #expect(error.detail.contains("position") || error.detail.contains("journal"), "\(error)")
            }
        }
        print("starts of a broker, closed \(closes): identical \(held), refused \(refused)")
    }

    private func start(_ files: Files, in folder: String) throws -> Known {
        let path = Journal.path(in: folder)
        for name in ["", "-wal", "-shm"] where FileManager.default.fileExists(atPath: path + name) {
            try FileManager.default.removeItem(atPath: path + name)
        }
        try Data(files.database).write(to: URL(fileURLWithPath: path))
        if !files.wal.isEmpty { try Data(files.wal).write(to: URL(fileURLWithPath: path + "-wal")) }
        let journal = try Journal(folder: folder, prefilling: 0)
        defer { journal.close() }
        return try Known(Recovery(folder: folder, limits: BrokerLimits()))
    }
}
