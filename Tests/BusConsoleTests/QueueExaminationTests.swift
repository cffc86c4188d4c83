import BusConsole
import Foundation
import Testing

@testable import kerege

/// What `kerege doctor` says of deliveries that agents keep.
@Suite("Queues, as the doctor sees them")
struct QueueExaminationTests {
    /// A page of one queue for each time that an agent has had its first delivery; nil: none has one.
    private func page(held times: [Int64?]) throws -> QueuesPage {
        let queues = times.enumerated().map { index, time in
            let held = time.map {
                #","held":{"id":"0199f3a2-0000-7000-8000-00000000000\#(index)","service":"s\#(index).do.v1","agent":"a-\#(index)","held_ms":\#($0)}"#
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

    @Test("What others are called neither steers the terminal nor runs in a shell")
    func hostileNames() throws {
        var page = try page(held: [QueueExamination.longestHeld + 1])
        let hostile = "\u{1B}[2J$(id)\n"
        page.queues[0].held?.agent = hostile
        page.queues[0].held?.service = hostile
        page.queues[0].held?.id = hostile
        let check = QueueExamination(page: page, now: 0).stuck
        let mend = try #require(check.mend)
        #expect(!(check.found + mend).unicodeScalars.contains { $0.value < 0x20 })
        #expect(mend.contains("kerege trace '"), "\(mend)")
    }

    @Test("It is among what the doctor looks at")
    func isLookedAt() throws {
        let checks = QueueExamination(page: try page(held: [QueueExamination.longestHeld + 1]), now: 0).checks
        #expect(checks.filter { !$0.ok }.map(\.name) == ["deliveries"])
    }
}
