import Glibc

/// Memory whose last byte stands directly before a page that must not be touched: a read behind the end stops the
/// process in every build, not only where bounds are checked.
final class GuardedBytes {
    private let base: UnsafeMutableRawPointer
    private let capacity: Int
    private let mapped: Int

    struct NoMemory: Error {}

    init(capacity wanted: Int) throws {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        capacity = (wanted + page - 1) / page * page
        mapped = capacity + page
        let memory = mmap(nil, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let memory, memory != MAP_FAILED, mprotect(memory + capacity, page, PROT_NONE) == 0 else {
            throw NoMemory()
        }
        base = memory
    }

    deinit { munmap(base, mapped) }

    /// Gives the body a view of a copy of `bytes` that ends at the guard.
    func hold<Result>(_ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        precondition(bytes.count <= capacity, "\(bytes.count) bytes do not fit \(capacity)")
        let start = base + (capacity - bytes.count)
        bytes.withUnsafeBytes { source in
            if let from = source.baseAddress { start.copyMemory(from: from, byteCount: source.count) }
        }
        return body(UnsafeRawBufferPointer(start: start, count: bytes.count))
    }
}
