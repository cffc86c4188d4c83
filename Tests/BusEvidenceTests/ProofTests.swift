import BusProtocol
import Foundation
import Testing

@testable import BusEvidence

@Suite struct ProofTests {
    private let key = SigningKey()

    /// Checks a message's proof against one known key.
    private func check(
        _ leaf: Digest32, _ proof: some Collection<UInt8>, _ root: [UInt8], _ checker: inout ProofChecker
    ) throws(ProofFault) -> KeyID {
        try checker.check(leaf: leaf, proof: Array(proof), signedRoot: root) {
            $0 == key.id ? SenderKey(key.publicKey) : nil
        }
    }

    @Test(arguments: [1, 2, 3, 4, 5, 7, 8, 63, 64, 65, 200])
    func everyMessageOfABatchIsProven(count: Int) throws {
        let leaves = (0..<count).map(testLeaf)
        let batch = BatchSigner(key).sign(leaves, at: 1_767_225_600_000)
        #expect(batch.count == count && batch.root.batchSize == UInt32(count))
        #expect(batch.root.root == NaiveTree.root(leaves[...]).bytes && batch.row.count == 116)
        var checker = ProofChecker()
        for (index, leaf) in leaves.enumerated() {
            #expect(batch.proof(index).count == 8 + 32 * NaiveTree.path(index, leaves[...]).count)
            #expect(try check(leaf, batch.proof(index), batch.row, &checker) == key.id)
        }
        #expect(throws: ProofFault.wrongRoot) {
            try check(testLeaf(1000), batch.proof(0), batch.row, &checker)
        }
    }

    @Test func aMessageAloneHasAnEmptyPath() {
        let batch = BatchSigner(key).sign([testLeaf(1)], at: 5)
        #expect(Array(batch.proof(0)) == [1, 0, 0, 0, 0, 0, 0, 0])
        #expect(batch.root.root == testLeaf(1).bytes)
    }

    /// Vectors of `Schemas/vectors/generate.py`, which signs and checks by itself.
    @Test func theSecondImplementationsProofsAreJudgedAlike() throws {
        for vector in try ProofVector.all() {
            var checker = ProofChecker()
            #expect(vector.judged(by: &checker) == vector.says, "\(vector.name)")
        }
    }

    /// The whole way: signed by an agent, batched anew by a broker, checked by the receiver in the frame.
    @Test func proofsHoldInFramesThatWereBatchedAnew() throws {
        let messages = (0..<6).map { (header: SomeHeaders.request(UInt128($0)), body: [UInt8($0)]) }
        let signer = BatchSigner(key)
        let batches = [messages[..<4], messages[4...]].map { part in
            signer.sign(part.map { LogHash.messageLeaf(header: $0.header, body: $0.body) }, at: 5)
        }
        let outgoing = messages.indices.map { index in
            let (batch, leaf) = index < 4 ? (batches[0], index) : (batches[1], index - 4)
            var out = OutgoingEnvelope(header: messages[index].header[...], body: messages[index].body[...])
            out.proof = batch.proof(leaf)
            out.signedRoot = batch.row[...]
            return out
        }
        var checker = ProofChecker()
        var said: [String] = []
        let frame = EnvelopeFrame.encode(FrameHead(.deliver), outgoing.reversed())
        _ = try frame.withUnsafeBytes { raw in
            try EnvelopeFrame.decode(raw, FrameHead(raw)) { _, result in
                guard case .success(let view) = result else { return }
                do throws(ProofFault) {
                    let id = try checker.check(view, in: raw) { $0 == key.id ? SenderKey(key.publicKey) : nil }
                    said.append(id == key.id ? "ok" : "another key")
                } catch { said.append(error.code) }
            }
        }
        #expect(said == [String](repeating: "ok", count: 6))
    }

    /// With all roots of the vectors remembered, no damaged one passes for a good one.
    @Test func rememberedRootsJudgeAlike() throws {
        let vectors = try ProofVector.all()
        var checker = ProofChecker()
        for _ in 0..<2 {
            for vector in vectors { #expect(vector.judged(by: &checker) == vector.says, "\(vector.name)") }
            for vector in vectors.reversed() {
                #expect(vector.judged(by: &checker) == vector.says, "\(vector.name)")
            }
        }
    }

    @Test func everyBitOfARootCounts() throws {
        let leaves = (0..<5).map(testLeaf)
        let batch = BatchSigner(key).sign(leaves, at: 77)
        var checker = ProofChecker()
        _ = try check(leaves[2], batch.proof(2), batch.row, &checker)
        for bit in 0..<batch.row.count * 8 {
            var row = batch.row
            row[bit / 8] ^= 1 << (bit % 8)
            #expect(throws: ProofFault.self, "bit \(bit)") {
                try check(leaves[2], batch.proof(2), row, &checker)
            }
        }
        _ = try check(leaves[2], batch.proof(2), batch.row, &checker)
    }

    /// The directory may come to mean another key by an id; a remembered root does not outlive that.
    @Test func aRememberedRootBelongsToItsKey() throws {
        let batch = BatchSigner(key).sign([testLeaf(1)], at: 5)
        var checker = ProofChecker()
        _ = try check(testLeaf(1), batch.proof(0), batch.row, &checker)
        #expect(throws: ProofFault.unknownKey(key.id)) {
            try checker.check(leaf: testLeaf(1), proof: Array(batch.proof(0)), signedRoot: batch.row) { _ in nil }
        }
        #expect(throws: ProofFault.unknownKey(key.id)) {
            try checker.check(leaf: testLeaf(1), proof: Array(batch.proof(0)), signedRoot: batch.row) { _ in
                SenderKey(SigningKey().publicKey)
            }
        }
        #expect(throws: ProofFault.outsideValidity(signedAt: 5)) {
            try checker.check(leaf: testLeaf(1), proof: Array(batch.proof(0)), signedRoot: batch.row) { _ in
                SenderKey(key.publicKey, validity: 6...9)
            }
        }
    }

    @Test func whatIsRememberedIsBounded() {
        var map = RecentMap<Int, Int>(limit: 10)
        for number in 0..<1000 {
            map.put(number, for: number)
            #expect(map.count <= 10 && map[number] == number)
            if number >= 4 { #expect(map[number - 4] == number - 4) }
        }
        #expect(map[0] == nil)
    }

    @Test func keysHaveSeedsAndIDs() throws {
        let again = try #require(SigningKey(seed: key.seed))
        #expect(again.publicKey == key.publicKey && again.id == key.id && key.seed.count == 32)
        #expect(SigningKey().id != key.id)
        #expect(SigningKey(seed: [1]) == nil && VerifyingKey([1]) == nil)
        // Beginning of SHA-256("kerege signing key v1" 00 ‖ 32 zero bytes), computed with another implementation.
        #expect(try #require(VerifyingKey([UInt8](repeating: 0, count: 32))).id.description == "5f0e08229ee81e1c")
    }

    @Test func thePageListsEveryDomain() throws {
        let page = try String(
            contentsOf: EvidenceVectors.root.appendingPathComponent("docs/EVIDENCE.md"), encoding: .utf8)
        for domain in Domain.allCases { #expect(page.contains("| `\(domain.rawValue)` |"), "\(domain.rawValue)") }
    }

    /// A signature for one purpose never passes for another: no statement begins like one of another domain.
    @Test func noDomainBeginsLikeAnother() {
        for one in Domain.allCases {
            for other in Domain.allCases where other != one { #expect(!one.bytes.starts(with: other.bytes)) }
        }
    }
}

private enum SomeHeaders {
    static func request(_ number: UInt128) -> [UInt8] {
        Header(kind: .request, id: MessageID(value: 7 << 76 | 0b10 << 62 | number), created: 1).encoded()
    }
}

struct ProofVector: Decodable {
    struct File: Decodable { var vectors: [ProofVector] }
    var name: String
    var publicKey: String
    var valid: [String]
    var header: String
    var bodyDigest: String
    var proof: String
    var signedRoot: String
    var says: String

    static func all() throws -> [ProofVector] {
        let vectors = try JSONDecoder().decode(File.self, from: EvidenceVectors.data("proofs.json")).vectors
        try #require(vectors.count > 40)
        return vectors
    }

    /// "ok" or the code of what is wrong.
    func judged(by checker: inout ProofChecker) -> String {
        guard let key = [UInt8](hex: publicKey).flatMap({ VerifyingKey($0) }),
            let digest = [UInt8](hex: bodyDigest).flatMap({ Digest32($0) }), let header = [UInt8](hex: header),
            let proof = [UInt8](hex: proof), let root = [UInt8](hex: signedRoot),
            let from = Int64(valid[0]), let until = Int64(valid[1])
        else { return "unreadable vector" }
        let leaf = header.withUnsafeBytes { LogHash.messageLeaf(header: $0, bodyDigest: digest) }
        do throws(ProofFault) {
            _ = try checker.check(leaf: leaf, proof: proof, signedRoot: root) {
                $0 == key.id ? SenderKey(key, validity: from...until) : nil
            }
            return "ok"
        } catch { return error.code }
    }
}

/// Files under `Schemas/vectors`.
enum EvidenceVectors {
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static func data(_ name: String) throws -> Data {
        try Data(contentsOf: root.appendingPathComponent("Schemas/vectors/\(name)"))
    }
}
