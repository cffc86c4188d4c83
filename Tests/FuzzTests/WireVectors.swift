import BusProtocol
import Foundation

/// The golden vectors of `Schemas/vectors`, as bytes.
enum WireVectors {
    private struct File: Decodable {
        struct Vector: Decodable { var hex: String }
        var vectors: [Vector]
    }

    /// Larger ones would make every input a copy of their body.
    static let largest = 8 * 1024

    static func read(_ name: String) throws -> [[UInt8]] {
        let data = try Data(contentsOf: FuzzTarget.project.appendingPathComponent("Schemas/vectors/\(name).json"))
        return try JSONDecoder().decode(File.self, from: data).vectors.map(\.hex).map(bytes).filter {
            $0.count <= largest
        }
    }

    /// Hexadecimal with spaces; `BB*N` is the byte BB, N times.
    private static func bytes(_ text: String) -> [UInt8] {
        text.split(separator: " ").flatMap { token -> [UInt8] in
            let parts = token.split(separator: "*")
            let part = [UInt8](hex: String(parts[0])) ?? []
            return Array(repeatElement(part, count: parts.count == 2 ? Int(parts[1]) ?? 0 : 1).joined())
        }
    }

    /// Magic, version and sizes of a frame's head.
    @Sendable static func mend(_ bytes: inout [UInt8], _ random: inout SplitMix) {
        guard bytes.count >= FrameHead.size else { return }
        let behind = bytes.count - FrameHead.size
        func put(_ value: UInt32, _ at: Int) {
            for index in 0..<4 { bytes[at + index] = UInt8(truncatingIfNeeded: value >> UInt32(8 * index)) }
        }
        put(FrameHead.magic, 0)
        if bytes[4] < FrameHead.oldestVersion || bytes[4] > FrameHead.newestVersion {
            bytes[4] = FrameHead.newestVersion
        }
        if Command(rawValue: bytes[5]) == nil { bytes[5] = random.one(of: Command.allCases).rawValue }
        var bodies = 0
        for index in 0..<4 { bodies |= Int(bytes[40 + index]) << (8 * index) }
        if bodies > behind { bodies = random.below(behind + 1) }
        put(UInt32(behind - bodies), 36)
        put(UInt32(bodies), 40)
    }

    static func isPastHead(_ frame: [UInt8]) -> Bool {
        frame.withUnsafeBytes { (try? FrameHead($0)) != nil }
    }

    /// What every frame that we write must be; its command and codes.
    static func outcomes(written frame: [UInt8]) throws -> [String] {
        do {
            return try frame.withUnsafeBytes { raw in
                let head = try FrameHead(raw)
                var fields = head.fields(of: raw)
                switch head.command {
                case .error: return ["error \(try FaultNotice(&fields).code)"]
                case .accept:
                    let rows = try Acceptance(&fields).refused
                    return rows.isEmpty ? ["accept"] : rows.map { "refused \($0.code)" }
                case .welcome:
                    _ = try Welcome(&fields)
                    return ["welcome"]
                case .submit, .deliver:
                    var broken: Fault?
                    try EnvelopeFrame.decode(raw, head) { _, result in
                        if case .failure(let fault) = result { broken = fault }
                    }
                    if let broken { throw broken }
                    return ["\(head.command)"]
                default: return ["\(head.command)"]
                }
            }
        } catch { throw Broken(what: "wrote a frame that cannot be read: \(error)") }
    }
}
