import BusProtocol
import Foundation

@testable import BusEvidence

/// `Schemas/vectors/seals.json`: one sealed request and one sealed event. HPKE draws its own randomness, so these bytes cannot be
/// made again; `KEREGE_WRITE_VECTORS=1` makes others.
struct SealVector: Codable {
    var about: String
    var seed: String
    var keyID: String
    var record: String
    var header: String
    var body: String
    var opened: String
    var event: String
    var wrap: String
    var eventHeader: String
    var eventBody: String
    var eventOpened: String

    static func load() throws -> SealVector {
        if ProcessInfo.processInfo.environment["KEREGE_WRITE_VECTORS"] != nil { try make().write() }
        return try JSONDecoder().decode(SealVector.self, from: EvidenceVectors.data("seals.json"))
    }

    func bytes(_ hex: String) -> [UInt8] { [UInt8](hex: hex) ?? [] }

    private static func make() throws -> SealVector {
        let key = try SystemKey(seed: (0..<32).map { UInt8($0) })
        let sender = try SealSender(to: key.publicKey, now: 0)
        var header = Header(
            kind: .request, id: MessageID("019b76da-a800-7000-8000-000000000001")!, created: 1_767_225_600_000)
        header.target = "individuals.person-get.v1"
        header.consumer = "portal"
        header.remaining = 5000
        let opened = Array(#"{"iin":"000000000000"}"#.utf8)
        let message = try sender.seal(opened, in: &header)
        let name = "individuals.person-born.v1"
        let sealer = EventSealer(event: name, now: 0)
        var event = Header(
            kind: .event, id: MessageID("019b76da-abe8-7fff-bfff-ffffffffffff")!, created: 1_767_225_601_000)
        event.target = name
        event.consumer = "individuals"
        let eventOpened = Array(#"{"name":"A"}"#.utf8)
        let sealed = try sealer.seal(eventOpened, in: &event)
        return SealVector(
            about: "A sealed request and a sealed event, by docs/EVIDENCE.md. The seed is of these vectors alone.",
            seed: key.seed.hex, keyID: key.id.description, record: sender.record.hex, header: message.header.hex,
            body: message.body.hex, opened: opened.hex, event: name,
            wrap: try sealer.key.wrapped(for: key.publicKey).hex,
            eventHeader: sealed.header.hex, eventBody: sealed.body.hex, eventOpened: eventOpened.hex)
    }

    private func write() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let url = EvidenceVectors.root.appendingPathComponent("Schemas/vectors/seals.json")
        try (encoder.encode(self) + Data("\n".utf8)).write(to: url)
    }
}
