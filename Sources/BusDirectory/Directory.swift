package import BusEvidence
import BusProtocol

/// The keys of a space as those look them up who sign, check, seal and open: by key id, system and event. Revoked keys are not in
/// it; whether one of the others counts at a moment is for the caller to ask (`validity`).
///
/// A class, because every message asks it and its tables are many: handing them on costs one count of references.
package final class Directory: Sendable {
    package struct Signer: Sendable {
        package var agent: String
        /// It may sign for these, whatever entry of the agent says so.
        package var systems: Set<String>
        package var key: SenderKey
    }

    package struct Seal: Sendable, Equatable {
        package var system: String
        package var key: SystemPublicKey
        package var validity: KeyValidity
    }

    package let version: UInt64
    package let digest: SpaceDigest
    /// The broker's log key, which signs roots.
    package let broker: VerifyingKey?
    /// The same with the name of the log, in which checkpoints are signed.
    package let log: NoteVerifier?
    private let signers: [KeyID: Signer]
    /// Systems with an agent whose entry states no signing key, and when these count: what is theirs may then come without proof.
    private let unsigned: [String: [ClosedRange<Int64>]]
    private let seals: [String: [Seal]]
    private let sealed: Set<String>
    private let orders: [String: Set<String>]
    private let subscribers: [String: [String]]
    private let consumers: [String: Set<String>]

    package init(_ snapshot: SpaceSnapshot) {
        let space = snapshot.space
        version = snapshot.version
        digest = snapshot.digest
        broker = space.broker.sign.flatMap { VerifyingKey($0) }
        log = broker.flatMap { NoteVerifier(name: space.logName, key: $0) }
        var signers: [KeyID: Signer] = [:]
        var unsigned: [String: [ClosedRange<Int64>]] = [:]
        for entry in space.keys {
            if let key = entry.senderKey {
                signers[key.key.id, default: Signer(agent: entry.agent, systems: [], key: key)].systems.formUnion(
                    entry.systems)
            } else if entry.sign == nil, let times = entry.validity.times {
                for system in entry.systems { unsigned[system, default: []].append(times) }
            }
        }
        self.signers = signers
        self.unsigned = unsigned
        sealed = Set(space.seals.map(\.system))
        var orders: [String: Set<String>] = [:]
        for entry in space.seals { if let order = entry.order { orders[entry.system, default: []].insert(order) } }
        self.orders = orders
        var seals: [String: [Seal]] = [:]
        for entry in space.seals where entry.revoked == nil {
            guard let key = SystemPublicKey(entry.seal) else { continue }
            seals[entry.system, default: []].append(Seal(system: entry.system, key: key, validity: entry.validity))
        }
        // The newest first: it is the one to seal to while two overlap.
        self.seals = seals.mapValues { list in
            list.sorted { left, right in
                let a = left.validity.from?.startOfDayMilliseconds ?? .min
                let b = right.validity.from?.startOfDayMilliseconds ?? .min
                return (a, left.key.id.value) > (b, right.key.id.value)
            }
        }
        var subscribers: [String: [String]] = [:]
        for integration in space.integrations where integration.stage.permitsTraffic {
            subscribers[integration.service, default: []].append(integration.consumer)
        }
        var consumers: [String: Set<String>] = [:]
        for integration in space.integrations where integration.stage.permitsTraffic {
            consumers[Names.system(of: integration.service), default: []].insert(integration.consumer)
        }
        self.consumers = consumers
        let events = Set(space.services.filter { $0.kind == .event }.map(\.name))
        self.subscribers = subscribers.filter { events.contains($0.key) }.mapValues { $0.sorted() }
    }

    /// Who signs with the key of this id; nil: nobody, or the key is revoked.
    package func signer(_ id: KeyID) -> Signer? { signers[id] }

    /// The key of this id, if its agent may sign for this system.
    package func key(_ id: KeyID, for system: String) -> SenderKey? {
        guard let signer = signers[id], signer.systems.contains(system) else { return nil }
        return signer.key
    }

    /// Whether what is this system's may come without proof at one of these times, Unix milliseconds.
    package func maySendUnsigned(_ system: String, at times: ClosedRange<Int64>) -> Bool {
        unsigned[system]?.contains { $0.overlaps(times) } ?? false
    }

    /// The key to seal to for a system now; nil: it has none, and messages to it go unsealed.
    /// - Parameter now: Unix milliseconds.
    package func seal(of system: String, at now: Int64) -> Seal? {
        seals[system]?.first { $0.validity.isValid(at: now) }
    }

    /// The seal key of this id, valid now or not.
    package func seal(_ id: KeyID, of system: String) -> Seal? { seals[system]?.first { $0.key.id == id } }

    /// Whether what is for a system is sealed: an entry of the space states a key, valid today or not. To go back to open the entries are
    /// taken out; that a key ends must open nothing.
    package func isSealed(_ system: String) -> Bool { sealed.contains(system) }

    /// Whether a secret for order keys is the one that the space states of a system, or it states none.
    package func isOrderSecret(_ id: String, of system: String) -> Bool { orders[system]?.contains(id) ?? true }

    /// Everybody who opens an event, its publisher and its subscribers; nil where one of them has no key, so that it goes open for all.
    package func sealedReceivers(of event: String, publisher: String) -> [String]? {
        let systems = Set(subscribers(of: event)).union([publisher])
        return systems.isSubset(of: sealed) ? systems.sorted() : nil
    }

    /// Whether a system may ask, order or receive anything of another one.
    package func consumes(_ consumer: String, of provider: String) -> Bool {
        consumers[provider]?.contains(consumer) ?? false
    }

    /// Systems that receive an event, by name.
    package func subscribers(of event: String) -> [String] { subscribers[event] ?? [] }
}
