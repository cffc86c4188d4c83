import BusProtocol

/// The authority's signatures of the versions of a space that were in force, as a broker keeps them beside its journal: a line each,
/// digest and signature in hexadecimal. The versions themselves are in the journal. Nothing is believed of it yet.
package struct SpaceSignatures: Sendable {
    package static let fileName = "space.signatures"
    /// Larger files are not read, bytes: some three hundred thousand versions.
    package static let fileLimit = 64 << 20

    /// As they stand in the file, the newest last.
    private let texts: [Substring: [Substring]]

    package init(file bytes: [UInt8] = []) {
        var texts: [Substring: [Substring]] = [:]
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { continue }
            texts[parts[0], default: []].append(parts[1])
        }
        self.texts = texts
    }

    /// Those of a snapshot, the newest last; nil in the place of one that is not 64 bytes in hexadecimal.
    package func all(of digest: Digest32) -> [[UInt8]?] {
        (texts[digest.bytes.hex[...]] ?? []).map { text in
            guard let bytes = [UInt8](hex: String(text)), bytes.count == SpaceSignature.size else { return nil }
            return bytes
        }
    }
}
