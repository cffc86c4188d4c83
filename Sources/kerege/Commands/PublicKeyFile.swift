import BusAgent
import BusEvidence

/// The file of a public key that a verification rests on.
enum PublicKeyFile {
    /// - Parameter option: that names it, as the user would type it.
    static func read(_ path: String, of whom: String, option: String) throws(Failure) -> VerifyingKey {
        do throws(KeyFile.Problem) { return try AuthorityFile.publicKey(path) } catch {
            throw Failure(
                .wrongUse, "no-key", "there is no public key of \(whom) to verify with", why: "\(error)",
                next: "name its file: \(option)")
        }
    }
}
