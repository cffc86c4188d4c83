import Synchronization

/// Memory of one check, reused from check to check.
final class CheckScratch: @unchecked Sendable {
    // The pool hands each one to a single check at a time.
    var buffers = TapeBuffers()
    /// Bits of evaluated members and elements, one frame per value that has to know.
    var marks = RawStack<UInt64>(capacity: 64)
    /// Resources entered, outermost first, for dynamic references.
    var scope = RawStack<Int32>(capacity: 32)
    let backtracking = BacktrackingScratch()
}

/// Scratch memory shared by all checkers of the process.
enum ScratchPool {
    /// How many wait for reuse; more threads than this allocate.
    static let kept = 32

    private static let waiting = Mutex<[CheckScratch]>([])

    static func take() -> CheckScratch {
        waiting.withLock { $0.popLast() } ?? CheckScratch()
    }

    static func giveBack(_ scratch: CheckScratch) {
        scratch.buffers.trim()
        scratch.marks.shrink(to: TapeBuffers.retained)
        waiting.withLock { if $0.count < kept { $0.append(scratch) } }
    }
}
