/// Changes that take something away from somebody who may be using it.
struct BreakingChanges {
    private(set) var notes: [String] = []

    init(from old: Space, to new: Space) {
        compareIntegrations(old, new)
        compareServices(old, new)
        compareSystems(old, new)
        compareKeys(old, new)
    }

    private mutating func compareIntegrations(_ old: Space, _ new: Space) {
        let now = Dictionary(new.integrations.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        for before in old.integrations where before.stage.permitsTraffic {
            let way = "`\(before.consumer)` → `\(before.service)`"
            guard let after = now[before.id] else {
                notes.append("integration `\(before.id)` was \(before.stage.rawValue) and is removed: \(way) gets 403")
                continue
            }
            if !after.stage.permitsTraffic {
                notes.append(
                    "integration `\(before.id)` goes from \(before.stage.rawValue) to \(after.stage.rawValue): \(way) gets 403"
                )
            }
            if (after.consumer, after.service) != (before.consumer, before.service) {
                notes.append(
                    "integration `\(before.id)` now is for `\(after.consumer)` → `\(after.service)`: \(way) gets 403")
            }
        }
    }

    private mutating func compareServices(_ old: Space, _ new: Space) {
        let now = Dictionary(new.services.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        for before in old.services {
            guard let after = now[before.name] else {
                notes.append("service `\(before.name)` is removed: its consumers get 404")
                continue
            }
            if after.kind != before.kind {
                notes.append(
                    "service `\(before.name)` was a \(before.kind.rawValue) and becomes a \(after.kind.rawValue)")
            }
            if after.contract != before.contract {
                notes.append(
                    "service `\(before.name)` changes its contract from `\(before.contract)` to `\(after.contract)`")
            }
            if let shorter = after.deadline, let longer = before.deadline, shorter < longer {
                notes.append("service `\(before.name)` shortens its deadline from \(longer) to \(shorter)")
            }
        }
    }

    private mutating func compareSystems(_ old: Space, _ new: Space) {
        let now = Dictionary(new.systems.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        for before in old.systems {
            guard let after = now[before.id] else {
                notes.append("system `\(before.id)` is removed")
                continue
            }
            if after.status == .retired, before.status != .retired {
                let owners = Set(new.integrations(touching: before.id).map(\.owner)).sorted().joined(separator: ", ")
                notes.append(
                    "system `\(before.id)` retires; owners of its integrations to tell: \(owners.isEmpty ? "none" : owners)"
                )
            }
        }
    }

    private mutating func compareKeys(_ old: Space, _ new: Space) {
        struct Holder: Hashable { var agent, curve: String }
        let now = Dictionary(
            new.keys.map { (Holder(agent: $0.agent, curve: $0.curve), $0) }, uniquingKeysWith: { first, _ in first })
        let agents = Set(new.keys.map(\.agent))
        for before in old.keys where before.revoked == nil {
            guard let after = now[Holder(agent: before.agent, curve: before.curve)] else {
                notes.append(
                    agents.contains(before.agent)
                        ? "agent `\(before.agent)` has another key: the old one gets 401"
                        : "agent `\(before.agent)` is removed: it gets 401")
                continue
            }
            if let day = after.revoked {
                notes.append("a key of agent `\(before.agent)` is revoked on \(day): its session ends, it gets 401")
            }
            if after.sign != before.sign {
                notes.append("agent `\(before.agent)` has another signing key: what the old one signs is refused")
            }
            for system in before.systems where !after.systems.contains(system) {
                notes.append("agent `\(before.agent)` may no longer act for system `\(system)`")
            }
        }
        let seals = Set(new.seals.filter { $0.revoked == nil }.map(\.seal))
        for before in old.seals where before.revoked == nil && !seals.contains(before.seal) {
            notes.append("a seal key of system `\(before.system)` goes: nothing is sealed to it any more")
        }
    }
}

extension Space {
    /// Integrations in which the system consumes or provides.
    package func integrations(touching system: String) -> [Integration] {
        let own = Set(services.filter { $0.system == system }.map(\.name))
        return integrations.filter { $0.consumer == system || own.contains($0.service) }
    }
}
