import Synchronization

/// Scratch memory shared by all checkers of the process.
enum ScratchPool {
    /// How many wait for reuse besides the nearest; more threads than this allocate.
    static let kept = 32

    /// The one given back last: a check that meets no other one takes and returns it without a lock. It is owned by
    /// whoever exchanged it out.
    private static let nearest = Atomic<Unmanaged<CheckScratch>?>(nil)
    private static let waiting = Mutex<[CheckScratch]>([])

    static func take() -> CheckScratch {
        if let scratch = nearest.exchange(nil, ordering: .acquiring) { return scratch.takeRetainedValue() }
        return waiting.withLock { $0.popLast() } ?? CheckScratch()
    }

    static func giveBack(_ scratch: CheckScratch) {
        scratch.trim()
        guard let other = nearest.exchange(.passRetained(scratch), ordering: .acquiringAndReleasing) else { return }
        let left = other.takeRetainedValue()
        waiting.withLock { if $0.count < kept { $0.append(left) } }
    }
}
