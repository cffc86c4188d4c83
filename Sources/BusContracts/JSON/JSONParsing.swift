extension JSONValue {
    /// Reads one JSON text (RFC 8259, UTF-8). Names must be unique, escapes must name whole characters, and the text
    /// must keep within `limits`; else the error says where and why.
    package static func parse(
        _ bytes: [UInt8], limits: JSONLimits = JSONLimits()
    ) throws(JSONParseError) -> JSONValue {
        var buffers = TapeBuffers()
        let outcome: Result<JSONValue, JSONParseError> = bytes.withUnsafeBufferPointer { text in
            do {
                try TapeScanner.scan(text, limits: limits, into: &buffers)
                return .success(JSONValue(buffers.view(of: text), at: 0))
            } catch let fault as ScanFault {
                return .failure(JSONParseError(fault, in: text))
            } catch {
                return .failure(JSONParseError(ScanFault(reason: .unexpectedByte, offset: 0), in: text))
            }
        }
        return try outcome.get()
    }

    package static func parse(
        _ text: String, limits: JSONLimits = JSONLimits()
    ) throws(JSONParseError) -> JSONValue {
        try parse(Array(text.utf8), limits: limits)
    }

    /// Builds the value at an index of a tape. Recursion is as deep as the text, which the scanner has bounded.
    init(_ tape: TapeView, at index: Int) {
        let entry = tape.entries[index]
        switch entry.kind {
        case .null: self = .null
        case .no: self = .bool(false)
        case .yes: self = .bool(true)
        case .number: self = .number(JSONNumber(scanned: tape.string(index)))
        case .string: self = .string(tape.string(index))
        case .array:
            var elements: [JSONValue] = []
            elements.reserveCapacity(Int(entry.length))
            var at = index + 1
            while at < Int(entry.link) {
                elements.append(JSONValue(tape, at: at))
                at = tape.after(at)
            }
            self = .array(elements)
        case .object:
            var members: [JSONMember] = []
            members.reserveCapacity(Int(entry.length))
            var at = index + 1
            while at < Int(entry.link) {
                members.append(JSONMember(tape.string(at), JSONValue(tape, at: at + 1)))
                at = tape.after(at + 1)
            }
            self = .object(members)
        }
    }
}
