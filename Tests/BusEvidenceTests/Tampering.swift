import BusProtocol
import Foundation

@testable import BusEvidence

/// A change of a file of evidence, and what must be said to it.
struct Tampering {
    struct Edit {
        var pointer: String
        /// `nil`: the member is removed.
        var value: JSONValue?
    }

    var name: String
    var edits: [Edit]
    /// Words that are right; mostly one. `file POINTER: WORD`, or `STEP ABOUT: WORD` of the first step that fails.
    var says: Set<String>

    /// What is only long is not worth a vector.
    var isSmall: Bool { edits.allSatisfy { ($0.value?.json().utf8.count ?? 0) < 16_000 } }

    init(_ name: String, _ edits: [Edit], _ says: Set<String>) {
        self.name = name
        self.edits = edits
        self.says = says
    }

    init(_ name: String, _ pointer: String, _ value: JSONValue?, _ says: String...) {
        self.init("\(name) \(pointer)", [Edit(pointer: pointer, value: value)], Set(says))
    }
}

extension JSONValue {
    /// The value at a JSON Pointer without escapes.
    subscript(pointer: String) -> JSONValue? {
        var value = self
        for name in pointer.split(separator: "/").map(String.init) {
            switch value {
            case .object(let members): guard let next = members[name] else { return nil }; value = next
            case .list(let values):
                guard let index = Int(name), values.indices.contains(index) else { return nil }
                value = values[index]
            default: return nil
            }
        }
        return value
    }

    func applying(_ edit: Tampering.Edit) -> JSONValue {
        applying(edit.value, at: edit.pointer.split(separator: "/").map(String.init)[...])
    }

    private func applying(_ value: JSONValue?, at path: ArraySlice<String>) -> JSONValue {
        guard let name = path.first else { return value ?? .null }
        let rest = path.dropFirst()
        switch self {
        case .object(var members):
            members[name] = rest.isEmpty ? value : members[name]?.applying(value, at: rest)
            return .object(members)
        case .list(var values):
            guard let index = Int(name) else { return self }
            if rest.isEmpty, let value {
                values[index] = value
            } else if rest.isEmpty {
                values.remove(at: index)
            } else {
                values[index] = values[index].applying(value, at: rest)
            }
            return .list(values)
        default: return self
        }
    }

    var text: String { if case .text(let text) = self { text } else { "" } }
    var list: [JSONValue] { if case .list(let list) = self { list } else { [] } }

    /// Members of objects, elements of lists, and what is in them.
    func walk(_ pointer: String = "", _ each: (String, JSONValue) -> Void) {
        if !pointer.isEmpty { each(pointer, self) }
        switch self {
        case .object(let members): for name in members.keys.sorted() { members[name]?.walk("\(pointer)/\(name)", each) }
        case .list(let values): for (index, value) in values.enumerated() { value.walk("\(pointer)/\(index)", each) }
        default: break
        }
    }

    /// As JSON; with `doubling`, that member stands twice.
    func json(doubling: String? = nil, at pointer: String = "") -> String {
        switch self {
        case .null: return "null"
        case .flag(let flag): return "\(flag)"
        case .integer(let number): return "\(number)"
        case .text(let text):
            let data = (try? JSONEncoder().encode([text])) ?? Data()
            return String(decoding: data.dropFirst().dropLast(), as: UTF8.self)
        case .list(let values):
            return "["
                + values.enumerated().map { $1.json(doubling: doubling, at: "\(pointer)/\($0)") }.joined(separator: ",")
                + "]"
        case .object(let members):
            let written = members.keys.sorted().map { name in
                let place = "\(pointer)/\(name)"
                let member = "\"\(name)\":" + (members[name] ?? .null).json(doubling: doubling, at: place)
                return place == doubling ? member + "," + member : member
            }
            return "{" + written.joined(separator: ",") + "}"
        }
    }
}
