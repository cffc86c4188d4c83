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
                #"{"format":"kerege-space/1","space":{"broker":{"id":"b"},"id":"s","keys":[{"agent":"portal-1","systems":["portal"]\#(sign)}]},"version":1}"#
                    .utf8))
    }

    /// A request of portal's, signed with this key.
    private func signed(_ number: UInt64, by key: SigningKey) -> JournalBatch.Entry {
        signed(number..<number + 1, by: key)[0]
    }

    /// Requests of portal's under one root.
    /// - Parameter swapped: the number of one that has the proof of the first.
    private func signed(_ numbers: Range<UInt64>, by key: SigningKey, swapped: UInt64? = nil) -> [JournalBatch.Entry] {
        let body = Array("{}".utf8)
        let heads = numbers.map { header(.request, id($0)).encoded() }
        let leaves = heads.map { LogHash.messageLeaf(header: $0, body: body) }
        let batch = BatchSigner(key).sign(leaves, at: noon / 1000)
        return zip(numbers, heads).enumerated().map { index, message in
            let proof = Array(batch.proof(message.0 == swapped ? 0 : index))
            var ranges: [Range<Int>] = []
            var frame: [UInt8] = []
            for part in [message.1, proof, batch.row, body] {
                ranges.append(frame.count..<frame.count + part.count)
                frame += part
            }
            return .message(
                JournalBatch.Message(
                    frame: frame, header: ranges[0], proof: ranges[1], signedRoot: ranges[2], body: ranges[3],
                    receivedAt: noon))
        }
    }

    private func written(_ batches: [[JournalBatch.Entry]]) throws -> TemporaryFolder {
        let folder = TemporaryFolder()
        let journal = try Journal(folder: folder.path)
        for entries in batches {
            var batch = JournalBatch()
            for entry in entries { batch.append(entry) }
            _ = try journal.commit(batch, at: noon)
        }
        journal.close()
        return folder
    }

    private func report(_ batches: [JournalBatch.Entry]...) throws -> JournalVerifier.Report {
        let folder = try written(batches)
        return try JournalVerifier.verify(folder: folder.path)
    }

    @Test func signaturesOfTheKeysOfTheirTimeHold() throws {
        let report = try report(
            [space(portal), signed(1, by: portal), signed(2, by: portal)], [signed(3, by: portal)],
            [space(other), signed(4, by: other)], [space(nil), message(header(.request, id(5)))])
        #expect(report.isSound && report.signatures == 4 && report.signaturesUncheckable == 0, "\(report)")
    }

    /// Proofs stand beside what is hashed, so whoever owns the journal could take one away.
    @Test func whatMustBeSignedAndIsNotIsFound() throws {
        let report = try report([space(portal), signed(1, by: portal), message(header(.request, id(5)))])
        #expect(report.findings.map(\.position) == [3], "\(report)")
        #expect(report.findings.first?.what.contains("no-signed-root") == true)
    }

    /// An entry without a signing key lets its system speak unsigned on its days alone.
    @Test(arguments: [
        (#""until":"2026-09-21""#, true), (#""until":"2026-09-20""#, false), (#""from":"2026-09-21""#, true),
        (#""from":"2026-09-22""#, false), (#""until":"2026-02-30""#, false), (#""revoked":"2026-12-31""#, false),
    ]) func unsignedOnItsDaysAlone(days: String, isSound: Bool) throws {
        let sign = portal.publicKey.bytes.hex
        let space = JournalBatch.Entry.record(
            .space,
            Array(
                #"{"format":"kerege-space/1","space":{"broker":{"id":"b"},"id":"s","keys":[{"agent":"old","systems":["portal"],\#(days)},{"agent":"portal-1","systems":["portal"],"sign":"\#(sign)"}]},"version":1}"#
                    .utf8))
        // Of 2026-09-21 at noon, and by another key that nobody states.
        let report = try report([space, message(header(.request, id(5))), signed(6, by: other)])
        #expect(report.findings.map(\.position) == (isSound ? [] : [2, 3]), "\(report)")
        #expect(report.signaturesUncheckable == (isSound ? 1 : 0))
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

    // MARK: - Many at once

    /// One signature for many messages is verified once, and counted once.
    @Test func signaturesAreCountedBesideMessages() throws {
        let report = try report(
            [space(portal)] + signed(1..<4, by: portal), [signed(4, by: portal)],
            // Neither path nor key: no signature is looked at.
            signed(5..<7, by: portal, swapped: 6).suffix(1) + [signed(7, by: other)])
        #expect(report.signatures == 6 && report.signedRoots == 2, "\(report)")
        #expect(report.findings.map(\.position) == [6, 7])
        #expect(report.findings.first?.what.contains("path-misses-root") == true)
    }

    /// More than one chunk, with something wrong in each: the first and the last message of the chunks, of a batch and of a root.
    @Test func whatIsFoundDoesNotDependOnChunksNorProcessors() throws {
        let size: UInt64 = 100
        let count = UInt64(2 * SignatureAudit.chunk) / size + 3
        // Position of a request: its number and what stands before it, among which is the space of another time.
        let wrong: [UInt64] = [4, 53, 152, 4098, 4099, 4103, 4104, 8194, 8195, count * size + 3]
        let folder = try written(
            [[space(other), signed(1_000_000, by: other), space(portal)]]
                + (0..<count).map { batch in
                    [batch * size..<batch * size + 50, batch * size + 50..<(batch + 1) * size].flatMap { numbers in
                        numbers.contains { wrong.contains($0 + 4) }
                            ? numbers.flatMap { signed($0..<$0 + 1, by: wrong.contains($0 + 4) ? other : portal) }
                            : signed(numbers, by: portal)
                    }
                })
        // Position 4104 begins a chunk, and a batch whose own figures are wrong as well; 8204 has nothing but that.
        for position in [4104, 8204] as [UInt64] {
            try folder.sql("UPDATE batch SET root = zeroblob(32), chain = zeroblob(32) WHERE position = \(position)")
        }
        let one = try JournalVerifier.verify(folder: folder.path, processors: 1)
        for processors in [2, 3, 8, 64] {
            let many = try JournalVerifier.verify(folder: folder.path, processors: processors)
            #expect(many.findings == one.findings, "\(processors)")
            #expect(many.signatures == one.signatures && many.signedRoots == one.signedRoots, "\(processors)")
            #expect(many.root == one.root && many.records == one.records)
        }
        #expect(one.signatures == Int(count * size) + 1 && one.records == Int(count * size) + 3)
        let found = one.findings.map { finding in
            let word = ["signature", "root", "chained", "edge"].first { finding.what.contains($0) } ?? finding.what
            return "\(finding.position) \(word)"
        }
        #expect(
            found == [
                "4 signature", "53 signature", "152 signature", "4098 signature", "4099 signature", "4103 signature",
                "4104 chained", "4104 signature", "4104 root", "4204 chained", "8194 signature", "8195 signature",
                "8204 chained", "8204 root", "8304 chained", "8403 signature",
            ])
    }

    /// However much is wrong, the first of it is told.
    @Test func findingsOfSignaturesAreBounded() throws {
        let folder = try written([[space(portal)]] + (0..<3).map { signed($0 * 50..<($0 + 1) * 50, by: other) })
        let report = try JournalVerifier.verify(folder: folder.path)
        #expect(report.findings.map(\.position) == Array(2..<2 + UInt64(JournalVerifier.maximumFindings)))
    }

    /// What waits is bounded: a chunk is verified when it is full, and with enough findings nothing behind it is looked at.
    @Test func aFullChunkIsVerifiedBeforeTheNextBatch() throws {
        let folder = try written(
            [[space(portal)]] + (0..<50).map { number in signed(number * 100..<(number + 1) * 100, by: other) })
        let report = try JournalVerifier.verify(folder: folder.path)
        #expect(report.findings.count == JournalVerifier.maximumFindings && report.records == 1 + 4100)
        #expect(report.signatures == 4100 && report.treeSize == 4101)
    }

    // MARK: - Times

    @Test func timeIsToldApart() throws {
        let signed = try written([[space(portal)] + (0..<50).map { self.signed($0, by: portal) }])
        let start = ContinuousClock.now
        let report = try JournalVerifier.verify(folder: signed.path)
        let whole = ContinuousClock.now - start
        let times = report.times
        #expect(times.reading > .zero && times.hashing > .zero && times.signing > .zero, "\(times)")
        #expect(times.whole <= whole, "what is counted twice is no time of a part")
        // Fifty signatures cost far more than the hashes of as many records.
        #expect(times.signing > times.hashing, "\(times)")
        let unsigned = try written([(0..<5000).map { message(header(.request, id($0))) }])
        let other = try JournalVerifier.verify(folder: unsigned.path).times
        #expect(other.signing == .zero && other.hashing > other.reading, "\(other)")
    }

    @Test func ratesAreCountsByTheirOwnTime() {
        #expect(VerifierTimes.rate(12_345, in: .milliseconds(50)) == 246_900)
        #expect(VerifierTimes.rate(1, in: .seconds(3)) == 0)
        #expect(VerifierTimes.rate(2, in: .seconds(3)) == 1)
        #expect(VerifierTimes.rate(5, in: .zero) == 0)
        #expect(VerifierTimes.rate(0, in: .seconds(1)) == 0)
    }
}
