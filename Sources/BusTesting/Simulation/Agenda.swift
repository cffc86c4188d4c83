import BusBroker
import BusJournal
import BusProtocol
import HeapModule

/// Something that will happen in a simulated space. What names a life or a connection means nothing after its end.
enum Happening {
    case reachesBroker(agent: Int, connection: Int, [UInt8])
    case reachesAgent(agent: Int, connection: Int, [UInt8])
    case connects(agent: Int, connection: Int)
    case brokerTicks(life: Int)
    case brokerStarts
    /// The batch being written is on the disk, though the broker does not know it yet.
    case durable(write: Int)
    case written(write: Int, life: Int)
    case loaded(life: Int, ticket: UInt64, [UInt64])
    case found(life: Int, ticket: UInt64, Seek)
    case proven(life: Int, ticket: UInt64, LogQuestion)
    case agentTimer(agent: Int, life: Int)
    case agentStarts(agent: Int)
    /// A job of an agent takes its next step.
    case works(agent: Int, life: Int, job: Int)
    case sendsAgain(agent: Int, life: Int, row: Int)
    /// A command that was taken comes to its outcome.
    case concludes(system: String, MessageID)
    case traffic
    case fault
    case look
}

/// What will happen, by time; at the same time in the order in which it was decided.
struct Agenda {
    struct Entry: Comparable {
        let at: Int64
        let serial: UInt64
        let what: Happening
        static func < (a: Entry, b: Entry) -> Bool { (a.at, a.serial) < (b.at, b.serial) }
        static func == (a: Entry, b: Entry) -> Bool { a.serial == b.serial }
    }

    private var entries = Heap<Entry>()
    private var serial: UInt64 = 0

    mutating func add(_ what: Happening, at time: Int64) {
        serial += 1
        entries.insert(Entry(at: time, serial: serial, what: what))
    }

    /// It keeps its place among what will happen at the same time: what a pause holds up, and another one again, comes in the order in
    /// which it was sent.
    mutating func postpone(_ entry: Entry, to time: Int64) {
        entries.insert(Entry(at: time, serial: entry.serial, what: entry.what))
    }

    mutating func next() -> Entry? { entries.popMin() }
}
