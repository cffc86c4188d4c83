extension JSONValue {
    package enum Form: Sendable {
        /// No white space; members and numbers as they are.
        case compact
        /// Two spaces of indentation; members and numbers as they are; a line feed at the end.
        case pretty
        /// One text for equal values: members sorted by the bytes of their names, numbers in one form, no white space,
        /// only the escapes JSON requires. Digests are taken over this form.
        case canonical
    }

    /// The value as UTF-8 JSON text.
    package func bytes(_ form: Form = .compact) -> [UInt8] {
        var writer = JSONWriter(form: form)
        writer.write(self, indentation: 0)
        if form == .pretty { writer.output.append(Byte.lineFeed) }
        return writer.output
    }

    package func text(_ form: Form = .compact) -> String { String(decoding: bytes(form), as: UTF8.self) }
}

private struct JSONWriter {
    let form: JSONValue.Form
    var output: [UInt8] = []

    mutating func write(_ value: JSONValue, indentation: Int) {
        switch value {
        case .null: output += "null".utf8
        case .bool(let flag): output += (flag ? "true" : "false").utf8
        case .number(let number): output += (form == .canonical ? number.canonicalText : number.text).utf8
        case .string(let text): writeString(text)
        case .array(let elements):
            writeList(elements, from: Byte.openBracket, to: Byte.closeBracket, indentation) { writer, element in
                writer.write(element, indentation: indentation + 1)
            }
        case .object(let members):
            let ordered = form == .canonical ? JSONValue.sorted(members) : members
            writeList(ordered, from: Byte.openBrace, to: Byte.closeBrace, indentation) { writer, member in
                writer.writeString(member.name)
                writer.output.append(Byte.colon)
                if writer.form == .pretty { writer.output.append(Byte.space) }
                writer.write(member.value, indentation: indentation + 1)
            }
        }
    }

    private mutating func writeList<Item>(
        _ items: [Item], from open: UInt8, to close: UInt8, _ indentation: Int, item: (inout Self, Item) -> Void
    ) {
        output.append(open)
        for (index, element) in items.enumerated() {
            if index > 0 { output.append(Byte.comma) }
            newLine(indentation + 1)
            item(&self, element)
        }
        if !items.isEmpty { newLine(indentation) }
        output.append(close)
    }

    private mutating func newLine(_ indentation: Int) {
        guard form == .pretty else { return }
        output.append(Byte.lineFeed)
        output.append(contentsOf: repeatElement(Byte.space, count: indentation * 2))
    }

    private mutating func writeString(_ text: String) {
        output.append(Byte.quote)
        for byte in text.utf8 {
            switch byte {
            case Byte.quote, Byte.backslash: output += [Byte.backslash, byte]
            case 0x08: output += "\\b".utf8
            case 0x0C: output += "\\f".utf8
            case Byte.lineFeed: output += "\\n".utf8
            case Byte.carriageReturn: output += "\\r".utf8
            case Byte.tab: output += "\\t".utf8
            case 0..<0x20: output += "\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))".utf8
            default: output.append(byte)
            }
        }
        output.append(Byte.quote)
    }
}
