import HeapModule

/// Messages of one queue that may be delivered now, first by priority, then by position; in a line for each service, because the
/// agents of a system do not all take the same, and one that has no room must not hold up the others.
struct ReadyMessages: Sendable {
    private struct Place: Comparable, Sendable {
        let priority: UInt8
        let position: UInt64
        static func < (a: Place, b: Place) -> Bool { (a.priority, a.position) < (b.priority, b.position) }
    }
    private struct Line: Sendable {
        let target: String
        var places = Heap<Place>()
    }

    /// One for each service that ever was in the queue: few, and searched as they stand.
    private var lines: [Line] = []

    /// Entries, of which some may be left from an earlier stay in the queue.
    var count: Int { lines.reduce(0) { $0 + $1.places.count } }
    /// Services of which something is ready.
    var targets: [String] { lines.compactMap { $0.places.isEmpty ? nil : $0.target } }

    mutating func insert(_ message: QueuedMessage) {
        let place = Place(priority: message.priority, position: message.position)
        if let line = line(of: message.target) { return lines[line].places.insert(place) }
        var line = Line(target: message.target)
        line.places.insert(place)
        lines.append(line)
    }

    /// - Parameter blocked: services that nobody can take now.
    func first(except blocked: Set<String>) -> (target: String, position: UInt64)? {
        var best: (target: String, place: Place)?
        for line in lines {
            guard let place = line.places.min, best.map({ place < $0.place }) ?? true else { continue }
            guard blocked.isEmpty || !blocked.contains(line.target) else { continue }
            best = (line.target, place)
        }
        return best.map { ($0.target, $0.place.position) }
    }

    /// Takes it out if it is the first of its service; the entry of one that is not stays, and is stepped over when its turn comes.
    mutating func remove(first position: UInt64, of target: String) {
        guard let line = line(of: target), lines[line].places.min?.position == position else { return }
        lines[line].places.removeMin()
    }

    /// Drops the entries that are left from earlier, and all but one of those that say the same.
    mutating func keep(where isReady: (UInt64) -> Bool) {
        var seen: Set<UInt64> = []
        for line in lines.indices {
            lines[line].places = Heap(
                lines[line].places.unordered.filter { isReady($0.position) && seen.insert($0.position).inserted })
        }
        lines.removeAll { $0.places.isEmpty }
    }

    private func line(of target: String) -> Int? { lines.firstIndex { $0.target == target } }
}
