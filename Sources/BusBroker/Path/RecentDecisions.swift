import BusProtocol
import Glibc

/// The last decisions and the hashes of their names, found by the bytes as they arrived: the usual message is judged without making
/// anything of them.
///
/// A question has one place, which a few of its bytes choose; there it is compared in full, and a newer one takes the place of an
/// older. `Rights` holds it and is made anew with every space, so nothing in it grows old.
struct RecentDecisions: Sendable {
    /// Who asks for what. The names stay where they arrived, and are looked at only while the frame is being read.
    struct Question {
        let agent: Int
        let isCommand: Bool
        let consumer: UnsafeRawBufferPointer
        let target: UnsafeRawBufferPointer
    }

    struct Answer: Sendable {
        let decision: Rights.Decision
        /// The names, hashed with this process's own seed.
        let consumer: Int
        let target: Int
        /// Where the names stand, for the reply that repeats them; -1: nowhere.
        let row: Int
    }

    private struct Row: Sendable {
        let agent: Int
        let isCommand: Bool
        /// Where they stand among the names.
        let consumer: Range<Int>
        let target: Range<Int>
        let answer: Answer
    }

    private static let count = 64
    /// The longest names that can be right have room; longer ones are judged anew.
    private static let room = Names.maximumSystem + Names.maximumService

    private var rows = [Row?](repeating: nil, count: RecentDecisions.count)
    private var names = [UInt8](repeating: 0, count: RecentDecisions.count * RecentDecisions.room)

    func answer(to question: Question) -> Answer? {
        guard let row = rows[Self.place(of: question)], row.agent == question.agent,
            row.isCommand == question.isCommand, holds(question.consumer, at: row.consumer),
            holds(question.target, at: row.target)
        else { return nil }
        return row.answer
    }

    mutating func keep(_ decision: Rights.Decision, for question: Question) -> Answer {
        let (consumer, target) = (Work.hash(question.consumer), Work.hash(question.target))
        let fits = question.consumer.count + question.target.count <= Self.room
        let place = Self.place(of: question)
        let answer = Answer(decision: decision, consumer: consumer, target: target, row: fits ? place : -1)
        guard fits else { return answer }
        let start = place * Self.room
        let middle = start + question.consumer.count
        let end = middle + question.target.count
        // Both names lie within the row's room, as was just seen.
        names.withUnsafeMutableBytes { kept in
            UnsafeMutableRawBufferPointer(rebasing: kept[start..<middle]).copyMemory(from: question.consumer)
            UnsafeMutableRawBufferPointer(rebasing: kept[middle..<end]).copyMemory(from: question.target)
        }
        rows[place] = Row(
            agent: question.agent, isCommand: question.isCommand, consumer: start..<middle, target: middle..<end,
            answer: answer)
        return answer
    }

    /// The hash of a target. Mostly it is the one that this row knows.
    func hash(target name: UnsafeRawBufferPointer, row index: Int) -> Int {
        if rows.indices.contains(index), let row = rows[index], holds(name, at: row.target) { return row.answer.target }
        return Work.hash(name)
    }

    /// The hash of a consumer, likewise.
    func hash(consumer name: UnsafeRawBufferPointer, row index: Int) -> Int {
        if rows.indices.contains(index), let row = rows[index], holds(name, at: row.consumer) {
            return row.answer.consumer
        }
        return Work.hash(name)
    }

    private func holds(_ name: UnsafeRawBufferPointer, at place: Range<Int>) -> Bool {
        guard name.count == place.count else { return false }
        return names.withUnsafeBytes { kept in
            name.equals(UnsafeRawBufferPointer(rebasing: kept[place]))
        }
    }

    private static func place(of question: Question) -> Int {
        let agent = UInt64(truncatingIfNeeded: question.agent) << 1
        let asker: UInt64 = question.isCommand ? agent + 1 : agent
        // The highest bits, of which every byte has its share: as many as tell 64 rows apart.
        return Int(mix(mix(asker, question.consumer), question.target) >> 58)
    }

    /// Lengths, ends and middles tell the names of one space apart. What falls together takes turns, and costs no more than before.
    private static func mix(_ seed: UInt64, _ name: UnsafeRawBufferPointer) -> UInt64 {
        var bytes = UInt64(truncatingIfNeeded: name.count) << 24
        if !name.isEmpty {
            bytes |= UInt64(name[0])
            bytes |= UInt64(name[name.count / 2]) << 8
            bytes |= UInt64(name[name.count - 1]) << 16
        }
        return (seed ^ bytes) &* 0x9e37_79b9_7f4a_7c15
    }
}

extension UnsafeRawBufferPointer {
    /// Whether both are the same bytes.
    func equals(_ other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        guard let bytes = baseAddress, let others = other.baseAddress else { return count == 0 }
        return memcmp(bytes, others, count) == 0
    }
}
