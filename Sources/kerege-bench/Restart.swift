import ArgumentParser
import BusBroker
import BusDirectory
import BusJournal
import BusProtocol
import Foundation

/// Measures how long a broker needs to take up a journal: what of it depends on the number of messages.
struct Restart: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restart", abstract: "Measure how long taking up a journal of many durable messages takes.",
        discussion: """
            Writes a journal of commands and events into a temporary folder, settles all but the last --owed of them, and
            then measures reading it as a broker does when it starts.
            """)

    @Option(help: "Commands and events in the journal.") var messages = 1_000_000
    @Option(help: "Of these, how many nobody has settled.") var owed = 100_000
    @Option(help: "Bytes of a body.") var payload = 64

    mutating func run() throws {
        let folder = NSTemporaryDirectory() + "kerege-restart-\(UInt64.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let journal = try Journal(folder: folder)
        try write(journal)
        journal.close()
        let begin = ContinuousClock.now
        let found = try BrokerStart.measure(folder: folder)
        let time = begin.duration(to: .now)
        let seconds = Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
        let size = try FileManager.default.attributesOfItem(atPath: folder + "/journal.sqlite")[.size] as? Int ?? 0
        print(
            String(
                format: "%d messages (%d MB): taken up in %.2f s, %d remembered, %d owed", messages, size / 1_000_000,
                seconds, found.remembered, found.owed))
    }

    private func write(_ journal: Journal) throws {
        let space = try SpaceSnapshot(BenchSpace.value())
        var first = JournalBatch()
        first.append(.record(.space, space.canonical))
        _ = try journal.commit(first, at: 1_790_000_000_000_000)
        var ids = MessageIDSource()
        var position: UInt64 = 2
        let body = [UInt8](repeating: 0x20, count: payload)
        var written = 0
        while written < messages {
            var batch = JournalBatch()
            let count = min(500, messages - written)
            for index in 0..<count {
                batch.append(.message(message(&ids, body, isCommand: (written + index) % 2 == 0)))
            }
            for index in 0..<count where written + index < messages - owed {
                let isCommand = (written + index) % 2 == 0
                let record = SettledRecord(
                    position: position + UInt64(index), at: 1_790_000_000_000_000, integration: 0, code: 0,
                    subscriber: isCommand ? "bench-provider" : "bench-consumer", attempts: 1)
                batch.append(.record(.settled, record.encoded))
            }
            position = try journal.commit(batch, at: 1_790_000_000_000_000).treeSize + 1
            journal.checkpointIfDue()
            written += count
        }
    }

    private func message(_ ids: inout MessageIDSource, _ body: [UInt8], isCommand: Bool) -> JournalBatch.Message {
        let id = ids.next(unixMilliseconds: 1_790_000_000_000)
        var header = Header(kind: isCommand ? .command : .event, id: id, created: id.unixMilliseconds)
        header.target = isCommand ? BenchSpace.order : BenchSpace.event
        header.consumer = isCommand ? "bench-consumer" : "bench-provider"
        if isCommand { header.orderKey = UInt128(id.value & 0xffff) + 1 }
        let bytes = header.encoded()
        return JournalBatch.Message(
            frame: bytes + body, header: 0..<bytes.count, proof: 0..<0, body: bytes.count..<bytes.count + body.count,
            receivedAt: 1_790_000_000_000_000, integration: 0, stage: 3, keepsBody: true)
    }
}
