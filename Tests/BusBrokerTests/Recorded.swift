import BusProtocol
import Foundation

/// What an agent of version 1 sends, as the vectors recorded it when that was the only version.
enum Recorded {
    private struct File: Decodable {
        struct Vector: Decodable {
            struct Frame: Decodable {
                struct Head: Decodable { var version: UInt8? }
                var head: Head
            }
            var name: String
            var hex: String
            var frame: Frame?
        }
        var vectors: [Vector]
    }

    struct Missing: Error { var name: String }

    /// A whole frame of version 1.
    static func frame(_ name: String) throws -> [UInt8] {
        try vector("frames.json", name) { ($0.frame?.head.version ?? 1) == 1 }
    }

    /// Bytes of a header.
    static func header(_ name: String) throws -> [UInt8] { try vector("headers.json", name) { _ in true } }

    private static func vector(
        _ file: String, _ name: String, _ isWanted: (File.Vector) -> Bool
    ) throws -> [UInt8] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Schemas/vectors")
        let vectors = try JSONDecoder().decode(File.self, from: Data(contentsOf: folder.appendingPathComponent(file)))
        guard let found = vectors.vectors.first(where: { $0.name == name && isWanted($0) }) else {
            throw Missing(name: name)
        }
        let digits = Array(found.hex.utf8)
        return try stride(from: 0, to: digits.count, by: 2).map { at in
            guard at + 2 <= digits.count,
                let byte = UInt8(String(decoding: digits[at..<at + 2], as: UTF8.self), radix: 16)
            else { throw Missing(name: name) }
            return byte
        }
    }
}
