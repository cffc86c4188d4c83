import BusDirectory
package import BusEvidence
import Glibc

/// The key to which messages for a system are sealed, in `SYSTEM.seal`: secret, and shared by the agents of that system. Its public
/// half is in `SYSTEM.seal.pub` and in the space.
package struct SealFile: Sendable {
    package let system: String
    package let secret: SystemKey

    package var publicKey: SystemPublicKey { secret.publicKey }

    package static func path(_ system: String, in directory: String) -> String { "\(directory)/\(system).seal" }

    /// - Throws: `KeyFile.Problem` when the file is missing, others may read it, or it is no seal key.
    package static func load(system: String, in directory: String) throws(KeyFile.Problem) -> SealFile {
        let path = path(system, in: directory)
        let remedy = "kerege keys new AGENT --system \(system)"
        let lines = try KeyLines.secret(path, remedy: remedy)
        guard let text = lines["seal-secret"], let secret = SystemKey(secret: text) else {
            throw KeyFile.Problem(
                description: "\(path) has no line \"seal-secret: …\" with 43 characters of base64url. "
                    + "Move it away and make a new one: \(remedy)")
        }
        guard lines["seal-public"] == "\(secret.publicKey)" else {
            throw KeyFile.Problem(
                description:
                    "the two keys in \(path) do not belong together. Move it away and make a new one: \(remedy)")
        }
        return SealFile(system: system, secret: secret)
    }

    /// Nil where there is no file: a system without a seal key.
    package static func loadIfPresent(system: String, in directory: String) throws(KeyFile.Problem) -> SealFile? {
        guard access(path(system, in: directory), F_OK) == 0 else { return nil }
        return try load(system: system, in: directory)
    }

    /// Makes the key of a system that has none.
    package static func create(system: String, in directory: String) throws(KeyFile.Problem) -> SealFile {
        guard let secret = try? SystemKey() else {
            throw KeyFile.Problem(description: "no seal key could be made: X-Wing is not available here")
        }
        let path = path(system, in: directory)
        try KeyLines.create(
            secret: path, ["seal-public": "\(secret.publicKey)", "seal-secret": secret.reveal()],
            shown: path + ".pub", ["seal-public": "\(secret.publicKey)"])
        return SealFile(system: system, secret: secret)
    }
}
