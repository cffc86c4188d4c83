/// A signed root of a sender's batch: 116 bytes in the table at the start of E; proofs refer to it by index.
@usableFromInline
package struct SignedRoot: Sendable, Equatable {
    @inlinable package static var size: Int { 116 }
    @inlinable package static var signatureSize: Int { 64 }
    /// Where the signature begins; all before it is what is signed.
    @inlinable package static var signatureOffset: Int { size - signatureSize }
    package var root: [UInt8]
    package var keyID: UInt64
    package var batchSize: UInt32
    /// The sender's clock, Unix milliseconds.
    package var signedAt: Int64
    package var signature: [UInt8]

    package init(root: [UInt8], keyID: UInt64, batchSize: UInt32, signedAt: Int64, signature: [UInt8]) {
        self.root = root
        self.keyID = keyID
        self.batchSize = batchSize
        self.signedAt = signedAt
        self.signature = signature
    }

    /// - Precondition: root and signature have 32 and 64 bytes.
    package func encoded() -> [UInt8] {
        precondition(root.count == 32 && signature.count == Self.signatureSize, "a signed root has 116 bytes")
        return [UInt8](writing: Self.size) { out in
            out.put(raw: root)
            out.put(keyID)
            out.put(batchSize)
            out.put(signedAt)
            out.put(raw: signature)
        }
    }

    /// The time in a row of a frame's table, read in place.
    package static func signedAt(of row: Slice<UnsafeRawBufferPointer>) -> Int64 {
        precondition(row.count == size, "a signed root has 116 bytes")
        let row = UnsafeRawBufferPointer(rebasing: row)
        return Int64(littleEndian: row.loadUnaligned(fromByteOffset: 44, as: Int64.self))
    }

    package init(_ reader: inout ByteReader) throws(Fault) {
        root = try reader.takeArray(32)
        keyID = try reader.take()
        batchSize = try reader.take()
        signedAt = try reader.take()
        signature = try reader.takeArray(Self.signatureSize)
    }
}

/// The table of signed roots at the start of E: each root once, in the order of its first use.
struct RootTable {
    /// u8 suite, u8 count, u16 row of this table, u32 leaf: what stands before the path of a proof.
    static let proofHead = 8

    private var rows: [ArraySlice<UInt8>] = []
    /// The row of each envelope; empty when no envelope has a proof.
    private var rowOfEnvelope: [UInt16] = []

    /// Costs nothing but the look at each envelope when none has a proof.
    init(_ envelopes: UnsafeBufferPointer<OutgoingEnvelope>) {
        guard envelopes.contains(where: { $0.hasProof }) else { return }
        rowOfEnvelope.reserveCapacity(envelopes.count)
        for index in envelopes.indices {
            rowOfEnvelope.append(envelopes[index].hasProof ? row(for: envelopes[index].signedRoot) : 0)
        }
    }

    /// Neighbours mostly share a root, so the search goes backwards. Two roots differ in their first bytes, so that even a
    /// frame of nothing but different roots is searched quickly.
    private mutating func row(for root: ArraySlice<UInt8>) -> UInt16 {
        if let known = rows.lastIndex(of: root) { return UInt16(known) }
        rows.append(root)
        return UInt16(rows.count - 1)
    }

    var size: Int { rows.count * SignedRoot.size }

    func write(into out: inout ByteCursor) {
        out.put(UInt16(rows.count))
        out.put(UInt16(0))
        for row in rows { out.put(raw: row) }
    }

    /// The proof with this table's row in it.
    func write(proof: ArraySlice<UInt8>, of envelope: Int, into out: inout ByteCursor) {
        proof.withUnsafeBytes { bytes in
            out.put(bytes[0])
            out.put(bytes[1])
            out.put(rowOfEnvelope[envelope])
            out.put(raw: UnsafeRawBufferPointer(rebasing: bytes[4...]))
        }
    }

    /// Where in a received frame the row stands that a proof refers to; empty where it refers to none.
    static func row(of proof: Range<Int>, in table: Range<Int>, _ frame: UnsafeRawBufferPointer) -> Range<Int> {
        guard !table.isEmpty, proof.count >= proofHead else { return 0..<0 }
        let row = frame.loadUnaligned(fromByteOffset: proof.lowerBound + 2, as: UInt16.self)
        let start = table.lowerBound + Int(UInt16(littleEndian: row)) * SignedRoot.size
        guard start + SignedRoot.size <= table.upperBound else { return 0..<0 }
        return start..<start + SignedRoot.size
    }
}
