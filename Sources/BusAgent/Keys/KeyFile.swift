import BusDirectory
package import BusEvidence
import Glibc
package import ZeroMQ

/// The keys of an agent or of the broker, readable by its owner alone: `public:` and `secret:` (CURVE, Z85) are who it is on the
/// wire, `sign-public:` and `sign-secret:` (Ed25519) sign what it says. Files of before have the first two lines only.
public struct KeyFile: Sendable {
    /// The identity on the wire, Z85, 40 characters: what the space names.
    public var publicKey: String { curvePublic.z85 }
    /// The public half of the signing key, 64 hexadecimal digits; nil where the file has none.
    public var signPublicKey: String? { signing?.publicKey.description }
    package let curvePublic: CurveKey
    package let curveSecret: CurveSecretKey
    package let signing: SigningKey?

    /// What is wrong with a key file, and the command that mends it.
    public struct Problem: Error, Sendable, CustomStringConvertible {
        public let description: String
    }

    /// Reads the keys.
    /// - Throws: `Problem` when the file is missing, others may read it, or it is no key file.
    public static func load(_ path: String) throws(Problem) -> KeyFile {
        let remedy = "kerege keys new \(stem(path))"
        let lines = try KeyLines.secret(path, remedy: remedy)
        guard let publicText = lines["public"], let publicKey = CurveKey(z85: publicText),
            let secretText = lines["secret"], let secret = CurveSecretKey(z85: secretText)
        else {
            throw Problem(
                description:
                    "\(path) is no key file: it needs the lines \"public: …\" and \"secret: …\" with 40 characters "
                    + "of Z85 each. Make a new one: \(remedy)")
        }
        guard (try? secret.publicKey()) == publicKey else {
            throw Problem(
                description: "the two keys in \(path) do not belong together. Make a new pair: \(remedy)")
        }
        return KeyFile(
            curvePublic: publicKey, curveSecret: secret, signing: try SigningLines.read(lines, remedy: remedy))
    }

    /// Reads the public key of a file: one with a `public:` line, secret or not.
    public static func publicKey(_ path: String) throws(Problem) -> String {
        guard let text = try KeyLines(path)["public"], let key = CurveKey(z85: text) else {
            throw Problem(description: "\(path) has no line \"public: …\" with 40 characters of Z85")
        }
        return key.z85
    }

    /// Makes the keys: `DIRECTORY/NAME.key`, secret, and `DIRECTORY/NAME.pub`. An existing key is never overwritten.
    public static func create(name: String, in directory: String) throws(Problem) -> KeyFile {
        try create(name: name, in: directory, signs: true)
    }

    /// - Parameter signs: false: a file as there were before there were signatures.
    package static func create(name: String, in directory: String, signs: Bool) throws(Problem) -> KeyFile {
        guard !name.isEmpty, !name.contains("/"), name.first != "." else {
            throw Problem(description: "\"\(name)\" cannot name a key: use letters, digits and hyphens")
        }
        let pair: (public: CurveKey, secret: CurveSecretKey)
        do throws(ZeroMQError) { pair = try CurveKey.generatePair() } catch { throw Problem(description: "\(error)") }
        let made = KeyFile(curvePublic: pair.public, curveSecret: pair.secret, signing: signs ? SigningKey() : nil)
        try KeyLines.create(
            secret: "\(directory)/\(name).key", made.lines, shown: "\(directory)/\(name).pub", made.publicLines)
        return made
    }

    /// Gives a file of before a signing key; the agent stays who it is.
    /// - Returns: the keys; as they were when there is one already.
    public static func addSigning(to path: String) throws(Problem) -> KeyFile {
        let old = try load(path)
        guard old.signing == nil else { return old }
        let made = KeyFile(curvePublic: old.curvePublic, curveSecret: old.curveSecret, signing: SigningKey())
        try KeyLines.replace(secret: path, made.lines)
        if path.hasSuffix(".key") { try KeyLines.replace(shown: path.dropLast(4) + ".pub", made.publicLines) }
        return made
    }

    package init(curvePublic: CurveKey, curveSecret: CurveSecretKey, signing: SigningKey? = nil) {
        self.curvePublic = curvePublic
        self.curveSecret = curveSecret
        self.signing = signing
    }

    private var lines: KeyValuePairs<String, String> {
        guard let signing else { return ["public": curvePublic.z85, "secret": curveSecret.revealZ85()] }
        return [
            "public": curvePublic.z85, "secret": curveSecret.revealZ85(),
            "sign-public": "\(signing.publicKey)", "sign-secret": signing.reveal(),
        ]
    }

    private var publicLines: KeyValuePairs<String, String> {
        guard let signing else { return ["public": curvePublic.z85] }
        return ["public": curvePublic.z85, "sign-public": "\(signing.publicKey)"]
    }

    private static func stem(_ path: String) -> String {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        return name.hasSuffix(".key") ? String(name.dropLast(4)) : name
    }
}

/// The lines of a signing key in any of the files that have one.
enum SigningLines {
    /// Nil where the file has no line `sign-secret`.
    static func read(_ lines: KeyLines, remedy: String) throws(KeyFile.Problem) -> SigningKey? {
        guard let text = lines["sign-secret"] else { return nil }
        guard let secret = SigningKey(secret: text), let shown = lines["sign-public"], let key = VerifyingKey(shown)
        else {
            throw KeyFile.Problem(
                description: "the lines \"sign-public: …\" and \"sign-secret: …\" in \(lines.path) are no signing key. "
                    + "Make a new one: \(remedy)")
        }
        guard secret.publicKey == key else {
            throw KeyFile.Problem(
                description: "the two signing keys in \(lines.path) do not belong together. Make new ones: \(remedy)")
        }
        return secret
    }

    static func publicKey(_ lines: KeyLines) -> VerifyingKey? { lines["sign-public"].flatMap { VerifyingKey($0) } }
}
