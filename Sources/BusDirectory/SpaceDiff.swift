/// What changes from one space to another, member by member.
package struct SpaceDiff: Sendable, Codable, Equatable {
    package enum Kind: String, Sendable, Codable, CaseIterable {
        case space, broker, thresholds, agency, system, service, integration, key, seal
    }

    package enum Change: String, Sendable, Codable { case added, removed, changed }

    package struct Entry: Sendable, Codable, Equatable {
        package var kind: Kind
        /// Empty for the kinds that stand once.
        package var id: String
        package var change: Change
        /// Sorted by path; only for `changed`.
        package var fields: [Field]
    }

    package struct Field: Sendable, Codable, Equatable {
        /// `security.lastAudit`, `functions[0].name`.
        package var path: String
        /// As JSON; nil when the member was absent.
        package var before: String?
        /// As JSON; nil when the member is now absent.
        package var after: String?
    }

    /// By kind, then id.
    package var entries: [Entry]
    /// What stops working for somebody when this is applied; one sentence each.
    package var breaking: [String]

    package var isEmpty: Bool { entries.isEmpty }

    package init(from old: Space, to new: Space) {
        entries = Kind.allCases.flatMap { kind in
            Self.entries(kind, Self.values(kind, of: old, beside: new), Self.values(kind, of: new, beside: old))
        }
        breaking = BreakingChanges(from: old, to: new).notes
    }

    /// One line an entry, fields below it, breaking notes last; empty when nothing changes.
    package var text: String {
        var lines: [String] = []
        for entry in entries {
            let name = entry.id.isEmpty ? entry.kind.rawValue : "\(entry.kind.rawValue) \(entry.id)"
            let sign: Character =
                switch entry.change {
                case .added: "+"
                case .removed: "-"
                case .changed: "~"
                }
            lines.append("\(sign) \(name)")
            for field in entry.fields {
                lines.append("    \(field.path): \(field.before ?? "(none)") → \(field.after ?? "(none)")")
            }
        }
        lines += breaking.map { "! breaking: \($0)" }
        return lines.joined(separator: "\n")
    }

    private static func entries(
        _ kind: Kind, _ old: [String: CanonicalValue], _ new: [String: CanonicalValue]
    ) -> [Entry] {
        Set(old.keys).union(new.keys).sorted().compactMap { id in
            guard let before = old[id] else { return Entry(kind: kind, id: id, change: .added, fields: []) }
            guard let after = new[id] else { return Entry(kind: kind, id: id, change: .removed, fields: []) }
            let fields = fields(before, after)
            return fields.isEmpty ? nil : Entry(kind: kind, id: id, change: .changed, fields: fields)
        }
    }

    private static func fields(_ before: CanonicalValue, _ after: CanonicalValue) -> [Field] {
        let old = leaves(before)
        let new = leaves(after)
        return Set(old.keys).union(new.keys).sorted().compactMap { path in
            old[path] == new[path] ? nil : Field(path: path, before: old[path], after: new[path])
        }
    }

    /// Path → JSON of every leaf; a list of plain values is one leaf.
    private static func leaves(_ value: CanonicalValue) -> [String: String] {
        var found: [String: String] = [:]
        func walk(_ value: CanonicalValue, _ path: String) {
            switch value {
            case .object(let members):
                for (name, member) in members { walk(member, path.isEmpty ? name : "\(path).\(name)") }
            case .list(let list) where list.contains(where: \.isObject):
                for (index, entry) in list.enumerated() { walk(entry, "\(path)[\(index)]") }
            case .null: break
            case .flag, .integer, .text, .list: found[path] = value.json
            }
        }
        walk(value, "")
        return found
    }

    private static func values(
        _ kind: Kind, of space: Space, beside other: Space
    ) -> [String: CanonicalValue] {
        switch kind {
        case .space: ["": canonical(SpaceFacts(space))]
        case .broker: ["": canonical(space.broker)]
        case .thresholds: ["": canonical(space.thresholds)]
        case .agency: byID(space.agencies, \.id)
        case .system: byID(space.systems, \.id)
        case .service: byID(space.services, \.name)
        case .integration: byID(space.integrations, \.id)
        case .key: byID(space.keys, beside: other.keys, \.agent, \.curve)
        case .seal: byID(space.seals, beside: other.seals, \.system, \.seal)
        }
    }

    private static func byID<Value: Encodable>(_ list: [Value], _ id: (Value) -> String) -> [String: CanonicalValue] {
        Dictionary(list.map { (id($0), canonical($0)) }, uniquingKeysWith: { first, _ in first })
    }

    /// Entries of which one owner may have several: where it has one before and after, the owner's name is enough.
    private static func byID<Value: Encodable>(
        _ list: [Value], beside other: [Value], _ owner: (Value) -> String, _ key: (Value) -> String
    ) -> [String: CanonicalValue] {
        let several = [list, other].map { Dictionary(grouping: $0, by: owner).filter { $0.value.count > 1 }.keys }
        let shared = Set(several.flatMap(\.self))
        return byID(list) { value in
            shared.contains(owner(value)) ? "\(owner(value)) (\(key(value).prefix(8))…)" : owner(value)
        }
    }

    /// The types of a space hold nothing the encoder refuses.
    private static func canonical(_ value: some Encodable) -> CanonicalValue {
        (try? CanonicalEncoder.encode(value)) ?? .null
    }

    private struct SpaceFacts: Encodable {
        var id: String
        var title: LocalizedName
        var isDemo: Bool
        var note: String?

        init(_ space: Space) {
            id = space.id
            title = space.title
            isDemo = space.isDemo
            note = space.note
        }
    }
}

extension CanonicalValue {
    fileprivate var isObject: Bool {
        if case .object = self { return true }
        return false
    }
}
