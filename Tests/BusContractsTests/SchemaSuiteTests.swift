import BusContracts
import Testing

@Suite("the official JSON Schema suite, draft 2020-12")
struct SchemaSuiteTests {
    private static let isPresent: Bool = {
        if SchemaSuite.folder == nil { print("NOT RUN: suite missing; Tests/fetch-schema-suite.sh fetches it") }
        return SchemaSuite.folder != nil
    }()

    @Test("every required case", .enabled(if: isPresent, "NOT RUN: suite missing"))
    func required() throws {
        let result = SchemaSuite.run(
            try SchemaSuite.groups(in: ""), registry: try SchemaSuite.registry(), assertFormats: false)
        #expect(
            SchemaSuite.requiredCases.contains(result.ran),
            "\(result.ran) cases ran: an edition of the suite nobody counted")
        #expect(result.wrong == [])
    }

    @Test(
        "formats, when they are asserted", .enabled(if: isPresent, "NOT RUN: suite missing"),
        arguments: [
            "date", "time", "date-time", "duration", "uuid", "uri", "uri-reference", "email", "ipv4", "ipv6",
            "json-pointer", "relative-json-pointer", "regex", "ecmascript-regex", "unknown",
        ])
    func formats(_ file: String) throws {
        let groups = try SchemaSuite.groups(in: "optional/format", only: [file])
        let result = SchemaSuite.run(groups, registry: try SchemaSuite.registry(), assertFormats: true)
        #expect(result.ran > 0)
        #expect(result.wrong == [])
    }

    @Test(
        "optional parts that are kept", .enabled(if: isPresent, "NOT RUN: suite missing"),
        arguments: [
            "anchor", "bignum", "dynamicRef", "ecmascript-regex", "float-overflow", "format-assertion", "id",
            "no-schema",
            "non-bmp-regex", "refOfUnknownKeyword", "unknownKeyword",
        ])
    func optional(_ file: String) throws {
        let groups = try SchemaSuite.groups(in: "optional", only: [file])
        let result = SchemaSuite.run(groups, registry: try SchemaSuite.registry(), assertFormats: false)
        #expect(result.ran > 0)
        #expect(result.wrong == [])
    }
}
