/// What a hash, signature or key is for. Its words and a zero byte stand before everything that goes into one, so that
/// bytes made for one purpose never pass for another. `docs/EVIDENCE.md` lists the same words.
enum Domain: String, CaseIterable {
    /// The authority's signature of a snapshot of the space.
    case space = "kerege space v1"
    /// A sender's signature of the root of a batch.
    case batch = "kerege batch v1"
    /// Id of a key that signs.
    case signingKey = "kerege signing key v1"
    /// Id of a system's key.
    case systemKey = "kerege system key v1"
    /// HPKE's info of an epoch, and its exported secrets: the key of messages, and what confirms it.
    case epoch = "kerege epoch v1"
    case seal = "kerege seal v1"
    case epochConfirmation = "kerege epoch confirmation v1"
    /// Id of an epoch from system to system.
    case epochID = "kerege epoch id v1"
    /// HPKE's info of a wrapped content key.
    case keyWrap = "kerege key wrap v1"
    /// What tells a repetition, and the secret it is made with where a system has only a seal key.
    case repeatTag = "kerege repeat tag v1"
    case repeatSecret = "kerege repeat secret v1"
    /// Id of an epoch of events.
    case eventKeyID = "kerege event key id v1"
    /// An order key, and the secret it is made with: HPKE's info of its wrap, and its id.
    case orderKey = "kerege order key v1"
    case orderSecret = "kerege order secret v1"
    case orderSecretWrap = "kerege order secret wrap v1"
    case orderSecretID = "kerege order secret id v1"
    /// A provider's pseudonym of the person concerned.
    case subject = "kerege subject reference v1"

    /// The words and a zero byte.
    var bytes: [UInt8] { Array(rawValue.utf8) + [0] }
}
