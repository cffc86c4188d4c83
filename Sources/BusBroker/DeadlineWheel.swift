/// Deadlines of open calls in slots of 16 ms. Setting one is an append; ended calls are skipped when their slot comes up.
struct DeadlineWheel: Sendable {
    static let slotMicroseconds: Int64 = 16_384
    /// Covers the longest deadline (300 s) with room to spare.
    static let slotCount = 32_768

    private var slots = [[CallReference]](repeating: [], count: slotCount)
    private var next: Int64 = 0
    private(set) var count = 0

    mutating func set(_ reference: CallReference, at deadline: Int64, now: Int64) {
        if next == 0 { next = now / Self.slotMicroseconds }
        // Rounded up, so that nothing expires early.
        let index = max(deadline / Self.slotMicroseconds + 1, next)
        slots[Int(index % Int64(Self.slotCount))].append(reference)
        count += 1
    }

    /// Calls whose slot has passed.
    mutating func due(now: Int64) -> [CallReference] {
        let current = now / Self.slotMicroseconds
        guard count > 0 else {
            next = current
            return []
        }
        var due: [CallReference] = []
        // A gap longer than the wheel (a stopped process) visits each slot once.
        var steps = 0
        while next <= current, steps < Self.slotCount {
            let slot = Int(next % Int64(Self.slotCount))
            if !slots[slot].isEmpty {
                count -= slots[slot].count
                due += slots[slot]
                slots[slot] = []
            }
            next += 1
            steps += 1
        }
        next = max(next, current)
        return due
    }
}
