import BusProtocol

/// A frame as it stands in the JSON of the vectors: its head, and the fields under the command's name.
struct VectorFrame: Decodable {
    struct Head: Decodable {
        var command: String
        /// 1 where it is absent.
        var version: UInt8?
        var sequence: Decimal<UInt64>
        var messageLimit: Decimal<UInt64>
        var byteLimit: Decimal<UInt64>
    }
    struct Taken: Decodable {
        var kind: String
        var target: String
    }
    struct Greeting: Decodable {
        var oldestVersion: UInt8
        var newestVersion: UInt8
        var instance: VectorBytes
        var bootCounter: Decimal<UInt64>
        var treeSize: Decimal<UInt64>
        var root: VectorBytes
        var agent: String
        var software: String
        var systems: [String]
        var spaceVersion: Decimal<UInt64>?
        var spaceDigest: VectorBytes?
        var takes: [Taken]?
    }
    struct Answer: Decodable {
        var version: UInt8
        var missedHeartbeats: UInt8
        var heartbeatMilliseconds: UInt32
        var session: Decimal<UInt64>
        var broker: VectorBytes
        var spaceVersion: Decimal<UInt64>
        var largestBody: UInt32
        var largestFrame: UInt32
        var treeSize: Decimal<UInt64>
        var root: VectorBytes
        var name: String
        var spaceDigest: VectorBytes?
    }
    struct Notice: Decodable {
        var code: UInt16
        var hop: String
        var retryAfterMilliseconds: UInt32
        var detail: String
    }
    struct Refusal: Decodable {
        var sequence: Decimal<UInt64>
        var code: UInt16
        var hop: String
        var retryAfterMilliseconds: UInt32
    }
    struct Accepted: Decodable {
        var sequence: Decimal<UInt64>
        var treeSize: Decimal<UInt64>
        var root: VectorBytes
        var refused: [Refusal]
    }
    struct Row: Decodable {
        var position: Decimal<UInt64>
        var delayMilliseconds: UInt32
        var code: UInt16
    }
    struct Rows: Decodable { var rows: [Row] }
    struct Health: Decodable {
        var system: String
        var dataUpdatedAt: Decimal<Int64>
        var healthy: Bool
    }
    struct Count: Decodable {
        var count: UInt32
        var code: UInt16
        var hop: String
        var target: String
        var consumer: String
    }
    struct Report: Decodable {
        var uptimeMilliseconds: Decimal<UInt64>
        var systems: [Health]
        var counts: [Count]
        var takes: [Taken]?
    }
    struct Token: Decodable { var token: Decimal<UInt64> }
    struct Question: Decodable {
        var token: Decimal<UInt64>
        var consumer: String
        var commands: [String]
    }
    struct StateRow: Decodable {
        var command: String
        var state: String
        var code: UInt16
        var attempts: UInt16
        var position: Decimal<UInt64>
        var acceptedAt: Decimal<Int64>
        var outcome: VectorBytes
        var outcomeHeader: VectorBytes?
    }
    struct EpochOf: Decodable {
        var epoch: Decimal<UInt64>
        var sender: String
    }
    struct Wanted: Decodable {
        var token: Decimal<UInt64>
        var system: String
        var epochs: [EpochOf]
    }
    struct KeyRow: Decodable {
        var epoch: Decimal<UInt64>
        var sender: String
        var event: String
        var record: VectorBytes
    }
    struct Given: Decodable {
        var token: Decimal<UInt64>
        var rows: [KeyRow]
    }
    struct ClaimRow: Decodable {
        var id: String
        var position: Decimal<UInt64>
    }
    struct LogQuestion: Decodable {
        var token: Decimal<UInt64>
        var heads: [Decimal<UInt64>]
        var system: String
        var messages: [ClaimRow]
    }
    struct PlaceRow: Decodable {
        var id: String
        var position: Decimal<UInt64>
        var path: VectorBytes
    }
    struct LogProven: Decodable {
        var token: Decimal<UInt64>
        var code: UInt16
        var checkpoint: String
        var consistency: [VectorBytes]
        var rows: [PlaceRow]
    }
    struct States: Decodable {
        var token: Decimal<UInt64>
        var rows: [StateRow]
    }
    struct Wish: Decodable {
        var token: Decimal<UInt64>
        var start: String
        var value: Decimal<UInt64>
        var system: String
        var event: String
    }
    struct Finished: Decodable {
        var token: Decimal<UInt64>
        var code: UInt16
        var count: Decimal<UInt64>
    }
    struct Directory: Decodable {
        var version: Decimal<UInt64>
        var signature: VectorBytes
        var canonical: VectorBytes
    }
    struct Notes: Decodable {
        var position: Decimal<UInt64>
        var attempt: UInt16
        var requestIn: Decimal<Int64>
        var requestOut: Decimal<Int64>
        var replyIn: Decimal<Int64>
    }
    struct Envelope: Decodable {
        var header: VectorHeader
        var proof: VectorBytes
        var signedRoot: VectorBytes?
        var annotations: Notes?
        var body: VectorBytes
    }

