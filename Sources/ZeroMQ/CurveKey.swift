import CZeroMQ

/// A public CURVE key: 32 bytes, written as 40 characters of Z85. It is the identity of an agent on the wire.
package struct CurveKey: Hashable, Sendable, CustomStringConvertible {
    package static let byteCount = 32
    package static let textLength = 40

    private let words: [UInt32]

    /// - Returns: nil unless the text is exactly 40 characters of Z85.
    package init?(z85 text: String) {
        guard text.utf8.count == Self.textLength, let words = Z85.words(text.utf8) else { return nil }
        self.words = words
    }

    /// - Returns: nil unless there are exactly 32 bytes.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        var words: [UInt32] = []
        for (index, byte) in bytes.enumerated() {
            if index.isMultiple(of: 4) { words.append(0) }
            words[index / 4] = words[index / 4] << 8 | UInt32(byte)
        }
        self.words = words
    }

    package var z85: String { Z85.text(words) }

    package var bytes: [UInt8] {
        words.flatMap { word in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> $0) } }
    }

    package var description: String { z85 }

    /// A new random key pair.
    /// - Throws: `ZeroMQError` when libzmq was built without CURVE.
    package static func generatePair() throws(ZeroMQError) -> (public: CurveKey, secret: CurveSecretKey) {
        let buffers = (ZeroTerminatedText(), ZeroTerminatedText())
        guard unsafe zmq_curve_keypair(buffers.0.start, buffers.1.start) == 0 else {
            throw .last("make a CURVE key pair")
        }
        guard let publicKey = CurveKey(z85: buffers.0.text), let secret = CurveSecretKey(z85: buffers.1.text) else {
            throw .invalid("make a CURVE key pair", "libzmq wrote keys that are not Z85")
        }
        return (publicKey, secret)
    }
}

/// A secret CURVE key. Its own type, so that it cannot be shown, logged, compared or sent where a public key belongs.
package struct CurveSecretKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let key: CurveKey

    /// - Returns: nil unless the text is exactly 40 characters of Z85.
    package init?(z85 text: String) {
        guard let key = CurveKey(z85: text) else { return nil }
        self.key = key
    }

    /// - Returns: nil unless there are exactly 32 bytes.
    package init?(bytes: some Collection<UInt8>) {
        guard let key = CurveKey(bytes: bytes) else { return nil }
        self.key = key
    }

    /// The text of the secret, for the file that keeps it and for nothing else.
    package func revealZ85() -> String { key.z85 }

    func revealBytes() -> [UInt8] { key.bytes }

    /// The public key that belongs to this secret.
    package func publicKey() throws(ZeroMQError) -> CurveKey {
        let buffer = ZeroTerminatedText()
        let secret = key.z85
        guard unsafe secret.withCString({ unsafe zmq_curve_public(buffer.start, $0) }) == 0 else {
            throw .last("compute a public CURVE key")
        }
        guard let publicKey = CurveKey(z85: buffer.text) else {
            throw .invalid("compute a public CURVE key", "libzmq wrote a key that is not Z85")
        }
        return publicKey
    }

    package var description: String { "CurveSecretKey(redacted)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// The 41 bytes that libzmq writes a Z85 key into; wiped before they are given back, since some hold a secret.
@safe private final class ZeroTerminatedText {
    private static let size = CurveKey.textLength + 1
    let start: UnsafeMutablePointer<CChar>

    init() {
        unsafe start = .allocate(capacity: Self.size)
        unsafe start.initialize(repeating: 0, count: Self.size)
    }

    deinit {
        unsafe explicit_bzero(start, Self.size)
        unsafe start.deallocate()
    }

    var text: String { unsafe String(cString: start) }
}

/// How a socket takes part in CURVE: every connection is then encrypted, and both ends are known by their keys.
package enum CurveRole: Sendable {
    /// Needs a running `ZAPHandler` in the same context, which decides who may connect.
    case server(secret: CurveSecretKey)
    case client(server: CurveKey, public: CurveKey, secret: CurveSecretKey)
}
