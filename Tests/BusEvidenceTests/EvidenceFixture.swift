import BusProtocol
import Crypto
import Foundation

@testable import BusEvidence

/// A small bus on paper: a space, keys made from names, and a log with a few exchanges. The same at every run.
struct EvidenceFixture {
    static let created: Int64 = 1_767_225_600_000
    static let service = "individuals.person-get.v1"
    static let command = "real-estate.encumbrance-impose.v1"
    static let event = "individuals.person-born.v1"

    static func signingKey(_ name: String) -> SigningKey {
        SigningKey(seed: Array(SHA256.hash(data: Array(name.utf8))))!
    }

    let authority = NoteSigner(name: "demo/authority", key: signingKey("authority"))!
    let log = NoteSigner(name: "demo/broker-1", key: signingKey("broker-1"))!
    /// Leaves of the log, with the type and payload of those that are no messages.
    private(set) var leaves: [Digest32] = []
    private var sent: [Sent] = []

    struct Sent {
        /// What it is called by here; its id is mostly of the same number.
        var number: UInt16
        var header: Header
        var body: [UInt8]
        var batch: SignedBatch?
        var leafIndex = 0
        var position: UInt64 = 0

        var leaf: Digest32 { LogHash.messageLeaf(header: header.encoded(), body: body) }
    }

    /// What an answer carries of the leaf of what it answers.
    typealias Binding = (Digest32) -> [Header.Extension]
    static func asAgentsDo(_ leaf: Digest32) -> [Header.Extension] { [RequestDigest.item(leaf)] }

    /// - Parameter binding: of the answers 11, 12, 14 and 31.
    init(binding: Binding = asAgentsDo) {
        record(8, Array("started".utf8))
        record(5, Self.snapshot(version: 7))
        record(4, Array("up".utf8))
        // Agents sign what they have at that moment: some batches hold messages of several exchanges.
        var asked = [
            Self.message(1, .request, Self.service, "portal"), Self.message(2, .request, Self.service, "portal"),
            Self.message(3, .request, Self.service, "portal"),
        ]
        sign(&asked, by: "portal-1")
        for message in asked { put(message) }
        record(4, Array("down".utf8))
        var replies = [
            Self.answer(11, .reply, to: asked[0], binding), Self.answer(12, .reply, to: asked[1], binding),
        ]
        sign(&replies, by: "individuals-1")
        put(replies[1])
        put(replies[0])
        record(2, Array("finished".utf8))
        var commands = [
            Self.message(21, .command, Self.command, "e-notary"), Self.message(22, .command, Self.command, "e-notary"),
        ]
        sign(&commands, by: "e-notary-1")
        for message in commands { put(message) }
        var outcomes = [Self.answer(31, .outcome, to: commands[0], binding)]
        sign(&outcomes, by: "real-estate-1")
        put(outcomes[0])
        var expired = Self.answer(32, .outcome, to: commands[1]) { _ in [] }
        expired.header.provider = ""
        expired.header.outcome = 4101
        put(expired)
        var events = [Self.message(41, .event, Self.event, "individuals")]
        sign(&events, by: "individuals-1")
        put(events[0])
        var alone = [Self.message(4, .request, Self.service, "portal")]
        sign(&alone, by: "portal-1", at: Self.created + 77)
        put(alone[0])
        var answer = [Self.answer(14, .reply, to: alone[0], binding)]
        sign(&answer, by: "individuals-1", at: Self.created + 78)
        put(answer[0])
        answerOthers(asked, commands)
    }

    /// Answers to the first request and the first command, all signed, that were made for something else, or do not say for what.
    private mutating func answerOthers(_ asked: [Sent], _ commands: [Sent]) {
        var twin = Self.message(5, .request, Self.service, "portal")
        twin.header.id = asked[0].header.id
        var twins = [twin]
        sign(&twins, by: "portal-1", at: Self.created + 80)
        put(twins[0])
        var replies = [
            Self.answer(13, .reply, to: asked[0]) { _ in [] },
            Self.answer(15, .reply, to: twin, Self.asAgentsDo),
            Self.answer(16, .reply, to: asked[0]) { _ in [RequestDigest.item(asked[1].leaf)] },
        ]
        sign(&replies, by: "individuals-1", at: Self.created + 81)
        for message in replies { put(message) }
        var outcomes = [
            Self.answer(33, .outcome, to: commands[0]) { _ in [RequestDigest.item(commands[1].leaf)] },
            Self.answer(34, .outcome, to: commands[0]) { _ in [] },
        ]
        sign(&outcomes, by: "real-estate-1", at: Self.created + 82)
        for message in outcomes { put(message) }
    }

    // MARK: The log

    private mutating func record(_ type: UInt8, _ payload: [UInt8]) {
        leaves.append(payload.withUnsafeBytes { LogHash.recordLeaf(type: type, payload: $0) })
    }

    private mutating func put(_ message: Sent) {
        leaves.append(message.leaf)
        sent.append(message)
        sent[sent.count - 1].position = UInt64(leaves.count)
    }

    private func sign(_ messages: inout [Sent], by agent: String, at time: Int64 = created + 5) {
        let batch = BatchSigner(Self.signingKey(agent)).sign(messages.map(\.leaf), at: time)
        for index in messages.indices {
            messages[index].batch = batch
            messages[index].leafIndex = index
        }
    }

    private func prover(_ size: Int) -> LogProver<Never> {
        LogProver(size: UInt64(size)) { subtree in subtree.root { leaves[Int($0)] } }
    }

