import BusProtocol

/// The record of an epoch on its way to the broker: a message of its own, which must be there before the first one that was sealed with it.
package struct KeyMessage: Sendable, Equatable {
    let name: RecordName
    let kind: MessageKind
    let id: MessageID
    let header: [UInt8]
    let body: [UInt8]

    /// - Parameter event: whose content key it is; `nil` for an epoch from system to system.
    init(_ name: RecordName, event: String?, id: MessageID, record: [UInt8]) {
        var header = Header(kind: event == nil ? .keyEpoch : .keyWrap, id: id, created: id.unixMilliseconds)
        header.keyEpoch = name.epoch.epoch
        header.target = event ?? ""
        header.consumer = name.epoch.sender
        header.provider = name.receiver
        self.name = name
        self.id = id
        kind = header.kind
        self.header = header.encoded()
        body = record
    }

    /// As it was stored with a message; `nil` for anything else.
    private init?(header bytes: [UInt8], body: [UInt8]) {
        guard let header = try? Header(decoding: bytes), let name = RecordName(header) else { return nil }
        self.name = name
        kind = header.kind
        id = header.id
        self.header = bytes
        self.body = body
    }

    var submission: Submission { Submission(kind: kind, id: id, header: header, body: body) }

    // MARK: - Beside a stored message

    /// Several in a row: u32 size and header, u32 size and body of each.
    static func stored(_ keys: [KeyMessage]) -> [UInt8] {
        var out = ByteWriter(capacity: keys.count * 1400)
        for key in keys {
            for part in [key.header, key.body] {
                out.put(UInt32(part.count))
                out.put(raw: part)
            }
        }
        return out.finish()
    }

    static func read(_ stored: [UInt8]) -> [KeyMessage] {
        stored.withUnsafeBytes { raw in
            var reader = ByteReader(raw)
            var keys: [KeyMessage] = []
            while reader.remaining > 0, let header = take(&reader), let body = take(&reader) {
                if let key = KeyMessage(header: header, body: body) { keys.append(key) }
            }
            return keys
        }
    }

    private static func take(_ reader: inout ByteReader) -> [UInt8]? {
        guard let size = try? reader.take(UInt32.self) else { return nil }
        return try? reader.takeArray(Int(size))
    }
}
