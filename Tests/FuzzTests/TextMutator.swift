import BusContracts

/// Grows texts whose form mostly stays: JSON by its values, YAML by its lines. One in four is damaged in its bytes.
struct TextMutator: Sendable {
    var bytes: Mutator

    func grow(_ random: inout SplitMix, _ form: (inout [UInt8], inout SplitMix) -> Void) -> [UInt8] {
        if random.below(6) == 0 { return bytes.grow(&random) }
        var text = random.one(of: bytes.vectors)
        for _ in 0..<1 + random.below(2) { form(&text, &random) }
        return text
    }
}

/// Changes in a JSON value.
struct JSONMutator: Sendable {
    /// Values that are put in, and the names members get.
    var values: [JSONValue]
    var names: [String]

    /// At least one change, at a place that is drawn.
    func change(_ text: inout [UInt8], _ random: inout SplitMix) {
        guard let value = try? JSONValue.parse(text) else { return }
        text = change(value, &random, depth: 0).bytes()
    }

    private func change(_ value: JSONValue, _ random: inout SplitMix, depth: Int) -> JSONValue {
        switch value {
        case .object(var members) where !members.isEmpty && random.below(8) > 0:
            let at = random.below(members.count)
            switch random.below(12) {
            case 0: members.remove(at: at)
            case 1: members.append(JSONMember(random.one(of: names), random.one(of: values)))
            case 2: members[at].name = random.one(of: names)
            case 3: members.append(members[at])
            case 4: members[at].value = members[random.below(members.count)].value
            default: members[at].value = change(members[at].value, &random, depth: depth + 1)
            }
            return .object(members)
        case .array(var elements) where !elements.isEmpty && random.below(8) > 0:
            let at = random.below(elements.count)
            switch random.below(8) {
            case 0: elements.remove(at: at)
            case 1: elements.append(elements[at])
            case 2: elements.insert(random.one(of: values), at: at)
            default: elements[at] = change(elements[at], &random, depth: depth + 1)
            }
            return .array(elements)
        case .string(let text) where random.below(2) == 0:
            return .string(Self.change(text, &random))
        default: return random.one(of: values)
        }
    }

    private static func change(_ text: String, _ random: inout SplitMix) -> String {
        var scalars = Array(text.unicodeScalars)
        let at = random.below(scalars.count + 1)
        switch random.below(4) {
        case 0: scalars.insert(random.one(of: ["0", "қ", "😀", "\u{0}", "(", "\\", "*", "{"]), at: at)
        case 1: if at < scalars.count { scalars.remove(at: at) }
        case 2: scalars += scalars
        default: scalars.reverse()
        }
        var changed = String.UnicodeScalarView()
        changed.append(contentsOf: scalars.prefix(2000))
        return String(changed)
    }
}

/// Changes in the lines of a YAML text.
struct LineMutator: Sendable {
    /// What a value is replaced by.
    var values: [String]

    func change(_ text: inout [UInt8], _ random: inout SplitMix) {
        var lines = String(decoding: text, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        let at = random.below(lines.count)
        switch random.below(8) {
        case 0: lines.remove(at: at)
        case 1: lines.insert(lines[at], at: at)
        case 2: lines.swapAt(at, random.below(lines.count))
        default: lines[at] = Substring(value(in: String(lines[at]), &random))
        }
        text = Array(lines.joined(separator: "\n").utf8)
    }

    /// Another value behind one of the line's colons.
    private func value(in line: String, _ random: inout SplitMix) -> String {
        var parts = line.split(separator: ": ", omittingEmptySubsequences: false).map(String.init)
        guard parts.count > 1 else { return line }
        let at = 1 + random.below(parts.count - 1)
        let rest = parts[at].drop { $0 != "," && $0 != "}" }
        parts[at] = random.one(of: values) + rest
        return parts.joined(separator: ": ")
    }
}
