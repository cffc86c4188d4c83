import BusEvidence
import BusProtocol
import Glibc
import Logging

/// What an agent remembers between its starts: how often it started, the last receipt it was given, and the newest checkpoint of the
/// broker's log that it has checked, which is a file of its own: a signed note, for whoever wants to hold it to another one.
///
/// A lost file costs only a weaker check for a forked log, so it is written without waiting for the disk.
struct AgentMemory {
    /// Between two saves, microseconds.
    static let interval: UInt64 = 10_000_000
    private static let largest = 1024
    private static let largestNote = SignedNote.sizeLimit

    private(set) var bootCounter: UInt64 = 0
    private(set) var receipt: LogReceipt = .none
    private(set) var checkpoint: KnownCheckpoint?
    private let path: String?
    private let notePath: String?
    private let forkPath: String?
    private let logger: Logger

    init(directory: String?, agent: String, _ logger: Logger) {
        self.logger = logger
        path = directory.map { "\($0)/agents/\(agent).memory" }
        notePath = directory.map { "\($0)/agents/\(agent).checkpoint" }
        forkPath = directory.map { "\($0)/agents/\(agent).fork" }
        if let directory { _ = mkdir("\(directory)/agents", 0o700) }
        read()
        bootCounter += 1
        write()
    }

    mutating func save(_ receipt: LogReceipt) {
        guard receipt != self.receipt else { return }
        self.receipt = receipt
        write()
    }

    /// - Parameter receipt: of the same moment: a checkpoint is never ahead of it.
    mutating func save(_ checkpoint: KnownCheckpoint, with receipt: LogReceipt) {
        self.checkpoint = checkpoint
        if let notePath { write(checkpoint.note, to: notePath) }
        save(receipt)
    }

    /// The file that says so is still there: a start must not join the log that an agent has left for good.
    var foundFork: Fault? {
        guard let forkPath, access(forkPath, F_OK) == 0 else { return nil }
        return Fault(
            .logForked, at: .consumerAgent,
            "this agent has left the broker's log as forked: \(forkPath) has both checkpoints. When it is decided with which log to "
                + "go on, put that file, AGENT.memory and AGENT.checkpoint aside")
    }

    /// What the broker signed of another history: the note, behind the one it contradicts.
    func save(fork note: String) {
        guard let forkPath else { return }
        write((checkpoint.map { $0.note + "\n" } ?? "") + note, to: forkPath)
    }

    private mutating func read() {
        if let notePath, let note = Self.text(of: notePath, Self.largestNote) {
            checkpoint = KnownCheckpoint(kept: note)
        }
        guard let path,
            let words = Self.text(of: path, Self.largest)?.split(whereSeparator: { $0 == " " || $0.isNewline }),
            words.count == 3, let boots = UInt64(words[0]), let size = UInt64(words[1]),
            let root = [UInt8](hex: String(words[2])), root.count == 32
        else { return }
        bootCounter = boots
        receipt = LogReceipt(treeSize: size, root: root)
    }

    private static func text(of path: String, _ largest: Int) -> String? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: largest)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    private func write() {
        guard let path else { return }
        write("\(bootCounter) \(receipt.treeSize) \(receipt.root.hex)\n", to: path)
    }

    private func write(_ text: String, to path: String) {
        // Written beside and renamed: a reader never sees half of it.
        guard let file = fopen("\(path).new", "we") else { return failed(path) }
        let written = fputs(text, file) >= 0
        guard fclose(file) == 0, written, rename("\(path).new", path) == 0 else { return failed(path) }
    }

    private func failed(_ path: String) {
        let reason = String(cString: strerror(errno))
        logger.warning("agent memory not written", metadata: ["path": "\(path)", "reason": "\(reason)"])
    }
}
