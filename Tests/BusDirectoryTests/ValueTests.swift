import BusDirectory
import Testing

struct ValueTests {
    @Test(
        arguments: [
            ("250ms", 250), ("5s", 5_000), ("2m", 120_000), ("3h", 10_800_000), ("1d", 86_400_000),
            ("3650d", 315_360_000_000),
        ] as [(String, Int64)]) func durationIsRead(_ text: String, _ milliseconds: Int64)
    {
        #expect(Milliseconds(text)?.count == milliseconds)
        #expect(Milliseconds(milliseconds).description == text)
    }

    @Test(arguments: [
        "", "5", "s", "5 s", "-5s", "0s", "5S", "1.5s", "5sec", "3651d", "99999999999999999999d",
        "9223372036854775807d", "٥s",
    ]) func otherTextIsNoDuration(_ text: String) {
        #expect(Milliseconds(text) == nil)
    }

    @Test(arguments: ["2021-12-31", "2020-02-29", "2000-02-29", "1900-01-01"]) func dateIsRead(_ text: String) {
        #expect(CalendarDate(text)?.description == text)
    }

    @Test(arguments: [
        "2021-02-29", "1900-02-29", "2021-13-01", "2021-00-01", "2021-04-31", "2021-1-01", "21-01-01", "2021/01/01",
        "1899-12-31",
        "2021-01-01T00:00:00Z", "", "２021-01-0",
    ]) func otherTextIsNoDate(_ text: String) {
        #expect(CalendarDate(text) == nil)
    }

    @Test func datesAreOrdered() throws {
        let days = try ["2018-12-31", "2019-01-01", "2019-01-02", "2019-02-01"].map { try #require(CalendarDate($0)) }
        #expect(days.shuffled().sorted() == days)
    }

    @Test(arguments: [
        ("individuals.person-get.v1", true), ("a.b.v12", true), ("individuals.person-get", false),
        ("individuals.person-get.v0", false), ("individuals.person-get.1", false),
        ("individuals.person-get.v01", false),
        ("Individuals.person-get.v1", false), ("a..v1", false), ("a.b.v1.c", false), ("a.-b.v1", false),
        ("a.b-.v1", false),
        ("a.b--c.v1", false), ("1a.b.v1", false), ("a.b.v12345", false), ("a.b.vx", false), (".b.v1", false),
        ("", false),
    ]) func serviceNames(_ text: String, _ isRight: Bool) {
        #expect((Identifiers.serviceName(text) != nil) == isRight)
    }

    @Test(arguments: [
        ("700140100005", true), ("700240101374", true), ("700140100006", false), ("701340100005", false),
        ("700130100005", false), ("70014010000", false), ("7001401000055", false), ("70014010000a", false), ("", false),
    ]) func businessNumbers(_ text: String, _ isRight: Bool) {
        #expect(Identifiers.isBIN(text) == isRight)
    }

    /// Vectors of the two-pass rule: the first needs the second pass, the last has no number at all.
    @Test func checkDigitTakesASecondPass() {
        #expect(Identifiers.checkDigit([9, 9, 1, 2, 3, 1, 5, 0, 0, 7, 0]) == 7)
        #expect(Identifiers.checkDigit([9, 9, 0, 1, 0, 1, 5, 0, 0, 0, 1]) == 6)
        #expect(Identifiers.checkDigit([9, 9, 1, 2, 3, 1, 5, 0, 0, 7, 7]) == nil)
    }

    @Test func curveKeys() {
        #expect(Identifiers.isCurveKey(SpaceFixture.portalKey))
        #expect(!Identifiers.isCurveKey(String(repeating: "0", count: 40)), "all zero")
        #expect(!Identifiers.isCurveKey(String(repeating: "#", count: 40)), "a group beyond 32 bits")
        #expect(!Identifiers.isCurveKey(SpaceFixture.portalKey.replacing("Y", with: "~")), "outside the alphabet")
        #expect(!Identifiers.isCurveKey(String(SpaceFixture.portalKey.dropLast())))
    }
}
