/// The log-linear scale of latencies: which cell of a histogram counts a latency, and what a cell stands for.
///
/// Below 256 µs a cell is 16 µs wide. Above, each power of two is cut into 16 cells, up to the largest `UInt32`
/// (71 minutes). A value is read back as the middle of its cell, so it is wrong by at most 8 µs below 256 µs and by at
/// most 1/32 = 3.125 % of itself above (`relativeErrorBound`).
package enum LatencyScale {
    package static let cellCount = 16 + (32 - firstOctave) * 16
    package static let relativeErrorBound = 1.0 / 32
    package static let absoluteErrorBoundMicroseconds: UInt32 = 8

    /// The power of two at which the cells start to widen.
    private static let firstOctave = 8

    @inline(__always)
    static func cell(of microseconds: UInt32) -> Int {
        let octave = 31 - microseconds.leadingZeroBitCount
        guard octave >= firstOctave else { return Int(microseconds >> 4) }
        let step = Int(microseconds >> UInt32(octave - 4)) & 15
        return 16 + (octave - firstOctave) * 16 + step
    }

    /// The middle of a cell, microseconds.
    static func middle(of cell: Int) -> UInt32 {
        guard cell >= 16 else { return UInt32(cell) * 16 + absoluteErrorBoundMicroseconds }
        let octave = UInt32(firstOctave + (cell - 16) / 16)
        let width = UInt64(1) << UInt64(octave - 4)
        return UInt32(truncatingIfNeeded: (16 + UInt64((cell - 16) % 16)) * width + width / 2)
    }
}

/// Latencies summed over a window.
struct LatencyHistogram: Sendable, Hashable {
    var cells = [UInt64](repeating: 0, count: LatencyScale.cellCount)

    /// The smallest latency that at least `perMille` ‰ of the samples do not exceed (nearest rank), within the bounds
    /// of `LatencyScale`, microseconds. Nil without samples.
    func percentile(perMille: UInt64) -> UInt32? {
        let total = cells.reduce(0, +)
        guard total > 0 else { return nil }
        let rank = max(1, (total * perMille + 999) / 1000)
        var seen: UInt64 = 0
        for (cell, count) in cells.enumerated() {
            seen += count
            if seen >= rank { return LatencyScale.middle(of: cell) }
        }
        return nil
    }
}
