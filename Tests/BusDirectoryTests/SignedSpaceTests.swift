import BusDirectory
import BusEvidence
import Crypto
import Testing

@Suite("Signed spaces")
struct SignedSpaceTests {
    private let authority = SigningKey()
    private let stranger = SigningKey()

    private func versions(_ count: Int, note: String = "") throws -> [SignedSpace] {
        var found: [SignedSpace] = []
        var space = try SpaceFixture.space()
        for number in 0..<count {
            space.note = "\(note)\(number)"
            found.append(try SignedSpace(SpaceSnapshot(space, after: found.last?.snapshot), by: authority))
        }
        return found
    }

    @Test func aFileIsReadAsItWasSigned() throws {
        let signed = try versions(1)[0]
        let read = try SignedSpace(file: signed.file)
        #expect(read == signed && read.isSigned(by: authority.publicKey))
        #expect(!read.isSigned(by: stranger.publicKey))
        #expect(SignedSpace.isFile(signed.file) && !SignedSpace.isFile(Array("space:\n".utf8)))
    }

    @Test func noByteOfItCanChange() throws {
        let file = try versions(1)[0].file
        for index in stride(from: 0, to: file.count, by: 7) {
            var damaged = file
            damaged[index] ^= 1
            let read = try? SignedSpace(file: damaged)
            #expect(read?.isSigned(by: authority.publicKey) != true, "byte \(index)")
        }
        #expect(throws: SnapshotError.self) { try SignedSpace(file: Array(file.dropLast())) }
    }

    /// Of any bytes, made without the program's own code.
    private func signature(of message: [UInt8]) throws -> [UInt8] {
        Array(try Curve25519.Signing.PrivateKey(rawRepresentation: authority.seed).signature(for: message))
    }

    /// A signature of the bare digest, as somebody could get it for another purpose, is none of a space.
    @Test func theSignatureIsOfASpaceAndOfNothingElse() throws {
        let snapshot = try versions(1)[0].snapshot
        let bare = SignedSpace(snapshot, signature: try signature(of: snapshot.digest.bytes))
        #expect(!bare.isSigned(by: authority.publicKey))
        let message = Array("kerege space v1".utf8) + [0] + snapshot.digest.bytes
        #expect(
            SignedSpace(snapshot, signature: try signature(of: message)).isSigned(by: authority.publicKey))
    }

    @Test func aHolderGoesForwardAlone() throws {
        let spaces = try versions(4)
        let others = try versions(3, note: "other ")
        var trust = SpaceTrust(authority: authority.publicKey)
        #expect(try trust.take(spaces[1]))
        #expect(try !trust.take(spaces[1]), "the same again is nothing new")
        #expect(throws: SpaceTrust.Refusal.rolledBack(from: 2, to: 1)) { try trust.take(spaces[0]) }
        #expect(throws: SpaceTrust.Refusal.forked(at: 2)) { try trust.take(others[1]) }
        #expect(throws: SpaceTrust.Refusal.forked(at: 3)) { try trust.take(others[2]) }
        #expect(try trust.take(spaces[3]), "versions between may be missed")
        #expect(trust.held == spaces[3])
    }

    @Test func whatIsNotSignedIsNotEvenRead() throws {
        var trust = SpaceTrust(authority: authority.publicKey)
        let space = try versions(1)[0].snapshot
        #expect(throws: SpaceTrust.Refusal.notSigned) { try trust.take(SignedSpace(space, by: stranger)) }
        #expect(throws: SpaceTrust.Refusal.notSigned) {
            try trust.take(signature: SignedSpace.noSignature, canonical: space.canonical)
        }
        #expect(throws: SpaceTrust.Refusal.notSigned) {
            try trust.take(signature: SignedSpace.noSignature, canonical: Array("{".utf8))
        }
        #expect(trust.held == nil)
        var open = SpaceTrust(authority: nil)
        #expect(try open.take(signature: SignedSpace.noSignature, canonical: space.canonical))
        #expect(open.held?.snapshot == space)
    }
}
