import BusDirectory
package import BusEvidence
import Glibc

/// The authority of the space: `authority.key` signs spaces and belongs on a machine of its own, off the bus; `authority.pub` is
/// pinned by the broker and by every agent. No daemon needs the first.
package struct AuthorityFile: Sendable {
    package static let name = "authority"
    package let secret: SigningKey

    package var publicKey: VerifyingKey { secret.publicKey }

    private static let remedy = "kerege keys new authority"

    /// - Throws: `KeyFile.Problem` when the file is missing, others may read it, or it is no authority's key.
    package static func load(_ path: String) throws(KeyFile.Problem) -> AuthorityFile {
        // Before its mode: to close the public half to others would not make it the secret one.
        if let shown = try? KeyLines(path), shown["sign-secret"] == nil, SigningLines.publicKey(shown) != nil {
            throw KeyFile.Problem(
                description: "\(path) is the public half of an authority's key. Name its secret half, \(name).key")
        }
        let lines = try KeyLines.secret(path, remedy: remedy)
        guard let secret = try SigningLines.read(lines, remedy: remedy) else {
            throw KeyFile.Problem(
                description: "\(path) has no line \"sign-secret: …\": it is not the authority's secret key. "
                    + "Name the file \(name).key with --authority")
        }
        return AuthorityFile(secret: secret)
    }

    /// Reads the public half, from `authority.pub` or from the secret file.
    package static func publicKey(_ path: String) throws(KeyFile.Problem) -> VerifyingKey {
        guard let key = SigningLines.publicKey(try KeyLines(path)) else {
            throw KeyFile.Problem(
                description: "\(path) has no line \"sign-public: …\" with the authority's public key. "
                    + "Take authority.pub from the machine where `\(remedy)` was run")
        }
        return key
    }

    /// Makes `DIRECTORY/authority.key` and `authority.pub`; an existing key is never overwritten.
    package static func create(in directory: String) throws(KeyFile.Problem) -> AuthorityFile {
        let secret = SigningKey()
        try KeyLines.create(
            secret: "\(directory)/\(name).key",
            ["sign-public": "\(secret.publicKey)", "sign-secret": secret.reveal()],
            shown: "\(directory)/\(name).pub", ["sign-public": "\(secret.publicKey)"])
        return AuthorityFile(secret: secret)
    }
}
