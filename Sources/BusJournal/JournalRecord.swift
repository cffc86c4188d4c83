package import BusProtocol

/// What a record of the journal says. Numbers are in the file; a number is never given a second meaning.
package enum RecordType: UInt8, Sendable, CaseIterable {
    /// A message was accepted: header, proof and digest of its body.
    case message = 1
    /// A request ended: how, where, and its hop times.
    case finished = 2
    /// Calls were refused for want of a right (aggregated): the traffic nobody planned.
    case refused = 3
    /// An agent came or went.
    case liveness = 4
    /// A space took effect: its whole snapshot.
    case space = 5
    /// An integration or a system changed its observed state.
    case state = 6
    /// The receiver of a command, outcome or event settled it, or it was given up.
    case settled = 7
    /// The broker started on this journal, or stopped in good order.
    case brokerStarted = 8
    case brokerStopped = 9
    /// A delivery of a command, outcome or event is tried again, and why.
    case attempted = 10
    /// An operator resent a dead letter.
    case resent = 11
    /// A subscriber moved its cursor back.
    case sought = 12
    /// An agent reported faults the broker could not see.
    case reported = 13
    /// Bodies were erased because their retention had passed.
    case erased = 14

    /// Whether a payload can be read as what its type says. Types of later versions, and spaces, are bytes to the journal.
    static func canRead(_ type: UInt8, _ payload: [UInt8]) -> Bool {
        payload.withUnsafeBytes { raw in
            var reader = ByteReader(raw)
            do throws(Fault) {
                switch RecordType(rawValue: type) {
                case .message: _ = try MessageRecord(&reader)
                case .finished: _ = try FinishedRecord(&reader)
                case .refused: _ = try RefusedRecord(&reader)
                case .liveness: _ = try LivenessRecord(&reader)
                case .state: _ = try StateRecord(&reader)
                case .settled: _ = try SettledRecord(&reader)
                case .brokerStarted, .brokerStopped: _ = try BrokerRecord(&reader)
                case .attempted: _ = try AttemptedRecord(&reader)
                case .resent: _ = try ResentRecord(&reader)
                case .sought: _ = try SoughtRecord(&reader)
                case .reported: _ = try ReportedRecord(&reader)
                case .erased: _ = try ErasedRecord(&reader)
                case .space, nil: break
                }
                return true
            } catch { return false }
        }
    }
}

/// A message as the journal keeps it.
///
/// Payload: i64 received (µs), u8 stage, u8 0, u16 header size, u16 proof size, u16 hashes at the end of its path that are those of
/// the message before it in the batch and are not written (version 3 of a batch, else 0), u32 integration, u32 body size,
/// 32 bytes SHA-256 of the body, header, proof. The body itself, where it is kept, stands in its own row, so that it can
/// be erased without touching what is hashed.
package struct MessageRecord: Sendable {
    package static let fixedSize = 56
    /// Where three u16 stand: size of the header, size of the proof, hashes that are not written.
    static let sizesAt = 10
    package var receivedAt: Int64
    package var stage: UInt8
    package var integration: UInt32
    package var bodySize: UInt32
    package var bodyDigest: [UInt8]
    package var header: [UInt8]
    package var proof: [UInt8]
    /// The row of the batch's table the proof refers to, 116 bytes; empty where there is none.
    package internal(set) var signedRoot: [UInt8] = []

    package init(_ reader: inout ByteReader) throws(Fault) {
        receivedAt = try reader.take()
        stage = try reader.take()
        _ = try reader.take(UInt8.self)
        let headerSize = Int(try reader.take(UInt16.self))
        let proofSize = Int(try reader.take(UInt16.self))
        _ = try reader.take(UInt16.self)
        integration = try reader.take()
        bodySize = try reader.take()
        bodyDigest = try reader.takeArray(32)
        header = try reader.takeArray(headerSize)
        proof = try reader.takeArray(proofSize)
    }
}

/// The end of a request. `integration` is the index of the space in force, `UInt32.max` where there is none.
package struct FinishedRecord: Sendable, Equatable {
    package static let size = 52
    package var request: MessageID
    package var integration: UInt32
    package var outcome: UInt16
    package var hop: Hop
    /// The stage of the integration when the request was committed (`IntegrationStage` of the directory).
    package var stage: UInt8
    package var times: HopTimes

    package init(
        request: MessageID, integration: UInt32, outcome: UInt16, hop: Hop, stage: UInt8, times: HopTimes
    ) {
        self.request = request
        self.integration = integration
        self.outcome = outcome
        self.hop = hop
        self.stage = stage
        self.times = times
    }

    package func write(into out: inout ByteCursor) {
        out.put(id: request.value)
        out.put(integration)
        out.put(outcome)
        out.put(hop.rawValue)
        out.put(stage)
        out.put(times.requestIn)
        // Differences fit 32 bits (hop times lie within a request's deadline) but full times read easier in a dump.
        out.put(times.requestOut)
        out.put(times.replyIn)
        out.put(Int32(clamping: times.replyOut == 0 ? 0 : max(1, times.replyOut - times.requestIn)))
    }

    package init(_ reader: inout ByteReader) throws(Fault) {
        request = MessageID(value: try reader.takeID())
        integration = try reader.take()
        outcome = try reader.take()
        hop = Hop(rawValue: try reader.take(UInt8.self)) ?? .unknown
        stage = try reader.take()
        times = HopTimes()
        times.requestIn = try reader.take()
        times.requestOut = try reader.take()
        times.replyIn = try reader.take()
        let out = Int64(try reader.take(Int32.self))
        times.replyOut = out == 0 ? 0 : times.requestIn + out
    }
}

