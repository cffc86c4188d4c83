/// The keys of a space as those look them up who sign, check, seal and open: by key id, system and event. Revoked keys are not in
/// it; whether one of the others counts at a moment is for the caller to ask (`validity`).
package struct Directory: Sendable {
    package struct Signer: Sendable, Equatable {
        package var agent: String
        package var systems: [String]
        package var key: SigningKey
        package var validity: KeyValidity
    }

    package struct Seal: Sendable, Equatable {
        package var system: String
        package var key: SealingKey
        package var validity: KeyValidity
    }

    package let version: UInt64
    package let digest: SpaceDigest
    /// The broker's log key, which signs roots.
    package let broker: SigningKey?
    private let signers: [UInt64: Signer]
    private let seals: [String: [Seal]]
    private let subscribers: [String: [String]]

    package init(_ snapshot: SpaceSnapshot) {
        let space = snapshot.space
        version = snapshot.version
        digest = snapshot.digest
        broker = space.broker.sign.flatMap { SigningKey($0) }
        var signers: [UInt64: Signer] = [:]
        for entry in space.keys where entry.revoked == nil {
            guard let key = entry.signingKey else { continue }
            signers[key.id] = Signer(
                agent: entry.agent, systems: entry.systems, key: key, validity: entry.validity)
        }
        self.signers = signers
        var seals: [String: [Seal]] = [:]
        for entry in space.seals where entry.revoked == nil {
            guard let key = SealingKey(entry.seal) else { continue }
            seals[entry.system, default: []].append(Seal(system: entry.system, key: key, validity: entry.validity))
        }
        // The newest first: it is the one to seal to while two overlap.
        self.seals = seals.mapValues { list in
            list.sorted { left, right in
                let a = left.validity.from?.startOfDayMilliseconds ?? .min
                let b = right.validity.from?.startOfDayMilliseconds ?? .min
                return (a, left.key.id) > (b, right.key.id)
            }
        }
        var subscribers: [String: [String]] = [:]
        for integration in space.integrations where integration.stage.permitsTraffic {
            subscribers[integration.service, default: []].append(integration.consumer)
        }
        let events = Set(space.services.filter { $0.kind == .event }.map(\.name))
        self.subscribers = subscribers.filter { events.contains($0.key) }.mapValues { $0.sorted() }
    }

    /// Who signs with the key of this id; nil: nobody, or the key is revoked.
    package func signer(_ id: UInt64) -> Signer? { signers[id] }

    /// The key to seal to for a system now; nil: it has none, and messages to it go unsealed.
    /// - Parameter now: Unix milliseconds.
    package func seal(of system: String, at now: Int64) -> Seal? {
        seals[system]?.first { $0.validity.isValid(at: now) }
    }

    /// The seal key of this id, valid now or not.
    package func seal(_ id: UInt64, of system: String) -> Seal? { seals[system]?.first { $0.key.id == id } }

    /// Systems that receive an event, by name.
    package func subscribers(of event: String) -> [String] { subscribers[event] ?? [] }
}
