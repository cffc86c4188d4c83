/// The recent traffic of one integration: a ring of buckets, each with counts and a histogram of latencies.
///
/// The window of W milliseconds is cut into `bucketCount` buckets aligned to the Unix epoch. It holds the bucket of the
/// present moment and the nine before it, so between 0.9 W and W. A gap of any length costs at most one pass over the
/// ten.
///
/// Memory: 10 × (4 counts + 400 cells) × 4 bytes = 16,160 bytes for an integration that ever had traffic, none for a
/// silent one. 1,000 busy integrations: 16.2 MB, and about 0.4 MB for the rest of their records.
package struct TrafficWindow: Sendable, Hashable {
    package static let bucketCount = 10
    package static let bytesWhenBusy = bucketCount * stride * 4

    /// The slots of a bucket before its cells.
    private static let successes = 0
    private static let errors = 1
    private static let notJudged = 2
    private static let slow = 3
    private static let firstCell = 4
    static let stride = firstCell + LatencyScale.cellCount

    /// The ring; empty until the first traffic. Bucket n stands at n mod `bucketCount`.
    private(set) var slots: [UInt32] = []
    /// The number of the newest bucket: its start divided by the width.
    private(set) var head: Int64 = 0
    /// When the newest bucket ends, so that most records need no division.
    private var headEnd: Int64 = .min
    private var headOffset = 0

    init() {}

    /// The width of a bucket under these thresholds, milliseconds.
    static func bucketWidth(_ thresholds: Thresholds) -> Int64 {
        min(max(1, thresholds.window / Int64(bucketCount)), UnixTime.latest)
    }

    /// Counts one finished exchange. `at` must not be before the latest one: the ledger's clock sees to that.
    @inline(__always)
    mutating func record(_ outcome: Outcome, latency: UInt32, promised: UInt32, at: Int64, bucketWidth: Int64) {
        if at >= headEnd { advance(to: at, bucketWidth: bucketWidth) }
        switch outcome {
        case .success:
            count(Self.successes)
            count(Self.firstCell + LatencyScale.cell(of: latency))
            if latency > promised { count(Self.slow) }
        case .error:
            count(Self.errors)
        case .notJudged:
            count(Self.notJudged)
        }
    }

    @inline(__always)
    private mutating func count(_ slot: Int) {
        let value = slots[headOffset + slot]
        if value < .max { slots[headOffset + slot] = value &+ 1 }
    }

    @inline(never)
    private mutating func advance(to at: Int64, bucketWidth: Int64) {
        let bucket = at / bucketWidth
        if slots.isEmpty {
            slots = [UInt32](repeating: 0, count: Self.bucketCount * Self.stride)
        } else {
            let stale = min(bucket - head, Int64(Self.bucketCount))
            for step in 0..<max(0, stale) { clear(bucket - step) }
        }
        place(head: bucket, bucketWidth: bucketWidth)
    }

    private mutating func clear(_ bucket: Int64) {
        let start = Self.offset(of: bucket)
        for slot in start..<(start + Self.stride) { slots[slot] = 0 }
    }

    private mutating func place(head bucket: Int64, bucketWidth: Int64) {
        head = bucket
        headEnd = (bucket + 1) * bucketWidth
        headOffset = Self.offset(of: bucket)
    }

    private static func offset(of bucket: Int64) -> Int {
        Int(bucket % Int64(bucketCount)) * stride
    }

    /// The counts of the window that ends at `now`.
    func totals(now: Int64, bucketWidth: Int64) -> WindowTotals {
        var totals = WindowTotals()
        for start in liveOffsets(now: now, bucketWidth: bucketWidth) {
            totals.successes += UInt64(slots[start + Self.successes])
            totals.errors += UInt64(slots[start + Self.errors])
            totals.notJudged += UInt64(slots[start + Self.notJudged])
            totals.slow += UInt64(slots[start + Self.slow])
        }
        return totals
    }

    /// The latencies of the successes in the window that ends at `now`.
    func latencies(now: Int64, bucketWidth: Int64) -> LatencyHistogram {
        var histogram = LatencyHistogram()
        for start in liveOffsets(now: now, bucketWidth: bucketWidth) {
            for cell in 0..<LatencyScale.cellCount {
                histogram.cells[cell] += UInt64(slots[start + Self.firstCell + cell])
            }
        }
        return histogram
    }

    private func liveOffsets(now: Int64, bucketWidth: Int64) -> [Int] {
        guard !slots.isEmpty else { return [] }
        let oldest = max(0, now / bucketWidth - Int64(Self.bucketCount) + 1, head - Int64(Self.bucketCount) + 1)
        return oldest > head ? [] : (oldest...head).map(Self.offset(of:))
    }
}

/// The counts of one window.
package struct WindowTotals: Sendable, Hashable {
    package var successes: UInt64 = 0
    package var errors: UInt64 = 0
    /// Finished with the consumer or the bus at fault.
    package var notJudged: UInt64 = 0
    /// Successes that took longer than the promise in force when they finished.
    package var slow: UInt64 = 0

    /// What the ratio of errors is taken over.
    package var judged: UInt64 { successes + errors }

    static func += (left: inout WindowTotals, right: WindowTotals) {
        left.successes += right.successes
        left.errors += right.errors
        left.notJudged += right.notJudged
        left.slow += right.slow
    }
}

extension TrafficWindow {
    /// The window as numbers: head, then for each slot that is not zero the zeros skipped and its value.
    func pack(into bytes: inout PackedWriter) {
        bytes.put(unsigned: slots.isEmpty ? 0 : 1)
        guard !slots.isEmpty else { return }
        bytes.put(head)
        bytes.put(unsigned: UInt64(slots.count { $0 != 0 }))
        var previous = -1
        for (index, value) in slots.enumerated() where value != 0 {
            bytes.put(unsigned: UInt64(index - previous - 1))
            bytes.put(unsigned: UInt64(value))
            previous = index
        }
    }

    /// The window that `pack` wrote. Throws `PackedFault` when the bytes are no window.
    init(unpacking bytes: inout PackedReader, bucketWidth: Int64) throws(PackedFault) {
        guard try bytes.unsigned() == 1 else { return }
        let head = try bytes.signed()
        guard (0...UnixTime.latest).contains(head) else { throw .outOfRange }
        slots = [UInt32](repeating: 0, count: Self.bucketCount * Self.stride)
        var index = -1
        for _ in 0..<(try bytes.count(atMost: slots.count)) {
            index += try bytes.count(atMost: slots.count) + 1
            guard index < slots.count, let value = UInt32(exactly: try bytes.unsigned()) else { throw .outOfRange }
            slots[index] = value
        }
        // `head` times the width may not overflow: a bucket of a later epoch than the latest time is no window.
        guard head <= UnixTime.latest / bucketWidth else { throw .outOfRange }
        place(head: head, bucketWidth: bucketWidth)
    }
}
