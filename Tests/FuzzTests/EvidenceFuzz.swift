import BusContracts
import BusEvidence
import BusProtocol
import Foundation

/// Files of evidence, and what is sealed. Nothing damaged may pass for what was signed or sealed.
enum EvidenceFuzz {
    private static func data(_ name: String) throws -> Data {
        try Data(contentsOf: FuzzTarget.project.appendingPathComponent("Schemas/vectors/\(name)"))
    }

    // MARK: Files

    /// A message by what was signed of it.
    private struct Said: Hashable {
        var header: [UInt8]
        var digest: Digest32
    }

    static func files() throws -> FuzzTarget {
        let names = ["exchange", "request-alone", "command", "command-expired", "event"]
        let vectors = try names.map { Array(try data("evidence/\($0).json")) }
        let said = Set(
            try vectors.flatMap { try EvidenceFile(json: $0).messages }.map {
                Said(header: $0.header, digest: $0.bodyDigest)
            })
        struct Cases: Decodable { var authority: String }
        let cases = try JSONDecoder().decode(Cases.self, from: data("evidence/cases.json"))
        guard let authority = [UInt8](hex: cases.authority).flatMap({ VerifyingKey($0) }) else {
            throw Broken(what: "the vectors have no authority")
        }
        let mutator = TextMutator(
            bytes: Mutator(vectors: vectors, words: ["\\u0000", "\"position\":", "{}"].map { Array($0.utf8) }))
        let json = JSONMutator(
            values: [.null, .bool(true), .string(""), .string("1"), .string("AAAA"), .array([]), .object([])],
            names: ["body", "proof", "signature", "signedRoot", "position", "inclusion", "more", "records"])
        return FuzzTarget(name: "evidence", fewInputs: 3000) {
            mutator.grow(&$0) { json.change(&$0, &$1) }
        } judge: {
            try judge($0, authority, said)
        }
    }

    private static func judge(_ bytes: [UInt8], _ authority: VerifyingKey, _ said: Set<Said>) throws -> Verdict {
        let file: EvidenceFile
        do throws(EvidenceFileFault) { file = try EvidenceFile(json: bytes) } catch {
            return Verdict(isPastHead: error.code != .malformedJSON, outcomes: [error.code.rawValue])
        }
        guard try EvidenceFile(json: file.json()) == file else { throw Broken(what: "it is written as another file") }
        let steps = EvidenceVerifier.verify(file, authority: authority)
        let wrong = steps.filter { !$0.isOK }
        guard !wrong.isEmpty else {
            guard file.messages.allSatisfy({ said.contains(Said(header: $0.header, digest: $0.bodyDigest)) }) else {
                throw Broken(what: "a message holds that nobody has signed")
            }
            return Verdict(isPastHead: true, outcomes: ["holds"])
        }
        return Verdict(isPastHead: true, outcomes: wrong.map { "\($0.name.rawValue): \($0.word)" })
    }

    // MARK: Seals

    private struct Seals: Decodable {
        var seed, record, header, body, event, wrap, eventHeader, eventBody: String
    }

    static func seals() throws -> FuzzTarget {
        let vector = try JSONDecoder().decode(Seals.self, from: data("seals.json"))
        func bytes(_ hex: String) -> [UInt8] { [UInt8](hex: hex) ?? [] }
        let key = try SystemKey(seed: bytes(vector.seed))
        // A mark tells what an input is; a message's header has its size before it.
        func message(_ header: String, _ body: String) -> [UInt8] {
            [2, UInt8(bytes(header).count)] + bytes(header) + bytes(body)
        }
        let vectors = [
            [0] + bytes(vector.record), [1] + bytes(vector.wrap), message(vector.header, vector.body),
            message(vector.eventHeader, vector.eventBody),
        ]
        var known = SealOpener([key])
        try known.take(record: bytes(vector.record))
        try known.take(wrap: bytes(vector.wrap), event: vector.event)
        let opener = known
        let event = vector.event
        return FuzzTarget(name: "seal", fewInputs: 5000) {
            Mutator(vectors: vectors).grow(&$0)
        } judge: { input in
            var opener = opener
            do throws(SealFault) {
                switch input.first {
                case 0: try opener.take(record: input.dropFirst())
                case 1: try opener.take(wrap: input.dropFirst(), event: event)
                default:
                    let size = min(input.count, 2 + Int(input.dropFirst().first ?? 0))
                    _ = try opener.open(header: input[min(2, size)..<size], body: input[size...])
                }
            } catch { return Verdict(isPastHead: error != .malformedRecord, outcomes: [error.code]) }
            guard vectors.contains(input) || input.first ?? 9 > 2 else {
                throw Broken(what: "what nobody sealed was opened")
            }
            return Verdict(isPastHead: true, outcomes: ["opened"])
        }
    }
}
