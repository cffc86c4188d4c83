import BusEvidence
import BusProtocol
import Foundation
import GRDB
import Testing

@testable import BusJournal

/// A folder of one test, removed with it.
final class TemporaryFolder {
    let path: String

    init() {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("kerege-journal-\(UUID().uuidString)").path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var file: String { Journal.path(in: path) }

    func makeFolder() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    /// Another program's access to the same file.
    func sql(_ statements: String) throws {
        let database = try DatabaseQueue(path: file)
        try database.writeWithoutTransaction { try $0.execute(sql: statements) }
        try database.close()
    }

    func number(_ query: String) throws -> Int64? {
        var configuration = Configuration()
        configuration.readonly = true
        return try DatabaseQueue(path: file, configuration: configuration).read { try Int64.fetchOne($0, sql: query) }
    }
}

/// Unix microseconds somewhere in 2026.
let noon: Int64 = 1_790_000_000_000_000

func id(_ number: UInt64, at microseconds: Int64 = noon) -> MessageID {
    MessageID(
        value: UInt128(UInt64(microseconds / 1000)) << 80 | 7 << 76 | UInt128(0b10) << 62 | UInt128(number))
}

func header(
    _ kind: MessageKind, _ id: MessageID, answering request: MessageID = .none, at microseconds: Int64 = noon
) -> Header {
    var header = Header(kind: kind, id: id, created: microseconds / 1000)
    header.target = kind == .event ? "register.record-changed.v1" : "register.record-get.v1"
    header.consumer = "portal"
    header.correlation = request
    return header
}

func message(_ header: Header, body: [UInt8] = Array("{}".utf8), at microseconds: Int64 = noon) -> JournalBatch.Entry {
    let head = header.encoded()
    let proof: [UInt8] = [9, 9, 9]
    return .message(
        JournalBatch.Message(
            frame: head + proof + body, header: 0..<head.count, proof: head.count..<head.count + 3,
            body: head.count + 3..<head.count + 3 + body.count, receivedAt: microseconds, integration: 5, stage: 3,
            keepsBody: header.kind == .event))
}

func batch(_ entries: JournalBatch.Entry...) -> JournalBatch {
    var batch = JournalBatch()
    for entry in entries { batch.append(entry) }
    return batch
}

func finished(_ request: MessageID, from start: Int64 = noon) -> FinishedRecord {
    var times = HopTimes()
    times.requestIn = start
    times.requestOut = start + 100
    times.replyIn = start + 900
    times.replyOut = start + 1000
    return FinishedRecord(request: request, integration: 5, outcome: 0, hop: .unknown, stage: 3, times: times)
}

/// The error a journal refuses with; records an issue when it does not.
func refusal(_ folder: String) -> JournalError? {
    do throws(JournalError) {
        _ = try Journal(folder: folder)
        Issue.record("the journal opened")
        return nil
    } catch { return error }
}
