import BusContracts
import BusDirectory
import Foundation
import GRDB
import Synchronization

/// Accesses of which people are to be told, between the answer and the register: gathered in memory, so that no answer waits for a
/// disk, and written many at once.
///
/// What is in memory when the process dies is told to nobody; the broker's journal has it all the same.
final class AccessNotices: Sendable {
    /// Between two looks at what has gathered.
    static let interval: Duration = .seconds(2)
    /// From so many on they are written at once.
    static let manyWaiting = 1000
    /// In memory. What comes beyond it, while the register cannot be written, is counted and not told.
    static let mostWaiting = 20_000
    /// In one event.
    static let mostInEvent = 200
    /// Body of one event, bytes: a little below what a message takes.
    static let largestBody = 60_000

    struct Gathered: Sendable {
        var accesses: [Access] = []
        /// Left out since the last look.
        var lost = 0
    }

    let event: String
    let nudges = Nudges()
    private let without: Set<String>
    private let gathered = Mutex(Gathered())

    init(_ file: AgentFile.Notices) {
        event = file.event
        without = Set(file.without)
    }

    /// The rows that leave as events; written by `write` alone.
    var publication: AgentFile.Publication {
        AgentFile.Publication(
            event: event, sql: "SELECT id, body FROM kerege_notice WHERE id > :after ORDER BY id LIMIT 100",
            place: Place(file: "notices", line: 1, column: 1))
    }

    func note(_ access: Access) {
        guard isDue(access) else { return }
        let isMany = gathered.withLock { gathered -> Bool in
            guard gathered.accesses.count < Self.mostWaiting else {
                gathered.lost += 1
                return false
            }
            gathered.accesses.append(access)
            return gathered.accesses.count == Self.manyWaiting
        }
        if isMany { nudges.nudge() }
    }

    /// People are told when something of theirs was given to somebody who does not ask for them. A company is nobody's person, and a
    /// question about accesses gives nothing but their pseudonym.
    private func isDue(_ access: Access) -> Bool {
        access.outcome == 0 && !without.contains(access.consumer) && IIN.isValid(access.subject)
            && !AccessReference.isService(access.service)
    }

    func take() -> Gathered {
        gathered.withLock { gathered in
            defer { gathered = Gathered() }
            return gathered
        }
    }

    /// Puts back what could not be written, before what has come meanwhile.
    func putBack(_ accesses: [Access]) {
        gathered.withLock { gathered in
            let room = max(0, Self.mostWaiting - gathered.accesses.count)
            gathered.accesses.insert(contentsOf: accesses.prefix(room), at: 0)
            gathered.lost += accesses.count - min(room, accesses.count)
        }
    }

    // MARK: - On the writing thread

    /// Writes accesses as rows of the outbox, and lets go of those that have left.
    func write(_ accesses: [Access], _ connection: SQLConnection) throws {
        try connection.within(ClockReading.monotonic() + SQLAdapter.ownDeadline) {
            try connection.queue.write { database in
                try database.execute(
                    sql: """
                        DELETE FROM kerege_notice
                        WHERE id <= (SELECT published FROM kerege_outbox WHERE event = :event)
                        """, arguments: ["event": event])
                for body in Self.bodies(accesses) {
                    try database.execute(
                        sql: "INSERT INTO kerege_notice (body) VALUES (:body)", arguments: ["body": body])
                }
            }
        }
    }

    /// Bodies of events, each within the limits of one.
    static func bodies(_ accesses: [Access]) -> [String] {
        var bodies: [String] = []
        var rows: [String] = []
        var size = 0
        func close() {
            if !rows.isEmpty { bodies.append(#"{"accesses":["# + rows.joined(separator: ",") + "]}") }
            (rows, size) = ([], 0)
        }
        for access in accesses {
            let text = row(access).text()
            if rows.count == mostInEvent || size + text.utf8.count > largestBody { close() }
            rows.append(text)
            size += text.utf8.count + 1
        }
        close()
        return bodies
    }

    private static func row(_ access: Access) -> JSONValue {
        let at = Date(timeIntervalSince1970: Double(access.at) / 1000)
        return [
            "iin": .string(access.subject), "system": .string(access.consumer), "service": .string(access.service),
            "purpose": .string(access.purpose),
            "at": .string(at.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))),
            "request": .string(access.request),
        ]
    }
}
