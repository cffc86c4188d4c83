import BusProtocol
import Glibc
import Logging

/// What an agent remembers between its starts: how often it started and the last receipt it was given.
///
/// A lost file costs only a weaker check for a forked log, so it is written without waiting for the disk.
struct AgentMemory {
    /// Between two saves, microseconds.
    static let interval: UInt64 = 10_000_000
    private static let largest = 1024

    private(set) var bootCounter: UInt64 = 0
    private(set) var receipt: LogReceipt = .none
    private let path: String?
    private let logger: Logger

    init(directory: String?, agent: String, _ logger: Logger) {
        self.logger = logger
        path = directory.map { "\($0)/agents/\(agent).memory" }
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

    private mutating func read() {
        guard let path, let file = fopen(path, "re") else { return }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: Self.largest)
        let count = fread(&bytes, 1, bytes.count, file)
        let words = String(decoding: bytes[..<count], as: UTF8.self).split { $0 == " " || $0.isNewline }
        guard words.count == 3, let boots = UInt64(words[0]), let size = UInt64(words[1]),
            let root = [UInt8](hex: String(words[2])), root.count == 32
        else { return }
        bootCounter = boots
        receipt = LogReceipt(treeSize: size, root: root)
    }

    private func write() {
        guard let path else { return }
        let text = "\(bootCounter) \(receipt.treeSize) \(receipt.root.hex)\n"
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
