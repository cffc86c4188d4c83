import BusProtocol

extension EvidenceFile {
    /// Reads a file and refuses what is not exactly of this format. Nothing of it is believed yet.
    package init(json: [UInt8]) throws(EvidenceFileFault) {
        guard json.count <= Limit.file else { throw EvidenceFileFault(code: .tooLong, pointer: "") }
        let value = try StrictJSON.read(json)
        // The format first: a file of another one may have any members.
        guard case .object(let members) = value else { throw EvidenceFileFault(code: .wrongType, pointer: "") }
        if case .text(let format) = members["format"], format != Self.format {
            throw EvidenceFileFault(code: .unknownFormat, pointer: "/format")
        }
        let file = try Members(
            value, at: "", ["format", "space", "checkpoint", "messages", "records", "receipts"])
        _ = try file.text("format", limit: Self.format.utf8.count)
        self.init(
            space: try Space(file.inner("space", ["snapshot", "signature"], optional: ["position", "inclusion"])),
            checkpoint: try file.text("checkpoint", limit: Limit.note),
            messages: try file.list("messages", limit: Limit.messages) { value, pointer throws(EvidenceFileFault) in
                try Message(
                    Members(
                        value, at: pointer, ["header", "bodyDigest", "position", "inclusion"],
                        optional: ["body", "signedRoot", "proof"]))
            },
            records: try file.list("records", limit: Limit.records) { value, pointer throws(EvidenceFileFault) in
                try Record(Members(value, at: pointer, ["type", "payload", "position", "inclusion"]))
            },
            receipts: try file.list("receipts", limit: Limit.receipts) { value, pointer throws(EvidenceFileFault) in
                try Receipt(Members(value, at: pointer, ["checkpoint", "consistency"]))
            })
        guard !messages.isEmpty else { throw EvidenceFileFault(code: .missingMember, pointer: "/messages/0") }
    }
}

extension EvidenceFile.Place {
    fileprivate init(_ members: Members) throws(EvidenceFileFault) {
        self.init(
            position: try members.position(), inclusion: try members.hashes("inclusion"))
    }
}

extension EvidenceFile.Space {
    fileprivate init(_ members: Members) throws(EvidenceFileFault) {
        self.init(
            snapshot: try members.bytes("snapshot", limit: EvidenceFile.Limit.snapshot),
            signature: try members.bytes("signature", limit: VerifyingKey.signatureSize))
        if members.has("position") || members.has("inclusion") { place = try EvidenceFile.Place(members) }
    }
}

extension EvidenceFile.Message {
    fileprivate init(_ members: Members) throws(EvidenceFileFault) {
        self.init(
            header: try members.bytes("header", limit: Limits.header), bodyDigest: try members.digest("bodyDigest"),
            body: try members.optional("body", limit: Limits.body),
            signedRoot: try members.optional("signedRoot", limit: SignedRoot.size), proof: nil,
            place: try EvidenceFile.Place(members))
        proof = try members.optional("proof", limit: Limits.proof)
    }
}

extension EvidenceFile.Record {
    fileprivate init(_ members: Members) throws(EvidenceFileFault) {
        self.init(
            type: try members.type(), payload: try members.bytes("payload", limit: EvidenceFile.Limit.payload),
            place: try EvidenceFile.Place(members))
    }
}

extension EvidenceFile.Receipt {
    fileprivate init(_ members: Members) throws(EvidenceFileFault) {
        self.init(
            checkpoint: try members.text("checkpoint", limit: EvidenceFile.Limit.note),
            consistency: try members.hashes("consistency"))
    }
}

/// The members of an object, all of them known.
private struct Members {
    private let members: [String: JSONValue]
    private let pointer: String

