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
        let now = Dictionary(new.keys.map { ($0.agent, $0) }, uniquingKeysWith: { first, _ in first })
        for before in old.keys {
            guard let after = now[before.agent] else {
                notes.append("agent `\(before.agent)` is removed: it gets 401")
                continue
            }
            if after.curve != before.curve {
                notes.append("agent `\(before.agent)` has another key: the old one gets 401")
            }
            for system in before.systems where !after.systems.contains(system) {
                notes.append("agent `\(before.agent)` may no longer act for system `\(system)`")
            }
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
