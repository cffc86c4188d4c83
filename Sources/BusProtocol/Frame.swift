/// The commands of the protocol. Numbers are on the wire.
@usableFromInline
package enum Command: UInt8, Sendable, CaseIterable {
    case hello = 1
    case welcome, error, submit, accept, deliver, ack, nak, term, report, credit, ping, pong, drain, bye
    // Version 2.
    case query, state, seek, done
    // Version 3.
    case space, want, keys, prove, proof

    @inlinable
    package static func == (a: Command, b: Command) -> Bool { a.rawValue == b.rawValue }

    /// The first version of the protocol that has this command.
    package var since: UInt8 {
        if rawValue >= Command.space.rawValue { return 3 }
        return rawValue >= Command.query.rawValue ? 2 : 1
    }
}

/// The fixed head H of a frame `H|E|B`, 48 bytes.
@usableFromInline
package struct FrameHead: Sendable, Equatable {
    @inlinable package static var size: Int { 48 }
    @inlinable package static var magic: UInt32 { 0x4547_524b }  // "KRGE" as bytes
    @inlinable package static var newestVersion: UInt8 { 3 }
    @inlinable package static var oldestVersion: UInt8 { 1 }

    /// The session's version; HELLO is written in the oldest.
    package var version: UInt8 = oldestVersion
    package var command: Command
    /// SUBMIT and DELIVER: the session's number of the first envelope, from 1. Otherwise 0.
    package var sequence: UInt64 = 0
    /// How many messages the sender of this frame is ready to take in this session, counted from its start.
    package var messageLimit: UInt64 = 0
    /// The same in bytes of header and body.
    package var byteLimit: UInt64 = 0
    /// Envelopes in E; 0 in every other command.
    package var count: UInt32 = 0
    package var entriesSize: UInt32 = 0
    package var bodiesSize: UInt32 = 0

    package init(_ command: Command, version: UInt8 = oldestVersion) {
        self.command = command
        self.version = max(version, command.since)
    }

    /// Reads and checks the head against the size of the whole frame.
    package init(_ frame: UnsafeRawBufferPointer) throws(Fault) {
        guard frame.count >= Self.size else {
            throw Fault(.badFrame, at: .unknown, "\(frame.count) bytes are no frame; the head alone is \(Self.size)")
        }
        var reader = ByteReader(frame)
        guard try reader.take(UInt32.self) == Self.magic else {
            throw Fault(.badFrame, at: .unknown, "the frame does not begin with KRGE")
        }
        let version = try reader.take(UInt8.self)
        guard version >= Self.oldestVersion, version <= Self.newestVersion else {
            throw Fault(
                .badVersion, at: .unknown,
                "version \(version); this side speaks \(Self.oldestVersion) to \(Self.newestVersion)")
        }
        let number = try reader.take(UInt8.self)
        guard let command = Command(rawValue: number), command.since <= version else {
            throw Fault(.unknownCommand, at: .unknown, "command \(number) is none of version \(version)")
        }
        self.command = command
        self.version = version
        _ = try reader.take(UInt16.self)  // flags: none yet, ignored so that later versions may set them
        sequence = try reader.take()
        messageLimit = try reader.take()
        byteLimit = try reader.take()
        count = try reader.take()
        entriesSize = try reader.take()
        bodiesSize = try reader.take()
        _ = try reader.take(UInt32.self)  // reserved
        guard Self.size + Int(entriesSize) + Int(bodiesSize) == frame.count else {
            throw Fault(
                .badFrame, at: .unknown,
                "the head promises \(entriesSize) + \(bodiesSize) bytes behind it, \(frame.count - Self.size) are there"
            )
        }
        guard count <= UInt32(Limits.envelopesPerFrame) else {
            throw Fault(.badFrame, at: .unknown, "\(count) envelopes; at most \(Limits.envelopesPerFrame) are possible")
        }
    }

    func write(into out: inout ByteCursor) {
        out.put(Self.magic)
        out.put(version)
        out.put(command.rawValue)
        out.put(UInt16(0))
        out.put(sequence)
        out.put(messageLimit)
        out.put(byteLimit)
        out.put(count)
        out.put(entriesSize)
        out.put(bodiesSize)
        out.put(UInt32(0))
    }

    /// A frame without envelopes: head and the command's own fields as E.
    package func frame(_ fields: [UInt8] = []) -> [UInt8] {
        var head = self
        head.entriesSize = UInt32(fields.count)
        return [UInt8](writing: Self.size + fields.count) { out in
            head.write(into: &out)
            out.put(raw: fields)
        }
    }
}
