import BusProtocol
import Foundation

/// The golden vectors of `Schemas/vectors`, as they stand in the JSON.
enum Vectors {
    struct File<Vector: Decodable>: Decodable { var vectors: [Vector] }

    struct OfHeader: Decodable {
        var name: String
        var hex: VectorBytes
        var header: VectorHeader
    }
    struct OfFrame: Decodable {
        var name: String
        var hex: VectorBytes
        var frame: VectorFrame
    }
    struct Lenient: Decodable {
        var name: String
        var hex: VectorBytes
        var reads: VectorFrame
    }
    struct Bad: Decodable {
        enum What: String, Decodable { case header, frame }
        var name: String
        var of: What
        var hex: VectorBytes
        /// The name of the fault in the catalogue.
        var fault: String
        var envelope: Int?
    }

    static func headers() throws -> [OfHeader] { try load("headers.json") }
    static func frames() throws -> [OfFrame] { try load("frames.json") }
    static func lenient() throws -> [Lenient] { try load("lenient.json") }
    static func bad() throws -> [Bad] { try load("bad.json") }

    private static func load<Vector: Decodable>(_ name: String) throws -> [Vector] {
        try JSONDecoder().decode(File<Vector>.self, from: Project.data("Schemas/vectors/\(name)")).vectors
    }
}

struct BadVector: Error { var why: String }

/// Hexadecimal with spaces; `BB*N` is the byte BB, N times.
struct VectorBytes: Decodable {
    var bytes: [UInt8] = []

    init(from decoder: any Decoder) throws {
        for token in try decoder.singleValueContainer().decode(String.self).split(separator: " ") {
            let parts = token.split(separator: "*")
            guard let part = [UInt8](hex: String(parts[0])) else { throw BadVector(why: "no hex: \(token)") }
            for _ in 0..<(parts.count == 2 ? Int(parts[1]) ?? 0 : 1) { bytes += part }
        }
    }

    /// 16 bytes as one big-endian value.
    func id() throws -> UInt128 {
        guard bytes.count == 16 else { throw BadVector(why: "\(bytes.count) bytes are no id") }
        return bytes.reduce(0) { $0 << 8 | UInt128($1) }
    }
}

/// A number of 64 bits, written as a decimal text.
struct Decimal<Number: FixedWidthInteger & LosslessStringConvertible>: Decodable {
    var value: Number

    init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let value = Number(text) else { throw BadVector(why: "no number: \(text)") }
        self.value = value
    }
}

extension MessageID {
    init(vector text: String?) throws {
        guard let text else {
            self = .none
            return
        }
        guard let id = MessageID(text) else { throw BadVector(why: "no id: \(text)") }
        self = id
    }
}

extension Hop {
    init(vector name: String) throws {
        guard let hop = Hop.allCases.first(where: { $0.name == name }) else { throw BadVector(why: "no hop: \(name)") }
        self = hop
    }
}

struct VectorHeader: Decodable {
    struct Chunk: Decodable {
        var id: VectorBytes
        var index: UInt32
        var total: UInt32
    }
    struct Extension: Decodable {
        var type: UInt16
        var value: VectorBytes
    }

    var kind: String
    var priority: UInt8
    var sealSuite: UInt8
    var id: String
    var created: Decimal<Int64>
    var outcome: UInt16
    var remaining: UInt32
    var correlation: String?
    var causation: String?
    var expiry: Decimal<Int64>?
    var orderKey: VectorBytes?
    var subjectReference: VectorBytes?
    var contractDigest: VectorBytes?
    var keyEpoch: Decimal<UInt64>?
    var counter: Decimal<UInt64>?
    var publisherSequence: Decimal<UInt64>?
    var chunk: Chunk?
    var replaces: String?
    var traceparent: VectorBytes?
    var target: String?
    var consumer: String?
    var provider: String?
    var purpose: String?
    var consent: String?
    var user: String?
    var extensions: [Extension]?

    func value() throws -> Header {
        guard let kind = MessageKind.allCases.first(where: { "\($0)" == self.kind }) else {
            throw BadVector(why: "no kind: \(self.kind)")
        }
        var header = Header(kind: kind, id: try MessageID(vector: id), created: created.value)
        header.priority = priority
        header.sealSuite = sealSuite
        header.outcome = outcome
        header.remaining = remaining
        header.correlation = try MessageID(vector: correlation)
        header.causation = try MessageID(vector: causation)
        header.expiry = expiry?.value
        header.orderKey = try orderKey?.id()
        header.subjectReference = try subjectReference?.id()
        header.contractDigest = contractDigest?.bytes
        header.keyEpoch = keyEpoch?.value
        header.counter = counter?.value
        header.publisherSequence = publisherSequence?.value
        header.chunk = try chunk.map { Header.Chunk(id: try $0.id.id(), index: $0.index, total: $0.total) }
        header.replaces = try MessageID(vector: replaces)
        header.traceparent = traceparent?.bytes
        header.target = target ?? ""
        header.consumer = consumer ?? ""
        header.provider = provider ?? ""
        header.purpose = purpose ?? ""
        header.consent = consent ?? ""
        header.user = user ?? ""
        header.extensions = (extensions ?? []).map { Header.Extension(type: $0.type, value: $0.value.bytes) }
        return header
    }
}
