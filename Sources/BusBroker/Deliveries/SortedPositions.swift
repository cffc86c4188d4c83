import DequeModule

/// Positions of the journal in ascending order, each once.
extension Deque<UInt64> {
    private func place(of position: UInt64) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < position { low = middle + 1 } else { high = middle }
        }
        return low
    }

    func index(ofSorted position: UInt64) -> Int? {
        let place = place(of: position)
        return place < count && self[place] == position ? place : nil
    }

    mutating func insert(sorted position: UInt64) {
        if last ?? 0 < position { return append(position) }
        let place = place(of: position)
        if place == count || self[place] != position { insert(position, at: place) }
    }

    @discardableResult
    mutating func remove(sorted position: UInt64) -> Bool {
        guard let index = index(ofSorted: position) else { return false }
        if index == 0 { removeFirst() } else { remove(at: index) }
        return true
    }
}
