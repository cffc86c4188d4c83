import BusConsole
import Foundation
import Testing

@testable import kerege

/// What `kerege doctor` says of deliveries that agents keep.
@Suite("Queues, as the doctor sees them")
struct QueueExaminationTests {
    /// A page of one queue for each time that an agent has had its first delivery; nil: none has one.
    private func page(held times: [Int64?], by agent: String = "a-") throws -> QueuesPage {
        let queues = times.enumerated().map { index, time in
            let held = time.map {
                #","held":{"id":"0199f3a2-0000-7000-8000-00000000000\#(index)","service":"s\#(index).do.v1","agent":"\#(agent)\#(index)","held_ms":\#($0)}"#
            }
            return
                #"{"kind":"commands","system":"s\#(index)","depth":1,"in_flight":1,"agents":1,"dead":0\#(held ?? "")}"#
        }
        let text = #"{"queues":[\#(queues.joined(separator: ","))],"depth":1,"in_flight":\#(times.count),"dead":0}"#
        return try AdminJSON.decode(QueuesPage.self, from: Data(text.utf8))
    }

    private func check(_ times: Int64?...) throws -> Check {
        QueueExamination(page: try page(held: times), now: 0).stuck
    }

    @Test("A delivery in hand for ten minutes is work; for longer it is stuck, and its agent and its message are named")
    func stuck() throws {
        let limit = QueueExamination.longestHeld
        #expect(limit == 600_000)
        #expect(try check().ok && check(nil, limit).ok)
        let found = try check(limit, nil, limit + 1, 2 * limit)
        #expect(!found.ok)
        #expect(
            found.found == "neither taken nor refused: a-3 has had s3.do.v1 for 20m, a-2 has had s2.do.v1 for 10m")
        let mend = try #require(found.mend)
        #expect(mend.hasPrefix("end a-2, a-3 and start it again"))
        #expect(mend.contains("kerege trace 0199f3a2-0000-7000-8000-000000000003"))
    }

    @Test("Of many that are stuck as many are named to be ended as are told, the longest first")
    func manyAreCutAlike() throws {
        let times = (1...7).map { QueueExamination.longestHeld + $0 }
        let found = QueueExamination(page: try page(held: times), now: 0).stuck
        #expect(found.found.hasSuffix("a-2 has had s2.do.v1 for 10m, and 2 more"), "\(found)")
        #expect(found.mend?.hasPrefix("end a-2, a-3, a-4, a-5, a-6, and 2 more and start it again") == true, "\(found)")
    }

    @Test("A name that the shell would read is quoted, and one that steers a terminal does not")
    func hostileNames() throws {
        let page = try page(held: [QueueExamination.longestHeld + 1], by: #"\u001b[2J$(id)\n"#)
        let found = QueueExamination(page: page, now: 0).stuck
        let mend = try #require(found.mend)
        #expect(mend.hasPrefix("end ' [2J$(id) 0' and start it again"), "\(mend)")
        #expect(![found.found, mend].joined().contains { $0 == "\u{1B}" || $0.isNewline })
    }

    @Test("How long the first of a queue is held stands in the table")
    func heldInTheTable() throws {
        let page = try page(held: [90_000, nil])
        let lines = QueuesView(page: page, now: .now, style: .plain).lines()
        #expect(lines.count { $0.contains("1m 30s") } == 1, "\(lines)")
        #expect(lines.first { $0.contains("1m 30s") }?.contains(" s0 ") == true, "\(lines)")
    }

    @Test("It is among what the doctor looks at")
    func isLookedAt() throws {
        let checks = QueueExamination(page: try page(held: [QueueExamination.longestHeld + 1]), now: 0).checks
        #expect(checks.filter { !$0.ok }.map(\.name) == ["deliveries"])
    }
}
