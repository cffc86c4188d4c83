import BusProtocol

/// The signed roots of a batch, each once: messages of one frame share theirs, and a batch holds many frames.
struct SignedRootRows {
    /// Where a proof says which row of the table it refers to (`Schemas/wire.md`, section 5).
    private static let rowOffset = 2
    /// Of a proof, all before its path.
    static let proofHead = 8

    private var rows: [ArraySlice<UInt8>] = []
    /// By the index of the entry; empty when no message of the batch has a proof.
    private var rowOfEntry: [UInt16] = []

    init(_ batch: JournalBatch) {
        guard batch.entries.contains(where: Self.hasRoot) else { return }
        rowOfEntry = [UInt16](repeating: 0, count: batch.count)
        var known: [ArraySlice<UInt8>: UInt16] = [:]
        for (index, entry) in batch.entries.enumerated() {
            guard case .message(let message) = entry, Self.hasRoot(entry) else { continue }
            let root = message.frame[message.signedRoot]
            // Neighbours mostly share one.
            if let last = rows.last, last == root {
                rowOfEntry[index] = UInt16(rows.count - 1)
            } else if let row = known[root] {
                rowOfEntry[index] = row
            } else {
                known[root] = UInt16(rows.count)
                rowOfEntry[index] = UInt16(rows.count)
                rows.append(root)
            }
        }
    }

    static func hasRoot(_ entry: JournalBatch.Entry) -> Bool {
        guard case .message(let message) = entry else { return false }
        return message.signedRoot.count == SignedRoot.size && message.proof.count >= proofHead
    }

    var isEmpty: Bool { rows.isEmpty }

    func row(of entry: Int) -> UInt16 { rowOfEntry.isEmpty ? 0 : rowOfEntry[entry] }

    /// Bytes of the table in the blob.
    var size: Int { rows.isEmpty ? 0 : 4 + rows.count * SignedRoot.size }

    func write(into out: inout ByteCursor) {
        guard !rows.isEmpty else { return }
        out.put(UInt32(rows.count))
        for row in rows { out.put(raw: row) }
    }

    /// A proof with this table's row in it.
    static func write(proof: UnsafeRawBufferPointer, _ row: UInt16, into out: inout ByteCursor) {
        guard proof.count >= proofHead else { return out.put(raw: proof) }
        out.put(raw: UnsafeRawBufferPointer(rebasing: proof[..<rowOffset]))
        out.put(row)
        out.put(raw: UnsafeRawBufferPointer(rebasing: proof[(rowOffset + 2)...]))
    }

    static func row(of proof: [UInt8]) -> Int? {
        guard proof.count >= proofHead else { return nil }
        return Int(proof[rowOffset]) | Int(proof[rowOffset + 1]) << 8
    }
}
