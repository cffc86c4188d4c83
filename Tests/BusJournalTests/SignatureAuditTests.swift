import BusEvidence
import BusProtocol
import Testing

@testable import BusJournal

@Suite struct SignatureAuditTests {
    private let portal = SigningKey()
    private let other = SigningKey()

    private func space(_ key: SigningKey?) -> JournalBatch.Entry {
        let sign = key.map { #","sign":"\#($0.publicKey.bytes.hex)""# } ?? ""
        return .record(
            .space,
            Array(
                #"{"format":"kerege-space/1","space":{"broker":{},"id":"s","keys":[{"agent":"portal-1","systems":["portal"]\#(sign)}]},"version":1}"#
                    .utf8))
    }

    /// A request of portal's, signed with this key.
    private func signed(_ number: UInt64, by key: SigningKey) -> JournalBatch.Entry {
        let head = header(.request, id(number)).encoded()
        let body = Array("{}".utf8)
        let batch = BatchSigner(key).sign([LogHash.messageLeaf(header: head, body: body)], at: noon / 1000)
        let proof = Array(batch.proof(0))
        var ranges: [Range<Int>] = []
        var frame: [UInt8] = []
        for part in [head, proof, batch.row, body] {
            ranges.append(frame.count..<frame.count + part.count)
            frame += part
        }
        return .message(
            JournalBatch.Message(
                frame: frame, header: ranges[0], proof: ranges[1], signedRoot: ranges[2], body: ranges[3],
                receivedAt: noon))
    }

    private func report(_ batches: [JournalBatch.Entry]...) throws -> JournalVerifier.Report {
        let folder = TemporaryFolder()
        let journal = try Journal(folder: folder.path)
        for entries in batches {
            var batch = JournalBatch()
            for entry in entries { batch.append(entry) }
            _ = try journal.commit(batch, at: noon)
        }
        journal.close()
        return try JournalVerifier.verify(folder: folder.path)
    }

    @Test func signaturesOfTheKeysOfTheirTimeHold() throws {
        let report = try report(
            [space(portal), signed(1, by: portal), signed(2, by: portal)], [signed(3, by: portal)],
            [space(other), signed(4, by: other), message(header(.request, id(5)))])
        #expect(report.isSound && report.signatures == 4 && report.signaturesUncheckable == 0, "\(report)")
    }

    @Test func anotherKeyIsFoundAtItsPosition() throws {
        let report = try report(
            [space(portal), signed(1, by: portal), signed(2, by: other)], [space(other), signed(3, by: portal)])
        #expect(report.findings.map(\.position) == [3, 5] && report.signatures == 3, "\(report)")
        #expect(report.findings.allSatisfy { $0.what.contains("unknown-key") })
    }

    /// Nobody states whose key it is: no finding, but not silence either.
    @Test func keysThatNoSpaceStatesAreCounted() throws {
        let report = try report([signed(1, by: portal)], [space(nil), signed(2, by: portal)])
        #expect(report.isSound && report.signatures == 0 && report.signaturesUncheckable == 2, "\(report)")
    }
}
