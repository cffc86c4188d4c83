import BusProtocol
import Crypto
import Foundation

/// What epoch records and wrapped keys begin with: u8 suite, 7 zero bytes, u64 epoch, 8 bytes key id of the recipient, 1,120 bytes
/// encapsulated key. What follows is 16 bytes that confirm the epoch's key, or the wrapped key of 48 bytes.
struct EpochHead {
    static let fixedSize = 24
    static let encapsulatedSize = 1120
    static let size = fixedSize + encapsulatedSize
    static let suite: UInt8 = 1

    let epoch: UInt64
    let recipient: KeyID
    let encapsulated: [UInt8]

    init(epoch: UInt64, recipient: KeyID, encapsulated: some Collection<UInt8>) {
        self.epoch = epoch
        self.recipient = recipient
        self.encapsulated = Array(encapsulated)
    }

    /// - Parameter tail: bytes behind the encapsulated key.
    init(_ bytes: some Collection<UInt8>, tail: Int) throws(SealFault) {
        let bytes = Array(bytes)
        guard bytes.count == Self.size + tail else { throw .malformedRecord }
        guard bytes[0] == Self.suite else { throw .unknownSuite(bytes[0]) }
        guard bytes[1..<8].allSatisfy({ $0 == 0 }) else { throw .malformedRecord }
        let numbers = bytes.withUnsafeBytes { raw in
            (
                raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
                raw.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
            )
        }
        epoch = UInt64(littleEndian: numbers.0)
        recipient = KeyID(value: UInt64(littleEndian: numbers.1))
        encapsulated = Array(bytes[Self.fixedSize..<Self.size])
    }

    /// The 24 bytes before the encapsulated key.
    var fixed: [UInt8] {
        var out = ByteWriter(capacity: Self.fixedSize)
        out.put(Self.suite)
        out.put(raw: [UInt8](repeating: 0, count: 7))
        out.put(epoch)
        out.put(raw: recipient.bytes)
        return out.finish()
    }

    var bytes: [UInt8] { fixed + encapsulated }

    /// The id an epoch must have: nobody can put another record under it.
    static func id(recipient: KeyID, encapsulated: some Collection<UInt8>) -> UInt64 {
        let bytes = Domain.epochID.bytes + [suite] + recipient.bytes + Array(encapsulated)
        let digest = bytes.withUnsafeBytes { LogHash.body($0) }
        return UInt64(littleEndian: digest.a)
    }
}

extension HPKE.Ciphersuite {
    /// The one suite: X-Wing, HKDF-SHA-256, AES-256-GCM.
    static let kerege = HPKE.Ciphersuite.XWingMLKEM768X25519_SHA256_AES_GCM_256
}
