import CSodium

/// Bytes of a secret in memory of libsodium's: between guard pages, not written to swap, wiped when the last user is gone.
final class GuardedSecret: @unchecked Sendable {  // written once, before anybody has it
    private let bytes: UnsafeMutablePointer<UInt8>

    init(size: Int, _ write: (UnsafeMutablePointer<UInt8>) -> Void) {
        guard Self.isReady, let start = sodium_malloc(size) else { preconditionFailure("no memory for a secret") }
        bytes = start.bindMemory(to: UInt8.self, capacity: size)
        write(bytes)
        sodium_mprotect_readonly(start)
    }

    deinit { sodium_free(bytes) }

    func reading<Value>(_ body: (UnsafePointer<UInt8>) -> Value) -> Value { body(bytes) }

    /// The library chooses its code for this processor, once.
    private static let isReady = sodium_init() >= 0
}
