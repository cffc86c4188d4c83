extension [Digest32] {
    /// Hashes as they travel, 32 bytes each; `nil` when bytes are left over.
    package init?(hashes bytes: [UInt8]) {
        guard bytes.count % Digest32.size == 0 else { return nil }
        self = stride(from: 0, to: bytes.count, by: Digest32.size).compactMap {
            Digest32(bytes[$0..<$0 + Digest32.size])
        }
    }

    /// As they travel.
    package var hashBytes: [UInt8] { flatMap(\.bytes) }
}
