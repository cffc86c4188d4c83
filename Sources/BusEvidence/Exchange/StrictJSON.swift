/// A JSON value as files of evidence and snapshots of spaces have them: no fractions, no exponents.
enum JSONValue: Sendable, Equatable {
    case null
    case flag(Bool)
    case integer(Int64)
    case text(String)
    case list([JSONValue])
    case object([String: JSONValue])
}

/// What is wrong with a file of evidence, and where.
package struct EvidenceFileFault: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        case malformedJSON = "malformed-json"
        case duplicateMember = "duplicate-member"
        case unknownMember = "unknown-member"
        case missingMember = "missing-member"
        case wrongType = "wrong-type"
        case tooLong = "too-long"
        case malformedValue = "malformed-value"
        case unknownFormat = "unknown-format"
    }

    package let code: Code
    /// JSON Pointer of the member; empty for the whole file.
    package let pointer: String

    /// A member's name as a part of a pointer (RFC 6901).
    static func step(_ name: String) -> String {
        "/" + name.replacing("~", with: "~0").replacing("/", with: "~1")
    }

    package var description: String {
        let place = pointer.isEmpty ? "the file" : pointer
        return switch code {
        case .malformedJSON: "\(place) is no JSON of this format; it was changed, or is no evidence"
        case .duplicateMember: "\(place) stands twice; readers could see different things in it"
        case .unknownMember: "\(place) is not of this format; nothing checks it, so it does not belong here"
        case .missingMember: "\(place) is missing; export the evidence again"
        case .wrongType: "\(place) is of another type than the format's; export the evidence again"
        case .tooLong: "\(place) is longer than the format allows; export the evidence again"
        case .malformedValue: "\(place) is not written in the one form it has; export the evidence again"
        case .unknownFormat: "\(place) is of another format than \(EvidenceFile.format); use a newer program"
        }
    }
}

/// Reads JSON (RFC 8259) that means the same to every reader: a member stands once, numbers are whole, text is UTF-8.
struct StrictJSON {
    static let depthLimit = 32

    private let bytes: [UInt8]
    private var at = 0
    private var path: [String] = []

    static func read(_ bytes: [UInt8]) throws(EvidenceFileFault) -> JSONValue {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw EvidenceFileFault(code: .malformedJSON, pointer: "")
        }
        var reader = StrictJSON(bytes: bytes)
        let value = try reader.value()
        reader.skipSpace()
        guard reader.at == bytes.count else { throw reader.fault(.malformedJSON) }
        return value
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private func fault(_ code: EvidenceFileFault.Code) -> EvidenceFileFault {
        EvidenceFileFault(code: code, pointer: path.map(EvidenceFileFault.step).joined())
    }

    private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { at += 1 }
    }

    /// Takes the byte if it is the next one behind white space.
    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        skipSpace()
        guard next == UInt8(ascii: character) else { return false }
        at += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(EvidenceFileFault) {
        guard take(character) else { throw fault(.malformedJSON) }
    }

    private mutating func value() throws(EvidenceFileFault) -> JSONValue {
        guard path.count <= Self.depthLimit else { throw fault(.tooLong) }
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try list()
        case UInt8(ascii: "\""): return .text(try text())
        case UInt8(ascii: "t"): return try word("true", .flag(true))
        case UInt8(ascii: "f"): return try word("false", .flag(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try integer()
        }
    }

    private mutating func word(_ word: String, _ value: JSONValue) throws(EvidenceFileFault) -> JSONValue {
        guard bytes[at...].starts(with: word.utf8) else { throw fault(.malformedJSON) }
        at += word.utf8.count
        return value
    }

    private mutating func integer() throws(EvidenceFileFault) -> JSONValue {
        let start = at
        if next == UInt8(ascii: "-") { at += 1 }
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { at += 1 }
        let digits = String(decoding: bytes[start..<at], as: UTF8.self)
        guard let number = Int64(digits), String(number) == digits else { throw fault(.malformedJSON) }
        return .integer(number)
    }

    private mutating func list() throws(EvidenceFileFault) -> JSONValue {
        try expect("[")
        var list: [JSONValue] = []
        if take("]") { return .list(list) }
        repeat {
            path.append(String(list.count))
            list.append(try value())
            path.removeLast()
        } while take(",")
        try expect("]")
        return .list(list)
    }

    private mutating func object() throws(EvidenceFileFault) -> JSONValue {
        try expect("{")
        var members: [String: JSONValue] = [:]
        // By their bytes: texts that only look alike are two members to other readers.
        var names: Set<[UInt8]> = []
        if take("}") { return .object(members) }
        repeat {
            skipSpace()
            let name = try text()
            path.append(name)
            guard names.insert(Array(name.utf8)).inserted else { throw fault(.duplicateMember) }
            try expect(":")
            members[name] = try value()
            path.removeLast()
        } while take(",")
        try expect("}")
        return .object(members)
    }

    private mutating func text() throws(EvidenceFileFault) -> String {
        guard next == UInt8(ascii: "\"") else { throw fault(.malformedJSON) }
        at += 1
        var text: [UInt8] = []
        while let byte = next {
            at += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20: throw fault(.malformedJSON)
            default: text.append(byte)
            }
        }
        throw fault(.malformedJSON)
    }

    private mutating func escape(into text: inout [UInt8]) throws(EvidenceFileFault) {
        guard let byte = next else { throw fault(.malformedJSON) }
        at += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0c)
        case UInt8(ascii: "n"): text.append(0x0a)
        case UInt8(ascii: "r"): text.append(0x0d)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text.append(contentsOf: String(try escapedScalar()).utf8)
        default: throw fault(.malformedJSON)
        }
    }

    /// Behind `\u`: four digits, or a pair of surrogates.
    private mutating func escapedScalar() throws(EvidenceFileFault) -> Unicode.Scalar {
        let first = try fourDigits()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard (0xd800..<0xdc00).contains(first), bytes[at...].starts(with: "\\u".utf8) else {
            throw fault(.malformedJSON)
        }
        at += 2
        let second = try fourDigits()
        guard (0xdc00..<0xe000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
        else { throw fault(.malformedJSON) }
        return scalar
    }

    private mutating func fourDigits() throws(EvidenceFileFault) -> UInt32 {
        var number: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw fault(.malformedJSON)
            }
            number = number << 4 | UInt32(digit)
            at += 1
        }
        return number
    }
}
