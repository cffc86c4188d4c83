import BusProtocol
import Foundation
import Testing

/// What stands in `Schemas` as data or tables stands in Swift with the same words and numbers, and the other way round.
@Suite struct CatalogueTests {
    struct Catalogue: Decodable {
        struct Entry: Decodable, Equatable {
            var number: UInt16
            var name: String
            var retryable: Bool
            var meaning: String
            var remedy: String
        }
        var errors: [Entry]
    }

    @Test func errorsAreTheSameWordForWord() throws {
        let written = try JSONDecoder().decode(Catalogue.self, from: Project.data("Schemas/errors.json")).errors
        let spoken = FaultCode.allCases.map {
            Catalogue.Entry(
                number: $0.number, name: $0.name, retryable: $0.isRetryable, meaning: $0.meaning, remedy: $0.remedy)
        }
        #expect(written == spoken)
        #expect(Set(written.map(\.number)).count == written.count && Set(written.map(\.name)).count == written.count)
        #expect(written.map(\.number) == written.map(\.number).sorted(), "the catalogue is in the order of its numbers")
    }

    @Test func namesOfErrorsAreWords() throws {
        for code in FaultCode.allCases {
            #expect(Names.isSystem(code.name.utf8), "\(code)")
            #expect(!code.meaning.isEmpty && !code.remedy.isEmpty, "\(code)")
        }
    }

    /// Faults named in the text of the wire exist, with that number.
    @Test func faultsOfThePageExist() throws {
        // The worked examples of section 13 show bytes, which look like numbers of faults.
        let page = try Project.text("Schemas/wire.md").split(separator: "\n## 13. ")[0]
        let mentions = page.matches(of: /`(\d{4}) ([a-z-]+)`/)
        #expect(mentions.count > 15)
        for mention in mentions {
            let code = UInt16(mention.1).flatMap { FaultCode(rawValue: $0) }
            #expect(code?.name == String(mention.2), "\(mention.0)")
        }
        for mention in page.matches(of: /`(\d{4})`/) {
            #expect(UInt16(mention.1).flatMap { FaultCode(rawValue: $0) } != nil, "\(mention.0)")
        }
    }

    /// Whoever meets a fault finds what to do: every code has a row, in order, and says truly whether to try again.
    @Test func everyFaultHasARowForOperators() throws {
        let page = try Project.text("docs/OPERATIONS.md").split(separator: "\n## Trouble, by error code")[1]
        let rows = page.matches(of: /\n\| (\d{4}) ([a-z-]+) \| (yes|no) \| [^|]+ \| [^|\n]+ \|/)
        let spoken = FaultCode.allCases.map { "\($0.number) \($0.name) \($0.isRetryable ? "yes" : "no")" }
        #expect(rows.map { "\($0.1) \($0.2) \($0.3)" } == spoken)
    }

    @Test func limitsAreTheSame() throws {
        let spoken: [String: UInt64] = [
            "body": UInt64(Limits.body), "header": UInt64(Limits.header), "proof": UInt64(Limits.proof),
            "frame": UInt64(Limits.frame), "envelopesPerFrame": UInt64(Limits.envelopesPerFrame),
            "frameTarget": UInt64(Limits.frameTarget), "text": UInt64(Limits.text),
            "deadlineMilliseconds": UInt64(Limits.deadlineMilliseconds), "creditMessages": Limits.creditMessages,
            "creditBytes": Limits.creditBytes, "systemsPerAgent": UInt64(Limits.systemsPerAgent),
            "reportRows": UInt64(Limits.reportRows), "takenNames": UInt64(Limits.takenNames),
            "queryRows": UInt64(Limits.queryRows), "wantedEpochs": UInt64(Limits.wantedEpochs),
            "provedMessages": UInt64(Limits.provedMessages), "provedHeads": UInt64(Limits.provedHeads),
            "logPath": UInt64(Limits.logPath),
            "faultDetail": UInt64(Limits.faultDetail),
            "maximumSystem": UInt64(Names.maximumSystem), "maximumService": UInt64(Names.maximumService),
        ]
        let rows = try Project.wireTable(section: 11) { $0 != "name" && !$0.hasPrefix("-") }
        let written = Dictionary(rows.map { ($0[0], UInt64($0[1]) ?? 0) }) { first, _ in first }
        #expect(rows.count == written.count)
        #expect(written == spoken)
        let sources = try ["Limits", "Names"].map { try Project.text("Sources/BusProtocol/\($0).swift") }.joined()
        let declared = Set(sources.matches(of: /package static let (\w+)/).map { String($0.1) })
        #expect(declared == Set(spoken.keys), "a limit is missing in this test and in wire.md")
    }

    private func numbered(_ section: Int, name: (Substring) -> Bool) throws -> [Int: String] {
        let rows = try Project.wireTable(section: section) { Int($0) != nil }.filter { name($0[1][...]) }
        return Dictionary(rows.compactMap { row in Int(row[0]).map { ($0, row[1]) } }) { first, _ in first }
    }

    @Test func commandsAreTheSame() throws {
        let rows = try Project.wireTable(section: 4) { Int($0) != nil }
            .filter { $0[1].count > 2 && $0[1].allSatisfy(\.isUppercase) }
        #expect(
            rows.map { Array($0.prefix(3)) }
                == Command.allCases.map { ["\($0.rawValue)", "\($0)".uppercased(), "\($0.since)"] })
    }

    @Test func statesAndStartsAreTheSame() throws {
        let names = Set(CommandState.allCases.map(\.name))
        let states = try numbered(4) { names.contains(String($0)) }
        #expect(states == Dictionary(uniqueKeysWithValues: CommandState.allCases.map { (Int($0.rawValue), $0.name) }))
        let starts: [Seek.Start] = [.beginning, .position, .time]
        let written = try Project.wireTable(section: 4) { Int($0) != nil }.filter { $0.count == 3 }
            .map { "\($0[0]) \($0[1])" }
        #expect(Set(written).isSuperset(of: starts.map { "\($0.rawValue) \($0)" }))
        #expect(Seek.Start(rawValue: UInt8(starts.count)) == nil)
    }

    @Test func hopsAreTheSame() throws {
        let written = try numbered(10) { _ in true }
        #expect(written == Dictionary(uniqueKeysWithValues: Hop.allCases.map { (Int($0.rawValue), $0.name) }))
    }

    @Test func kindsAndOptionalFieldsAreTheSame() throws {
        let rows = try Project.wireTable(section: 6) { Int($0) != nil }
        let kinds = rows.filter { ["yes", "reserved"].contains($0.last ?? "") }
        #expect(kinds.map { "\($0[0]) \($0[1])" } == MessageKind.allCases.map { "\($0.rawValue) \($0)" })
        // The table of bits is the one that ends with `extensions`; its rows count up from 0.
        let last = try #require(rows.lastIndex { $0[1] == "extensions" })
        let fields = rows[...last].suffix(Header.Field.allCases.count)
        #expect(fields.map { "\($0[0]) \($0[1])" } == Header.Field.allCases.map { "\($0.rawValue) \($0)" })
    }

    @Test func aFaultSaysWhatWhyAndWhatNext() {
        let fault = Fault(.badFrame, at: .broker, "3 bytes are no frame")
        #expect(fault.description.hasPrefix("4000 bad-frame at broker: 3 bytes are no frame"))
        #expect(fault.description.hasSuffix(FaultCode.badFrame.remedy))
        #expect(fault == Fault(.badFrame, at: .providerAgent) && fault != Fault(.badHeader, at: .broker))
        #expect(FaultCode.deadlinePassed.family == 408)
    }
}