    var head: Head
    var hello: Greeting?
    var welcome: Answer?
    var error: Notice?
    var accept: Accepted?
    var ack: Rows?
    var nak: Rows?
    var term: Rows?
    var report: Report?
    var ping: Token?
    var pong: Token?
    var query: Question?
    var state: States?
    var seek: Wish?
    var done: Finished?
    var space: Directory?
    var want: Wanted?
    var keys: Given?
    var prove: LogQuestion?
    var proof: LogProven?
    var envelopes: [Envelope]?

    func value() throws -> WholeFrame {
        guard let command = Command.allCases.first(where: { "\($0)" == head.command }) else {
            throw BadVector(why: "no command: \(head.command)")
        }
        return WholeFrame(
            command: command, version: head.version ?? 1, sequence: head.sequence.value,
            messageLimit: head.messageLimit.value,
            byteLimit: head.byteLimit.value, content: try content())
    }

    private func content() throws -> WholeFrame.Content {
        if let hello { return .hello(try Self.hello(hello)) }
        if let welcome { return .welcome(try Self.welcome(welcome)) }
        if let error { return .error(try Self.notice(error)) }
        if let accept { return .acceptance(try Self.acceptance(accept)) }
        if let rows = ack ?? nak ?? term { return .settlement(Self.settlement(rows)) }
        if let report { return .report(try Self.report(report)) }
        if let token = ping ?? pong { return .token(token.token.value) }
        if let query { return .query(try Self.query(query)) }
        if let state { return .state(try Self.state(state)) }
        if let seek { return .seek(try Self.seek(seek)) }
        if let done { return .done(Done(token: done.token.value, code: done.code, count: done.count.value)) }
        if let space {
            return .space(
                SpaceFrame(
                    version: space.version.value, signature: space.signature.bytes, canonical: space.canonical.bytes))
        }
        if let want {
            let epochs = want.epochs.map { EpochName($0.epoch.value, of: $0.sender) }
            return .want(KeyWish(token: want.token.value, system: want.system, epochs: epochs))
        }
        if let keys {
            let rows = keys.rows.map {
                KeyAnswer.Row(EpochName($0.epoch.value, of: $0.sender), event: $0.event, record: $0.record.bytes)
            }
            return .keys(KeyAnswer(token: keys.token.value, rows: rows))
        }
        if let prove {
            return .prove(
                LogWish(
                    token: prove.token.value, heads: prove.heads.map(\.value), system: prove.system,
                    messages: try prove.messages.map {
                        LogWish.Row(try MessageID(vector: $0.id), at: $0.position.value)
                    }))
        }
        if let proof {
            return .proof(
                LogAnswer(
                    token: proof.token.value, code: proof.code, checkpoint: proof.checkpoint,
                    consistency: proof.consistency.map(\.bytes),
                    rows: try proof.rows.map {
                        LogAnswer.Row(try MessageID(vector: $0.id), at: $0.position.value, path: $0.path.bytes)
                    }))
        }
        if let envelopes { return .envelopes(try envelopes.map(Self.envelope)) }
        return .nothing
    }

    private static func hello(_ fields: Greeting) throws -> Hello {
        var hello = Hello(
            instance: try fields.instance.id(), agent: fields.agent, software: fields.software, systems: fields.systems)
        hello.oldestVersion = fields.oldestVersion
        hello.newestVersion = fields.newestVersion
        hello.bootCounter = fields.bootCounter.value
        hello.treeSize = fields.treeSize.value
        hello.root = fields.root.bytes
        if let version = fields.spaceVersion, let digest = fields.spaceDigest {
            hello.spaceVersion = version.value
            hello.spaceDigest = digest.bytes
        }
        hello.takes = try fields.takes.map(Self.takes)
        return hello
    }