    init(
        _ value: JSONValue, at pointer: String, _ required: [String], optional: [String] = []
    ) throws(EvidenceFileFault) {
        guard case .object(let members) = value else { throw EvidenceFileFault(code: .wrongType, pointer: pointer) }
        for name in members.keys.sorted() where !required.contains(name) && !optional.contains(name) {
            throw EvidenceFileFault(code: .unknownMember, pointer: pointer + EvidenceFileFault.step(name))
        }
        for name in required where members[name] == nil {
            throw EvidenceFileFault(code: .missingMember, pointer: pointer + "/" + name)
        }
        self.members = members
        self.pointer = pointer
    }

    func has(_ name: String) -> Bool { members[name] != nil }

    private func fault(_ code: EvidenceFileFault.Code, _ name: String) -> EvidenceFileFault {
        EvidenceFileFault(code: code, pointer: pointer + "/" + name)
    }

    private func value(_ name: String) throws(EvidenceFileFault) -> JSONValue {
        guard let value = members[name] else { throw fault(.missingMember, name) }
        return value
    }

    func inner(_ name: String, _ required: [String], optional: [String]) throws(EvidenceFileFault) -> Members {
        try Members(value(name), at: pointer + "/" + name, required, optional: optional)
    }

    func text(_ name: String, limit: Int) throws(EvidenceFileFault) -> String {
        guard case .text(let text) = try value(name) else { throw fault(.wrongType, name) }
        guard text.utf8.count <= limit else { throw fault(.tooLong, name) }
        return text
    }

    func bytes(_ name: String, limit: Int) throws(EvidenceFileFault) -> [UInt8] {
        let text = try text(name, limit: (limit + 2) / 3 * 4)
        guard let bytes = Base64.decode(text) else { throw fault(.malformedValue, name) }
        guard bytes.count <= limit else { throw fault(.tooLong, name) }
        return bytes
    }

    func optional(_ name: String, limit: Int) throws(EvidenceFileFault) -> [UInt8]? {
        has(name) ? try bytes(name, limit: limit) : nil
    }

    func digest(_ name: String) throws(EvidenceFileFault) -> Digest32 {
        try Self.digest(value(name), pointer + "/" + name)
    }

    func hashes(_ name: String) throws(EvidenceFileFault) -> [Digest32] {
        try list(name, limit: EvidenceFile.Limit.path) { value, pointer throws(EvidenceFileFault) in
            try Self.digest(value, pointer)
        }
    }

    private static func digest(_ value: JSONValue, _ pointer: String) throws(EvidenceFileFault) -> Digest32 {
        guard case .text(let text) = value else { throw EvidenceFileFault(code: .wrongType, pointer: pointer) }
        guard text.utf8.count <= 64 else { throw EvidenceFileFault(code: .tooLong, pointer: pointer) }
        guard let digest = [UInt8](hex: text).flatMap({ Digest32($0) }), digest.bytes.hex == text else {
            throw EvidenceFileFault(code: .malformedValue, pointer: pointer)
        }
        return digest
    }

    /// A decimal text from 1: numbers of 64 bits do not survive all readers of JSON.
    func position() throws(EvidenceFileFault) -> UInt64 {
        let text = try text("position", limit: 20)
        guard let number = UInt64(text), number > 0, String(number) == text else {
            throw fault(.malformedValue, "position")
        }
        return number
    }

    /// A record's type that is no message.
    func type() throws(EvidenceFileFault) -> UInt8 {
        guard case .integer(let number) = try value("type") else { throw fault(.wrongType, "type") }
        guard (2...254).contains(number) else { throw fault(.malformedValue, "type") }
        return UInt8(number)
    }

    func list<Element>(
        _ name: String, limit: Int, _ each: (JSONValue, String) throws(EvidenceFileFault) -> Element
    ) throws(EvidenceFileFault) -> [Element] {
        guard case .list(let values) = try value(name) else { throw fault(.wrongType, name) }
        guard values.count <= limit else { throw fault(.tooLong, name) }
        var list: [Element] = []
        for (index, value) in values.enumerated() {
            list.append(try each(value, "\(pointer)/\(name)/\(index)"))
        }
        return list
    }
}
