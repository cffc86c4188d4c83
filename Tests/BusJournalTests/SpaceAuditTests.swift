import BusEvidence
import BusProtocol
import Testing

@testable import BusJournal

/// Spaces of a journal against the authority that must have signed them.
@Suite struct SpaceAuditTests {
    private let authority = SigningKey()

    private static func space(_ version: Int) -> [UInt8] {
        Array(
            #"{"format":"kerege-space/1","space":{"broker":{"id":"b"},"id":"s","keys":[]},"version":\#(version)}"#.utf8)
    }

    /// The line of a signature as a broker keeps it.
    private static func line(_ canonical: [UInt8], _ signature: [UInt8]) -> String {
        "\(canonical.withUnsafeBytes { LogHash.body($0) }.bytes.hex) \(signature.hex)\n"
    }

    private func signed(_ version: Int, by key: SigningKey? = nil) -> String {
        let space = Self.space(version)
        return Self.line(space, SpaceSignature.make(of: space, by: key ?? authority))
    }

    /// A journal in which these versions took effect one after the other, at the positions from 1 on.
    private func report(
        _ versions: [Int], _ lines: String, knowsAuthority: Bool = true
    ) throws -> JournalVerifier.Report {
        let folder = TemporaryFolder()
        let journal = try Journal(folder: folder.path)
        for version in versions {
            _ = try journal.commit(batch(.record(.space, Self.space(version))), at: noon)
        }
        journal.close()
        let signatures = SpaceSignatures(file: Array(lines.utf8))
        return try JournalVerifier.verify(
            folder: folder.path,
            keys: .init(authority: knowsAuthority ? authority.publicKey : nil, signatures: signatures)
        )
    }

    /// Position and stable word of every finding.
    private static func words(_ report: JournalVerifier.Report) -> [String] {
        report.findings.map { "\($0.position) \($0.what.prefix { $0 != ":" })" }
    }

    @Test func whatTheAuthoritySignedHolds() throws {
        // The second one was signed twice, by the authority of before as well.
        let report = try report([1, 2, 4], signed(1) + signed(2) + signed(2, by: SigningKey()) + signed(4))
        #expect(report.isSound, "\(report.findings)")
        #expect(report.spaces == 3 && report.spacesSigned == 3 && report.knowsAuthority)
    }

    @Test func whatItDidNotSignIsFoundAtItsPlace() throws {
        let other = signed(2, by: SigningKey())
        let cut = Self.line(Self.space(3), Array(repeating: 7, count: 63))
        let report = try report([1, 2, 3, 4], signed(1) + other + cut)
        #expect(
            Self.words(report) == ["2 wrong-space-signature", "3 malformed-space-signature", "4 space-not-signed"])
        #expect(report.spaces == 4 && report.spacesSigned == 1)
    }

    /// Signed it is, but what it revoked would count again.
    @Test func anOlderSpaceInForceAgainIsFound() throws {
        let report = try report([1, 2, 1, 2, 3], signed(1) + signed(2) + signed(3))
        #expect(Self.words(report) == ["3 space-rolled-back", "4 space-rolled-back"])
        #expect(report.spacesSigned == 5)
    }

    /// Nobody's word is asked for: then only that a signature has the form of one is looked at, and the report says so.
    @Test func withoutTheAuthorityOnlyTheFormIsLookedAt() throws {
        let report = try report([1, 1, 2], signed(1, by: SigningKey()), knowsAuthority: false)
        #expect(report.isSound && report.spaces == 3 && report.spacesSigned == 0 && !report.knowsAuthority)
        for wrong in ["", "zz", String(repeating: "ab", count: 65)] {
            let digest = Self.line(Self.space(1), []).dropLast()
            let found = try self.report([1], "\(digest)\(wrong)\n", knowsAuthority: false)
            #expect(Self.words(found) == ["1 malformed-space-signature"], "\(wrong)")
        }
    }
}