    /// - Parameter name: of another log that is kept with the same key.
    func checkpoint(_ size: Int, of name: String? = nil) -> String {
        let signer = name.flatMap { NoteSigner(name: $0, key: Self.signingKey("broker-1")) } ?? log
        return Checkpoint.sign(TreeHead(size: UInt64(size), root: prover(size).root()), by: signer)
    }

    func place(_ position: UInt64, in size: Int) -> EvidenceFile.Place {
        EvidenceFile.Place(position: position, inclusion: prover(size).inclusion(of: position - 1))
    }

    // MARK: Messages

    private static func id(_ number: UInt16) -> MessageID {
        MessageID(value: UInt128(created) << 80 | 7 << 76 | 0b10 << 62 | UInt128(number))
    }

    private static func message(_ number: UInt16, _ kind: MessageKind, _ target: String, _ consumer: String) -> Sent {
        var header = Header(kind: kind, id: id(number), created: created + Int64(number))
        header.target = target
        header.consumer = consumer
        if kind == .request { header.remaining = 5000 }
        if kind == .command { header.expiry = created + 86_400_000 }
        return Sent(number: number, header: header, body: Array(#"{"number":\#(number)}"#.utf8))
    }

    private static func answer(_ number: UInt16, _ kind: MessageKind, to asked: Sent, _ binding: Binding) -> Sent {
        var answer = message(number, kind, asked.header.target, asked.header.consumer)
        answer.header.correlation = asked.header.id
        // As agents do.
        if kind == .reply { answer.header.consumer = "" }
        answer.header.provider = String(asked.header.target.prefix { $0 != "." })
        answer.header.extensions = binding(asked.leaf)
        return answer
    }

    // MARK: The space

    static func snapshot(version: Int, statesLog: Bool = true) -> [UInt8] {
        func key(_ agent: String, _ systems: String...) -> String {
            let list = systems.map { #""\#($0)""# }.joined(separator: ",")
            let signature = signingKey(agent).publicKey.bytes.hex
            return #"{"agent":"\#(agent)","curve":"c","roles":[],"sign":"\#(signature)","systems":[\#(list)]}"#
        }
        let keys = [
            key("e-notary-1", "e-notary"), key("individuals-1", "individuals"),
            #"{"agent":"old","curve":"c","roles":["operator"],"systems":[]}"#, key("portal-1", "mobile", "portal"),
            key("real-estate-1", "real-estate"),
        ].joined(separator: ",")
        let logKey = statesLog ? #","sign":"\#(signingKey("broker-1").publicKey.bytes.hex)""# : ""
        let broker = #"{"endpoint":"tcp://127.0.0.1:7400","id":"broker-1"\#(logKey)}"#
        let previous = String(repeating: "0", count: 63) + "1"
        return Array(
            #"{"format":"kerege-space/1","previous":"\#(previous)","space":{"broker":\#(broker),"id":"demo","isDemo":true,"keys":[\#(keys)]},"version":\#(version)}"#
                .utf8)
    }

    func space(version: Int = 7, statesLog: Bool = true, in size: Int? = nil) -> EvidenceFile.Space {
        let snapshot = Self.snapshot(version: version, statesLog: statesLog)
        return EvidenceFile.Space(
            snapshot: snapshot, signature: Self.signature(of: snapshot, by: Self.signingKey("authority")),
            place: size.map { place(2, in: $0) })
    }

    static func signature(of snapshot: [UInt8], by key: SigningKey) -> [UInt8] {
        key.sign(Domain.space.bytes + snapshot.withUnsafeBytes { LogHash.body($0) }.bytes)
    }

    // MARK: Files

    private func message(_ number: UInt16, in size: Int, withBody: Bool) -> EvidenceFile.Message {
        let sent = sent.first { $0.number == number }!
        return EvidenceFile.Message(
            header: sent.header.encoded(), bodyDigest: sent.body.withUnsafeBytes { LogHash.body($0) },
            body: withBody ? sent.body : nil, signedRoot: sent.batch?.row,
            proof: (sent.batch?.proof(sent.leafIndex)).map { Array($0) }, place: place(sent.position, in: size))
    }

    /// A file of these messages, by number: 1 to 5 are requests, 11 to 16 replies, 21 and 22 commands, 31 to 34 outcomes, 41 an event.
    func file(_ numbers: UInt16..., withBody: Bool = true, space: EvidenceFile.Space? = nil) -> EvidenceFile {
        let size = leaves.count
        return EvidenceFile(
            space: space ?? self.space(in: size), checkpoint: checkpoint(size),
            messages: numbers.map { message($0, in: size, withBody: withBody) })
    }

    /// A request and its reply under a space that has these members in the entry of the asking agent.
    func exchange(withKeyOf members: String) -> EvidenceFile {
        var file = file(1, 11, space: space())
        let sign = #""sign":"\#(Self.signingKey("portal-1").publicKey.bytes.hex)""#
        let text = String(decoding: file.space.snapshot, as: UTF8.self).replacing(sign, with: members + "," + sign)
        file.space.snapshot = Array(text.utf8)
        file.space.signature = Self.signature(of: file.space.snapshot, by: Self.signingKey("authority"))
        return file
    }

    /// A request and its reply with everything a file can have.
    func exchange(_ number: UInt16 = 1) -> EvidenceFile {
        let size = leaves.count
        var file = file(number, number + 10)
        file.records = [
            EvidenceFile.Record(type: 4, payload: Array("up".utf8), place: place(3, in: size)),
            EvidenceFile.Record(type: 2, payload: Array("finished".utf8), place: place(10, in: size)),
        ]
        file.receipts = [5, 12].map {
            EvidenceFile.Receipt(
                checkpoint: checkpoint($0), consistency: prover(size).consistency(from: UInt64($0)))
        }
        return file
    }
}
