/// Memory of one check, reused from check to check.
final class CheckScratch: @unchecked Sendable {
    // The pool hands each one to a single check at a time, so nothing is gained from watching each access.
    @exclusivity(unchecked) var buffers = TapeBuffers()
    /// Bits of evaluated members and elements, one frame per value that has to know.
    @exclusivity(unchecked) var marks = RawStack<UInt64>(capacity: 64)
    /// Resources entered, outermost first, for dynamic references.
    @exclusivity(unchecked) var scope = RawStack<Int32>(capacity: 32)
    let backtracking = BacktrackingScratch()

    func trim() {
        buffers.trim()
        marks.shrink(to: TapeBuffers.retained)
    }
}
