package import BusProtocol

/// What anybody can say of the body of a `keyEpoch` or `keyWrap` message without a secret.
package enum KeyRecord {
    /// Size of an epoch's record and of a wrapped content key, bytes.
    package static let epochSize = EpochHead.size + EpochSecrets.confirmationSize
    package static let wrapSize = EpochHead.size + KeyWrap.wrappedSize

    /// The epoch that a record is of. An epoch's id follows from its record; that of a wrapped key only its receiver can check.
    package static func epoch(of record: some Collection<UInt8>, _ kind: MessageKind) throws(SealFault) -> UInt64 {
        guard kind == .keyEpoch else { return try EpochHead(record, tail: KeyWrap.wrappedSize).epoch }
        let head = try EpochHead(record, tail: EpochSecrets.confirmationSize)
        guard head.epoch == EpochHead.id(recipient: head.recipient, encapsulated: head.encapsulated) else {
            throw .wrongEpochID
        }
        return head.epoch
    }
}
