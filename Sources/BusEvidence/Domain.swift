/// What a hash, signature or key is for. Its words and a zero byte stand before everything that goes into one, so that
/// bytes made for one purpose never pass for another. `docs/EVIDENCE.md` lists the same words.
enum Domain: String, CaseIterable {
    /// A sender's signature of the root of a batch.
    case batch = "kerege batch v1"
    /// Id of a key that signs.
    case signingKey = "kerege signing key v1"

    /// The words and a zero byte.
    var bytes: [UInt8] { Array(rawValue.utf8) + [0] }
}
