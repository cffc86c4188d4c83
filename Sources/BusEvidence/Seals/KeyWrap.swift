import BusProtocol
import Crypto
import Foundation

/// A secret of 32 bytes for one system's key: HPKE's single shot, bound to what it is for. Its id is made of the secret itself, so
/// that everybody who gets it under that id has the same one.
enum KeyWrap {
    static let secretSize = 32
    static let wrappedSize = secretSize + SealCipher.tagSize

    /// What is wrapped.
    struct Purpose {
        /// HPKE's info.
        let words: Domain
        let idWords: Domain
        /// The event or system the secret is for.
        let name: String

        func id(_ secret: SymmetricKey) -> UInt64 {
            let bytes = idWords.bytes + Array(name.utf8) + [0] + secret.withUnsafeBytes { Array($0) }
            return UInt64(littleEndian: bytes.withUnsafeBytes { LogHash.body($0) }.a)
        }

        fileprivate func bound(_ head: EpochHead) -> Data { Data(head.fixed + Array(name.utf8)) }
        fileprivate var info: Data { Data(words.bytes) }
    }

    /// - Parameter id: the secret's own, unless a test says otherwise.
    static func wrap(
        _ secret: SymmetricKey, _ purpose: Purpose, id: UInt64? = nil, for recipient: SystemPublicKey
    ) throws(SealFault) -> [UInt8] {
        guard
            var sender = try? HPKE.Sender(recipientKey: recipient.key, ciphersuite: .kerege, info: purpose.info)
        else { throw .malformedKey }
        let head = EpochHead(
            epoch: id ?? purpose.id(secret), recipient: recipient.id, encapsulated: sender.encapsulatedKey)
        guard
            let wrapped = try? sender.seal(
                secret.withUnsafeBytes { Data($0) }, authenticating: purpose.bound(head))
        else { throw .malformedKey }
        return head.bytes + Array(wrapped)
    }

    static func unwrap(
        _ bytes: some Collection<UInt8>, _ purpose: Purpose, with keyOf: (KeyID) -> SystemKey?
    ) throws(SealFault) -> SymmetricKey {
        let head = try EpochHead(bytes, tail: wrappedSize)
        guard let system = keyOf(head.recipient) else { throw .unknownRecipient(head.recipient) }
        guard
            var recipient = try? HPKE.Recipient(
                privateKey: system.key, ciphersuite: .kerege, info: purpose.info,
                encapsulatedKey: Data(head.encapsulated)),
            let opened = try? recipient.open(
                Data(bytes.suffix(wrappedSize)), authenticating: purpose.bound(head))
        else { throw .wrongKey }
        let secret = SymmetricKey(data: opened)
        guard purpose.id(secret) == head.epoch else { throw .wrongEpochID }
        return secret
    }
}
