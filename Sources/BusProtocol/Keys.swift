/// The key with which messages of one sender were sealed: an epoch, and the system whose agent made it. Epochs of two systems may have
/// one number; nobody can put a record in another's name.
package struct EpochName: Hashable, Sendable {
    package var epoch: UInt64
    package var sender: String

    package init(_ epoch: UInt64, of sender: String) {
        self.epoch = epoch
        self.sender = sender
    }
}

/// One record of an epoch: for the system that is to open with it.
package struct RecordName: Hashable, Sendable {
    package var epoch: EpochName
    package var receiver: String

    package init(_ epoch: EpochName, for receiver: String) {
        self.epoch = epoch
        self.receiver = receiver
    }

    /// What the header of a `keyEpoch` or `keyWrap` message says; `nil` for any other.
    package init?(_ header: Header) {
        guard header.kind == .keyEpoch || header.kind == .keyWrap, let epoch = header.keyEpoch else { return nil }
        self.init(EpochName(epoch, of: header.consumer), for: header.provider)
    }
}

/// WANT: an agent asks for the records of epochs that it has met in messages for one of its systems. From the broker to an agent: make
/// these keys for that system, which subscribes to your events.
package struct KeyWish: Sendable, Equatable {
    /// Any number; KEYS brings it back. 0 from the broker, which wants no answer but the records themselves.
    package var token: UInt64
    /// The system that is to open the messages.
    package var system: String
    package var epochs: [EpochName]

    package init(token: UInt64, system: String, epochs: [EpochName]) {
        self.token = token
        self.system = system
        self.epochs = epochs
    }

    package func encoded() -> [UInt8] {
        var out = ByteWriter(capacity: 64 + epochs.count * 32)
        out.put(token)
        out.put(UInt16(epochs.count))
        out.put(short: system)
        for name in epochs {
            out.put(name.epoch)
            out.put(short: name.sender)
        }
        return out.finish()
    }

    package init(_ reader: inout ByteReader) throws(Fault) {
        token = try reader.take()
        let count = Int(try reader.take(UInt16.self))
        guard count <= Limits.wantedEpochs else {
            throw Fault(.badFrame, at: .unknown, "\(count) epochs; one WANT names at most \(Limits.wantedEpochs)")
        }
        system = try reader.takeShortText()
        epochs = []
        for _ in 0..<count {
            let epoch: UInt64 = try reader.take()
            epochs.append(EpochName(epoch, of: try reader.takeShortText()))
        }
    }
}

/// KEYS: the broker's answer to WANT. An epoch that it does not have for the system has no row.
package struct KeyAnswer: Sendable, Equatable {
    package struct Row: Sendable, Equatable {
        package var name: EpochName
        /// The event whose content key it is; empty for an epoch from system to system.
        package var event: String
        /// Body of the `keyEpoch` or `keyWrap` message.
        package var record: [UInt8]

        package init(_ name: EpochName, event: String, record: [UInt8]) {
            self.name = name
            self.event = event
            self.record = record
        }
    }

    package var token: UInt64
    package var rows: [Row]

    package init(token: UInt64, rows: [Row]) {
        self.token = token
        self.rows = rows
    }

    package func encoded() -> [UInt8] {
        var out = ByteWriter(capacity: 16 + rows.count * 1280)
        out.put(token)
        out.put(UInt16(rows.count))
        for row in rows {
            out.put(row.name.epoch)
            out.put(short: row.name.sender)
            out.put(short: row.event)
            out.put(UInt16(row.record.count))
            out.put(raw: row.record)
        }
        return out.finish()
    }

    package init(_ reader: inout ByteReader) throws(Fault) {
        token = try reader.take()
        let count = Int(try reader.take(UInt16.self))
        guard count <= Limits.wantedEpochs else { throw Fault(.badFrame, at: .unknown, "\(count) rows in one KEYS") }
        rows = []
        for _ in 0..<count {
            let epoch: UInt64 = try reader.take()
            let sender = try reader.takeShortText()
            let event = try reader.takeShortText()
            let record = try reader.takeArray(Int(reader.take(UInt16.self)))
            rows.append(Row(EpochName(epoch, of: sender), event: event, record: record))
        }
    }
}
