import BusProtocol

/// The proof of one message as it travels: u8 suite, u8 hashes of the path, u16 row of the frame's table, u32 leaf, the path.
struct MessageProof {
    static let fixedSize = 8
    /// The only suite: an Ed25519 signature of the batch's root.
    static let ed25519: UInt8 = 1

    let leafIndex: UInt32
    let path: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) throws(ProofFault) {
        guard !bytes.isEmpty else { throw .absent }
        guard bytes.count >= Self.fixedSize else { throw .malformed }
        guard bytes[0] == Self.ed25519 else { throw .unknownSuite(bytes[0]) }
        guard bytes[1] <= MerklePath.maximumCount, bytes.count == Self.fixedSize + Digest32.size * Int(bytes[1]) else {
            throw .malformed
        }
        leafIndex = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        path = UnsafeRawBufferPointer(rebasing: bytes[Self.fixedSize...])
    }
}

/// Why a message is not proven to be its sender's.
package enum ProofFault: Error, Equatable, Sendable, CustomStringConvertible {
    case absent
    case malformed
    case unknownSuite(UInt8)
    /// The proof names no signed root of its frame.
    case rootMissing
    case leafOutside(index: UInt32, batchSize: UInt32)
    case unknownKey(KeyID)
    case outsideValidity(signedAt: Int64)
    case wrongPathLength(found: Int, expected: Int)
    case wrongRoot
    case wrongSignature

    /// Stable word for programs; `docs/EVIDENCE.md` lists them.
    package var code: String {
        switch self {
        case .absent: "no-proof"
        case .malformed: "malformed-proof"
        case .unknownSuite: "unknown-suite"
        case .rootMissing: "no-signed-root"
        case .leafOutside: "leaf-outside-batch"
        case .unknownKey: "unknown-key"
        case .outsideValidity: "key-not-valid-then"
        case .wrongPathLength: "wrong-path-length"
        case .wrongRoot: "path-misses-root"
        case .wrongSignature: "wrong-signature"
        }
    }

    package var description: String {
        switch self {
        case .absent: "the message has no proof; its sender must sign"
        case .malformed: "the proof's size is not that of its path; its sender must make it as docs/EVIDENCE.md says"
        case .unknownSuite(let suite): "the proof is of suite \(suite), 1 is known here; update this program"
        case .rootMissing: "the proof's signed root is not there; ask for the message again"
        case .leafOutside(let index, let size):
            "the proof is for leaf \(index) of a batch of \(size); the message was not in this batch"
        case .unknownKey(let id):
            "the root is signed by key \(id), which is none of the sender's; compare with the keys of the space"
        case .outsideValidity(let time):
            "the root was signed at \(time), when its key was not valid; compare the sender's clock and the key's times"
        case .wrongPathLength(let found, let expected):
            "the path has \(found) hashes where \(expected) lead to the root; the message was not in this batch"
        case .wrongRoot:
            "the path does not lead to the signed root; header, body or proof is not what the sender signed"
        case .wrongSignature:
            "the root's signature is not of key, root, size and time beside it; somebody changed one of them"
        }
    }
}
