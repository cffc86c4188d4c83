import BusProtocol

/// The last decisions and the hashes of their names, found by the bytes as they arrived: the usual message is judged without making
/// anything of them.
///
/// A question has one place, which its bytes choose; there it is compared in full, and a newer one takes the place of an older. So
/// ever new names make nothing grow. `Rights` holds it and is made anew with every space, so nothing in it grows old.
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

    private static let count = 512
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
        return names.withUnsafeBytes { $0.part(place).isSame(as: name) }
    }

    private static func place(of question: Question) -> Int {
        let agent = UInt64(truncatingIfNeeded: question.agent) << 1
        let asker: UInt64 = question.isCommand ? agent + 1 : agent
        return Int(mix(mix(asker, question.consumer), question.target) % UInt64(count))
    }

    /// FNV-1a, by eight bytes at a time. An agent that makes names fall together has only its own decided anew each time.
    private static func mix(_ seed: UInt64, _ name: UnsafeRawBufferPointer) -> UInt64 {
        var hash = seed ^ UInt64(name.count) ^ 0xcbf2_9ce4_8422_2325
        func take(_ word: UInt64) { hash = (hash ^ word) &* 0x9e37_79b9_7f4a_7c15 }
        var at = 0
        while at + 8 <= name.count {
            take(name.loadUnaligned(fromByteOffset: at, as: UInt64.self))
            at += 8
        }
        for byte in name[at...] { take(UInt64(byte)) }
        return hash ^ (hash >> 32)
    }
}