/// Refused calls of one consumer to one service since the last such record.
package struct RefusedRecord: Sendable, Equatable {
    package var consumer: String
    package var target: String
    package var code: UInt16
    package var count: UInt32
    /// Unix microseconds of the newest one.
    package var at: Int64
    package init(consumer: String, target: String, code: UInt16, count: UInt32, at: Int64) {
        self.consumer = consumer
        self.target = target
        self.code = code
        self.count = count
        self.at = at
    }

    package var encoded: [UInt8] {
        var out = ByteWriter()
        out.put(at)
        out.put(count)
        out.put(code)
        out.put(short: consumer)
        out.put(short: target)
        return out.finish()
    }

    package init(_ reader: inout ByteReader) throws(Fault) {
        at = try reader.take()
        count = try reader.take()
        code = try reader.take()
        consumer = try reader.takeShortText()
        target = try reader.takeShortText()
    }
}

/// An agent greeted, said goodbye, or fell silent.
package struct LivenessRecord: Sendable, Equatable {
    package var at: Int64
    package var up: Bool
    package var agent: String
    package var systems: [String]
    package var reason: String
    package init(at: Int64, up: Bool, agent: String, systems: [String], reason: String) {
        self.at = at
        self.up = up
        self.agent = agent
        self.systems = systems
        self.reason = reason
    }

    package var encoded: [UInt8] {
        var out = ByteWriter()
        out.put(at)
        out.put(UInt8(up ? 1 : 0))
        out.put(UInt8(systems.count))
        out.put(short: agent)
        out.put(short: reason)
        for system in systems { out.put(short: system) }
        return out.finish()
    }

    package init(_ reader: inout ByteReader) throws(Fault) {
        at = try reader.take()
        up = try reader.take(UInt8.self) != 0
        let count = try reader.take(UInt8.self)
        agent = try reader.takeShortText()
        reason = try reader.takeShortText()
        systems = []
        for _ in 0..<count { systems.append(try reader.takeShortText()) }
    }
}

/// The observed state of an integration or a system changed.
package struct StateRecord: Sendable, Equatable, Codable {
    package var at: Int64
    /// `integration` or `system`.
    package var subject: String
    package var id: String
    package var from: String
    package var to: String
    package var why: String
    package init(at: Int64, subject: String, id: String, from: String, to: String, why: String) {
        self.at = at
        self.subject = subject
        self.id = id
        self.from = from
        self.to = to
        self.why = why
    }

    package var encoded: [UInt8] {
        var out = ByteWriter()
        out.put(at)
        for text in [subject, id, from, to] { out.put(short: text) }
        out.put(long: why)
        return out.finish()
    }

    package init(_ reader: inout ByteReader) throws(Fault) {
        at = try reader.take()
        subject = try reader.takeShortText()
        id = try reader.takeShortText()
        from = try reader.takeShortText()
        to = try reader.takeShortText()
        why = try reader.takeLongText()
    }
}

/// A receiving system is done with a command, an outcome or an event.
package struct SettledRecord: Sendable, Equatable {
    package var position: UInt64
    package var at: Int64
    package var integration: UInt32
    /// 0: taken; else the catalogue number it was given up for.
    package var code: UInt16
    package var subscriber: String
    /// Deliveries in all; 0 in records of the first version, which did not say.
    package var attempts: UInt16
    /// Who said so; empty where nobody did, and in older records.
    package var agent: String
    package init(
        position: UInt64, at: Int64, integration: UInt32, code: UInt16, subscriber: String, attempts: UInt16 = 0,
        agent: String = ""
    ) {
        self.agent = agent
        self.attempts = attempts
        self.position = position
        self.at = at
        self.integration = integration
        self.code = code
        self.subscriber = subscriber
    }

    package var encoded: [UInt8] {
        var out = ByteWriter()
        out.put(position)
        out.put(at)
        out.put(integration)
        out.put(code)
        out.put(short: subscriber)
        out.put(attempts)
        if !agent.isEmpty { out.put(short: agent) }
        return out.finish()
    }

    package init(_ reader: inout ByteReader) throws(Fault) {
        position = try reader.take()
        at = try reader.take()
        integration = try reader.take()
        code = try reader.take()
        subscriber = try reader.takeShortText()
        attempts = reader.remaining > 0 ? try reader.take() : 0
        agent = reader.remaining > 0 ? try reader.takeShortText() : ""
    }
}

/// The broker took up or put down this journal.
package struct BrokerRecord: Sendable, Equatable {
    package var at: Int64
    package var broker: UInt128
    package var software: String
    package init(at: Int64, broker: UInt128, software: String) {
        self.at = at
        self.broker = broker
        self.software = software
    }

    package var encoded: [UInt8] {
        var out = ByteWriter()
        out.put(at)
        out.put(id: broker)
        out.put(short: software)
        return out.finish()
    }

    package init(_ reader: inout ByteReader) throws(Fault) {
        at = try reader.take()
        broker = try reader.takeID()
        software = try reader.takeShortText()
    }
}
