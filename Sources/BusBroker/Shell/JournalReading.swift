import BusEvidence
import BusJournal
import BusProtocol
import Dispatch

/// Reads from the journal beside the message path: bytes of queued messages, and where events stand. One read after the other, and
/// those that go through the whole journal on a thread of their own; results come back through the mailbox.
final class JournalReading: Sendable {
    /// Most events one seek brings back.
    static let seekLimit = 1_000_000

    private let reader: JournalReader
    private let searcher: JournalReader
    private let mailbox: BrokerMailbox
    private let queue = DispatchQueue(label: "journal-reading")
    private let searching = DispatchQueue(label: "journal-searching", qos: .utility)
    private let proving: LogProving

    /// - Parameter key: signs checkpoints of the log; nil: nothing can be proven.
    init(folder: String, signing key: SigningKey?, _ log: LogProofs, _ mailbox: BrokerMailbox) throws(JournalError) {
        reader = try JournalReader(folder: folder)
        searcher = try JournalReader(folder: folder)
        proving = try LogProving(folder: folder, key, log)
        self.mailbox = mailbox
        proving.prepare()
    }

    func load(_ ticket: UInt64, _ positions: [UInt64]) {
        queue.async { [self] in _ = mailbox.order(.loaded(ticket, try? messages(positions))) }
    }

    private func messages(_ positions: [UInt64]) throws -> [LoadedMessage] {
        let stored = try reader.messages(at: positions)
        return try positions.map { position in
            let record = stored[position]
            // One that is damaged is gone; the others are there.
            let body = try record.flatMap { try reader.body(at: position, digest: $0.bodyDigest) }
            return LoadedMessage(
                position: position, acceptedAt: record?.receivedAt ?? 0,
                MessageBytes(
                    header: record?.header ?? [], body: body ?? [], proof: record?.proof ?? [],
                    signedRoot: record?.signedRoot ?? []), hasBody: body != nil)
        }
    }

    func prove(_ ticket: UInt64, _ question: LogQuestion) {
        proving.prove(question) { [mailbox] result in _ = mailbox.order(.proven(ticket, result)) }
    }

    func find(_ ticket: UInt64, _ wish: Seek) {
        searching.async { [self] in _ = mailbox.order(.found(ticket, try? positions(wish))) }
    }

    private func positions(_ wish: Seek) throws -> [UInt64] {
        let first: UInt64? =
            switch wish.start {
            case .beginning: 1
            case .position: max(1, wish.value)
            case .time:
                try searcher.firstPosition(committedFrom: min(Int64(clamping: wish.value), .max / 1000) * 1000)
            }
        guard let first else { return [] }
        return try searcher.events(wish.event, from: first, limit: Self.seekLimit)
    }
}
