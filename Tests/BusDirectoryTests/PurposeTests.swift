import BusDirectory
import Testing

/// Why a system asks, as an integration states it.
struct PurposeTests {
    private static func space(_ purposes: String, _ purpose: String) -> SpaceReading {
        let head = SpaceFixture.replacing("  id: small\n", "  id: small\n\(purposes)")
        return SpaceFixture.read(
            head.replacing("    service: register", with: "\(purpose)    service: register", maxReplacements: 1))
    }

    @Test func isPartOfTheIntegration() throws {
        let reading = Self.space("  purposes: required\n", "    purpose: Forms of the citizen\n")
        let space = try #require(reading.space, "\(reading.findings)")
        let purposes = space.integrations.map { "\($0.id): \($0.purpose ?? "none")" }
        #expect(purposes == ["portal-changes: none", "portal-record: Forms of the citizen"], "an event asks nothing")
        let before = try SpaceFixture.space()
        let change = SpaceDiff(from: before, to: space).entries
        #expect(change.map(\.id) == ["portal-record"] && change.first?.fields.map(\.path) == ["purpose"])
    }

    @Test(
        "mistakes have a place",
        arguments: [
            ("  purposes: required\n", "", "missing-member 28:5", "`portal-record` does not say why portal asks"),
            ("  purposes: perhaps\n", "", "bad-value 3:13", "one of required, optional"),
            (
                "", "    purpose: \(String(repeating: "x", count: 256))\n", "bad-value 29:14",
                "one sentence of at most 255 bytes"
            ),
        ])
    func mistakes(_ purposes: String, _ purpose: String, _ finding: String, _ says: String) {
        let reading = Self.space(purposes, purpose)
        #expect(reading.space == nil && reading.findings.count == 1, "\(reading.findings)")
        let found = reading.findings.first
        #expect(found.map { "\($0.code.rawValue) \($0.line):\($0.column)" } == finding)
        #expect(found?.description.contains(says) == true, "\(reading.findings)")
    }

    @Test func noneIsNeededUnlessTheSpaceAsksForIt() { #expect(Self.space("", "").findings.isEmpty) }
}
