import BusProtocol

/// What a snapshot of the space says of keys, read from its canonical JSON; everything else in it is passed over. Checked against
/// BusDirectory, which writes it, in the tests.
package struct StatedKeys: Sendable {
    static let format = "kerege-space/1"

    package struct Agent: Sendable {
        package let name: String
        package let systems: [String]
        package let key: VerifyingKey
        /// Unix milliseconds at which its signatures count, by its own clock.
        package let validity: ClosedRange<Int64>

        package var sender: SenderKey { SenderKey(key, validity: validity) }
    }

    package let space: String
    package let version: UInt64
    /// Agents that sign.
    package let agents: [Agent]
    /// Systems of agents whose key is not stated, and when their entries count, Unix milliseconds.
    private let unstated: [String: [ClosedRange<Int64>]]
    /// Agents of this space sign: some entry, revoked or not, has a key for it.
    package let statesSigners: Bool
    /// The key of the broker's log; `nil` where the space does not state it.
    package let log: VerifyingKey?
    /// Origin of that log's checkpoints.
    package let logName: String

    /// `nil` when it is no snapshot, or a key in it is none.
    package init?(snapshot: [UInt8]) {
        guard let value = try? StrictJSON.read(snapshot), case .object(let whole) = value,
            case .text(Self.format) = whole["format"], case .integer(let version) = whole["version"], version > 0,
            case .object(let space) = whole["space"], case .text(let id) = space["id"],
            case .object(let broker) = space["broker"], case .text(let brokerID) = broker["id"],
            case .list(let keys) = space["keys"]
        else { return nil }
        var agents: [Agent] = []
        var statesSigners = false
        var unstated: [String: [ClosedRange<Int64>]] = [:]
        for key in keys {
            guard case .object(let members) = key, case .text(let name) = members["agent"],
                let systems = Self.texts(members["systems"])
            else { return nil }
            guard let signature = members["sign"] else {
                // Of an entry that signs nothing evidence proves nothing: days that cannot be read make it speak never.
                guard let times = Self.times(members) else { continue }
                for system in systems { unstated[system, default: []].append(times) }
                continue
            }
            statesSigners = true
            guard let key = Self.key(signature), Self.day(members["from"], or: .min) != nil,
                Self.day(members["until"], or: .max) != nil, Self.day(members["revoked"], or: 0) != nil
            else { return nil }
            guard let times = Self.times(members) else { continue }
            agents.append(Agent(name: name, systems: systems, key: key, validity: times))
        }
        var log: VerifyingKey?
        if let signature = broker["sign"] {
            guard let key = Self.key(signature) else { return nil }
            log = key
        }
        self.space = id
        self.version = UInt64(version)
        self.agents = agents
        self.unstated = unstated
        self.statesSigners = statesSigners
        self.log = log
        logName = "\(id)/\(brokerID)"
    }

    /// The agent that may sign for this system and has the key of this id.
    package func agent(_ id: KeyID, for system: String) -> Agent? {
        agents.first { $0.key.id == id && $0.systems.contains(system) }
    }

    /// Whether an agent may speak for this system at a time whose key is not stated: of an earlier version.
    package func hasUnstatedKey(of system: String, at time: Int64) -> Bool {
        unstated[system]?.contains { $0.contains(time) } ?? false
    }

    /// Whether whatever is said in this system's name at a time must be signed, as agents judge it: no entry without a key speaks for it. With
    /// all its keys revoked it says nothing more at all.
    package func mustSign(_ system: String, at time: Int64) -> Bool {
        statesSigners && !hasUnstatedKey(of: system, at: time)
    }

    private static func texts(_ value: JSONValue?) -> [String]? {
        guard case .list(let values) = value else { return nil }
        var texts: [String] = []
        for value in values {
            guard case .text(let text) = value else { return nil }
            texts.append(text)
        }
        return texts
    }

    /// When an entry counts; `nil`: never, it is revoked, ends before it begins, or has a day that is none.
    private static func times(_ entry: [String: JSONValue]) -> ClosedRange<Int64>? {
        // A revoked key counts from the space on that says so no more, whatever the day.
        guard entry["revoked"] == nil, let from = day(entry["from"], or: .min),
            let until = day(entry["until"], or: .max)
        else { return nil }
        let last = until == .max ? until : until + StatedDay.milliseconds - 1
        return from <= last ? from...last : nil
    }

    /// The first millisecond of a day; `nil` when it is none.
    private static func day(_ value: JSONValue?, or absent: Int64) -> Int64? {
        guard let value else { return absent }
        guard case .text(let text) = value else { return nil }
        return StatedDay.start(of: text)
    }

    private static func key(_ value: JSONValue) -> VerifyingKey? {
        guard case .text(let text) = value else { return nil }
        return [UInt8](hex: text).flatMap { VerifyingKey($0) }
    }
}
