import Glibc
import Synchronization

/// Holds a data folder for one broker: an advisory lock on `broker.lock`, which the kernel drops when the process ends.
final class FolderLock: Sendable {
    private let descriptor: Mutex<Int32>

    init(folder: String) throws(JournalError) {
        let path = folder + "/broker.lock"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw JournalError(
                .readOnly, "cannot open \(path): \(String(cString: strerror(errno)))",
                remedy: "make the folder writable for this user, or choose another with --data")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            var text = [UInt8](repeating: 0, count: 32)
            let size = read(descriptor, &text, 31)
            close(descriptor)
            let holder = size > 0 ? String(decoding: text[0..<size], as: UTF8.self) : "unknown"
            throw JournalError(
                .locked, "another broker (process \(holder)) holds \(folder)",
                remedy: "stop it, or give this one a folder of its own with --data")
        }
        let pid = Array("\(getpid())".utf8)
        _ = ftruncate(descriptor, 0)
        _ = pwrite(descriptor, pid, pid.count, 0)
        self.descriptor = Mutex(descriptor)
    }

    /// Whether a broker holds the folder now.
    static func isHeld(_ folder: String) -> Bool {
        let descriptor = open(folder + "/broker.lock", O_RDONLY | O_CLOEXEC)
        // Who may not look has to take it as held.
        guard descriptor >= 0 else { return errno != ENOENT }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0
    }

    /// Lets another broker have the folder. Once is enough, twice does no harm.
    func release() {
        descriptor.withLock { descriptor in
            if descriptor >= 0 { close(descriptor) }
            descriptor = -1
        }
    }

    deinit { release() }
}
