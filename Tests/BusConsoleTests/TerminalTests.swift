import BusAgent
import Testing

@testable import BusConsole
@testable import kerege

@Suite("Terminal")
struct TerminalTests {
    @Test("Columns stand below each other whatever the script, and only the last one is cut")
    func tables() {
        var table = Table([.init("id"), .init("n", isNumber: true), .init("why")])
        table.rows = [
            ["Бірыңғай", .count(7), "it works"], ["中文", .count(12), "a reason that is far too long for it"],
        ]
        let lines = table.lines(Style(hasColours: false, width: 30, height: nil))
        #expect(lines == ["id         n  why", "Бірыңғай   7  it works", "中文      12  a reason that i…"])
        #expect(lines.allSatisfy { DisplayWidth.of($0) <= 30 })
        for width in 1...40 {
            let narrow = table.lines(Style(hasColours: false, width: width, height: nil))
            #expect(narrow.allSatisfy { DisplayWidth.of($0) <= width })
        }
    }

    @Test("Control characters of names do not reach the terminal")
    func control() { #expect(Table.Cell("a\u{1B}[2Jb\n").text == "a [2Jb ") }

    /// What whoever answers on the port may say for a name or an id.
    private static let hostile = "\u{1B}[2J$(id)\n"

    @Test("What others say is one word of a command line, and steers no terminal")
    func hostileWords() {
        let access = AccessesPage.Item(
            at: "", atMs: 0, service: "a.b.v1", outcome: .init(number: 0), request: Self.hostile, reply: "", position: 1
        )
        #expect(AccessCommand.next(after: access) == "next: kerege trace ' [2J$(id) '")
        let letter = DeadLetterItem(
            id: Self.hostile, position: 1, kind: "commands", service: "a.b.v1", consumer: "a", receiver: "b",
            reason: .init(number: 5023), attempts: 1, resent: 0, acceptedAt: "", acceptedAtMs: 0, diedAt: "",
            diedAtMs: 0)
        #expect(QueuesCommand.next(before: letter) == "next: kerege trace ' [2J$(id) '")
        #expect(
            ShellText.trace("0199f3a2-0000-7000-8000-000000000000").hasSuffix("e 0199f3a2-0000-7000-8000-000000000000"))
        let failure = Failure(.no, "odd", Self.hostile, why: Self.hostile, next: "kerege trace " + Self.hostile)
        #expect(failure.description.filter { $0 == "\n" }.count == 2 && !failure.description.contains("\u{1B}"))
        #expect(failure.proposing("a\nb").next == "a\nb", "the caller's own words stay what they are")
        let checks = [Check.good("a", Self.hostile), Check.bad("a", Self.hostile, mend: Self.hostile)]
        for text in checks.flatMap({ [$0.found, $0.mend ?? ""] }) {
            #expect(!text.contains("\u{1B}") && !text.contains("\n"))
        }
        var end = ReplayPage.Place(position: 7, microseconds: 0)
        end.at = Self.hostile
        for count in [0, 1] {
            let page = ReplayPage(
                event: Self.hostile, system: Self.hostile, count: count, logEnd: end, newestEvent: end)
            let lines = ReplayView(page: page, start: .beginning).lines()
            #expect(lines.allSatisfy { !$0.contains("\u{1B}") && !$0.contains("\n") && $0.contains("$(id)") })
        }
    }

    @Test("A replay of nothing says why, and where the events end")
    func replayOfNothing() {
        let newest = ReplayPage.Place(position: 7, microseconds: 1_772_618_400_000_000)
        let end = ReplayPage.Place(position: 9, microseconds: 1_772_618_460_000_000)
        func lines(_ start: ReplayStart, _ newest: ReplayPage.Place?, count: Int = 0) -> [String] {
            let page = ReplayPage(event: "a.b.v1", system: "c", count: count, logEnd: end, newestEvent: newest)
            return ReplayView(page: page, start: start).lines()
        }
        let ends = [
            "the newest event of a.b.v1: position 7, 2026-03-04T10:00:00.000Z",
            "the log ends at position 9, 2026-03-04T10:01:00.000Z",
        ]
        #expect(
            lines(.position(10), newest) == ["nothing is replayed: position 10 is beyond the end of the log"] + ends)
        #expect(
            lines(.time(1_772_618_430_000), newest) == [
                "nothing is replayed: 2026-03-04T10:00:30.000Z is beyond the newest event of a.b.v1"
            ] + ends)
        #expect(
            lines(.position(7), newest) == [
                "nothing is replayed: what is kept of a.b.v1 from there on is on its way to c already"
            ] + ends)
        #expect(
            lines(.beginning, nil) == ["nothing is replayed: no event of a.b.v1 is kept", ends[1]])
        #expect(lines(.beginning, newest, count: 2) == ["2 events of a.b.v1 come to c again"])
    }

    @Test(
        "Spans",
        arguments: [(0, "0ms"), (999, "999ms"), (61_000, "1m 1s"), (3_600_000, "1h"), (90_000_000, "1d 1h")]
            as [(Int64, String)])
    func spans(milliseconds: Int64, text: String) { #expect(Spans.text(milliseconds: milliseconds) == text) }

    @Test(
        "Latencies",
        arguments: [(820, "820µs"), (12_449, "12.4ms"), (999_999, "1000.0ms"), (1_204_000, "1.20s")]
            as [(Int64, String)])
    func latencies(microseconds: Int64, text: String) { #expect(Spans.text(microseconds: microseconds) == text) }
}
