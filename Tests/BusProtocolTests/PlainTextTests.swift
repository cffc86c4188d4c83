import BusProtocol
import Testing

@Suite("Text of others")
struct PlainTextTests {
    @Test(arguments: [
        ("land.plot-get.v1", "land.plot-get.v1"), ("a\u{1B}]11;#000\u{07}b", "a ]11;#000 b"),
        ("no\n2026-11-28 info kerege: connected", "no 2026-11-28 info kerege: connected"),
        ("\r\n\t\u{85}\u{2028}", "     "), ("Қазақстан", "Қазақстан"),
    ])
    func steersNothing(_ text: String, _ plain: String) { #expect(text.plain() == plain) }

    @Test func isCut() { #expect(String(repeating: "x", count: 5000).plain(atMost: 300).count == 300) }
}