    private static func welcome(_ fields: Answer) throws -> Welcome {
        var welcome = Welcome(
            heartbeatMilliseconds: fields.heartbeatMilliseconds, session: fields.session.value,
            broker: try fields.broker.id(), spaceVersion: fields.spaceVersion.value, treeSize: fields.treeSize.value,
            root: fields.root.bytes, name: fields.name)
        welcome.version = fields.version
        welcome.missedHeartbeats = fields.missedHeartbeats
        welcome.largestBody = fields.largestBody
        welcome.largestFrame = fields.largestFrame
        if let digest = fields.spaceDigest { welcome.spaceDigest = digest.bytes }
        return welcome
    }

    private static func notice(_ fields: Notice) throws -> FaultNotice {
        var notice = FaultNotice(Fault(.badFrame, at: .unknown), at: try Hop(vector: fields.hop))
        notice.code = fields.code
        notice.retryAfterMilliseconds = fields.retryAfterMilliseconds
        notice.detail = fields.detail
        return notice
    }

    private static func acceptance(_ fields: Accepted) throws -> Acceptance {
        Acceptance(
            sequence: fields.sequence.value, treeSize: fields.treeSize.value, root: fields.root.bytes,
            refused: try fields.refused.map {
                Acceptance.Refused(
                    sequence: $0.sequence.value, code: $0.code, hop: try Hop(vector: $0.hop),
                    retryAfterMilliseconds: $0.retryAfterMilliseconds)
            })
    }

    private static func settlement(_ fields: Rows) -> Settlement {
        Settlement(
            fields.rows.map {
                Settlement.Row(position: $0.position.value, delayMilliseconds: $0.delayMilliseconds, code: $0.code)
            })
    }

    private static func takes(_ rows: [Taken]) throws -> Takes {
        Takes(
            try rows.map { row in
                guard let kind = MessageKind.allCases.first(where: { "\($0)" == row.kind }) else {
                    throw BadVector(why: "no kind: \(row.kind)")
                }
                return Takes.Row(kind, row.target)
            })
    }

    private static func report(_ fields: Report) throws -> AgentReport {
        var report = AgentReport(
            uptimeMilliseconds: fields.uptimeMilliseconds.value,
            systems: fields.systems.map {
                AgentReport.SystemHealth(system: $0.system, dataUpdatedAt: $0.dataUpdatedAt.value, healthy: $0.healthy)
            },
            counts: try fields.counts.map {
                AgentReport.Count(
                    target: $0.target, consumer: $0.consumer, code: $0.code, hop: try Hop(vector: $0.hop),
                    count: $0.count)
            })
        report.takes = try fields.takes.map(Self.takes)
        return report
    }

    private static func query(_ fields: Question) throws -> StateQuery {
        StateQuery(
            token: fields.token.value, consumer: fields.consumer,
            commands: try fields.commands.map { try MessageID(vector: $0) })
    }

    private static func state(_ fields: States) throws -> StateAnswer {
        StateAnswer(
            token: fields.token.value,
            rows: try fields.rows.map { row in
                guard let state = CommandState.allCases.first(where: { $0.name == row.state }) else {
                    throw BadVector(why: "no state: \(row.state)")
                }
                return StateAnswer.Row(
                    command: try MessageID(vector: row.command), state: state, code: row.code, attempts: row.attempts,
                    position: row.position.value, acceptedAt: row.acceptedAt.value, outcome: row.outcome.bytes,
                    outcomeHeader: row.outcomeHeader?.bytes ?? [])
            })
    }

    private static func seek(_ fields: Wish) throws -> Seek {
        let starts: [String: Seek.Start] = ["beginning": .beginning, "position": .position, "time": .time]
        guard let start = starts[fields.start] else { throw BadVector(why: "no start: \(fields.start)") }
        return Seek(
            token: fields.token.value, start: start, value: fields.value.value, system: fields.system,
            event: fields.event)
    }

    private static func envelope(_ fields: Envelope) throws -> WholeFrame.Envelope {
        var annotations: Annotations?
        if let notes = fields.annotations {
            var made = Annotations()
            made.position = notes.position.value
            made.attempt = notes.attempt
            made.requestIn = notes.requestIn.value
            made.requestOut = notes.requestOut.value
            made.replyIn = notes.replyIn.value
            annotations = made
        }
        return WholeFrame.Envelope(
            header: try fields.header.value(), proof: fields.proof.bytes, signedRoot: fields.signedRoot?.bytes ?? [],
            annotations: annotations, body: fields.body.bytes)
    }
}
