/// The authority's word for a snapshot of the space: Ed25519 over `"kerege space v1" ‖ 0x00 ‖ SHA-256(canonical bytes)`, so that no
/// signature of the space can pass for another one of the same key.
package enum SpaceSignature {
    package static let size = VerifyingKey.signatureSize

    package static func make(of canonical: [UInt8], by authority: SigningKey) -> [UInt8] {
        authority.sign(statement(canonical))
    }

    package static func holds(_ signature: [UInt8], of canonical: [UInt8], by authority: VerifyingKey) -> Bool {
        signature.count == size && authority.isSignature(signature, of: statement(canonical))
    }

    private static func statement(_ canonical: [UInt8]) -> [UInt8] {
        Domain.space.bytes + canonical.withUnsafeBytes { LogHash.body($0) }.bytes
    }
}
