import BusProtocol
import Foundation
import Testing

@testable import BusEvidence

/// `Schemas/vectors/signatures.json`, written by hand; the second verifier judges the same cases.
@Suite struct SignatureVectorTests {
    private struct Cases: Decodable {
        struct Signature: Decodable {
            var name: String
            var key: String
            var statement: String
            var signature: String
            var holds: Bool
        }
        struct Note: Decodable {
            var name: String
            var key: String
            var note: String
            var says: String
        }
        var signatures: [Signature]
        var checkpoints: [Note]
    }

    private let cases: Cases

    init() throws { cases = try JSONDecoder().decode(Cases.self, from: EvidenceVectors.data("signatures.json")) }

    private func key(_ hex: String) throws -> VerifyingKey {
        try #require([UInt8](hex: hex).flatMap { VerifyingKey($0) })
    }

    /// Keys and signatures with which something is signed by nobody, or by anybody.
    @Test func signaturesThatSomeWouldTake() throws {
        #expect(cases.signatures.count { $0.holds } == 1 && cases.signatures.count > 10)
        for vector in cases.signatures {
            let key = try key(vector.key)
            let signature = try #require([UInt8](hex: vector.signature))
            let statement = try #require([UInt8](hex: vector.statement))
            #expect(key.isSignature(signature, of: statement) == vector.holds, "\(vector.name)")
        }
    }

    @Test func sizesThatSomeWouldRead() throws {
        for vector in cases.checkpoints {
            let key = try key(vector.key)
            let says = noteCode { () throws(NoteFault) in _ = try Checkpoint(vector.note, by: key) }
            #expect(says == vector.says, "\(vector.name)")
        }
    }
}
