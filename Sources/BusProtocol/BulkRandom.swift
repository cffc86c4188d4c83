import Glibc
import Synchronization

/// The system's random numbers, 32 by one call into the kernel: a call for each would cost more than all else of an id.
///
/// A class, so that copies of who draws from it draw different numbers.
package final class BulkRandom: RandomNumberGenerator, Sendable {
    private struct Drawn {
        /// 256 bytes: as many as the kernel gives whole or not at all.
        var words = [UInt64](repeating: 0, count: 32)
        var left = 0
    }

    private let drawn = Mutex(Drawn())

    package init() {}

    package func next() -> UInt64 {
        drawn.withLock { drawn in
            if drawn.left == 0 {
                // The array's own memory, written before the call returns.
                let isFilled = drawn.words.withUnsafeMutableBytes { getentropy($0.baseAddress, $0.count) == 0 }
                precondition(isFilled, "the system gives no random numbers")
                drawn.left = drawn.words.count
            }
            drawn.left -= 1
            return drawn.words[drawn.left]
        }
    }
}
