package import BusEvidence
import BusProtocol

/// Keys as they stand in the files of a space and of keys. What keys do is BusEvidence's.
extension VerifyingKey: CustomStringConvertible {
    /// 64 hexadecimal digits of either case, or 43 characters of base64url; nil for anything else.
    package init?(_ text: String) {
        guard let bytes = [UInt8](hex: text) ?? Base64URL.decode(text) else { return nil }
        self.init(bytes)
    }

    /// 64 lower-case hexadecimal digits: the one form in which a snapshot holds it.
    package var description: String { bytes.hex }
}

extension SigningKey {
    /// Nil unless the text is 43 characters of base64url.
    package init?(secret text: String) {
        guard let seed = Base64URL.decode(text) else { return nil }
        self.init(seed: seed)
    }

    /// For its file, and for nothing else.
    package func reveal() -> String { Base64URL.encode(seed) }
}

extension SystemPublicKey: CustomStringConvertible {
    /// Nil unless the text is 1,622 characters of base64url.
    package init?(_ text: String) {
        guard let bytes = Base64URL.decode(text), let key = try? SystemPublicKey(bytes) else { return nil }
        self = key
    }

    package var description: String { Base64URL.encode(bytes) }
}

extension SystemKey {
    /// Nil unless the text is 43 characters of base64url.
    package init?(secret text: String) {
        guard let seed = Base64URL.decode(text), let key = try? SystemKey(seed: seed) else { return nil }
        self = key
    }

    /// For its file, and for nothing else.
    package func reveal() -> String { Base64URL.encode(seed) }
}
