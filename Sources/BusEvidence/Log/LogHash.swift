package import BusProtocol

/// Hashes of the log, domain-separated as in RFC 9162 section 2.1: 0x00 before a leaf, 0x01 before two children.
package enum LogHash {
    /// Root of the empty log: SHA-256 of nothing.
    package static let empty = body(UnsafeRawBufferPointer(start: nil, count: 0))

    /// SHA-256 of a body, as it travelled (sealed, once seals are on).
    package static func body(_ bytes: UnsafeRawBufferPointer) -> Digest32 {
        var hash = SHA256Hash()
        hash.update(bytes)
        return hash.finish()
    }

    /// Leaf of a message: H(0x00 ‖ header ‖ SHA-256(body)). The body may be erased later and the leaf still be checked.
    package static func messageLeaf(header: UnsafeRawBufferPointer, bodyDigest: Digest32) -> Digest32 {
        leaf(header, bodyDigest)
    }

    /// The same from header and body as they travel.
    package static func messageLeaf(header: some Sequence<UInt8>, body: some Sequence<UInt8>) -> Digest32 {
        let header = ContiguousArray(header)
        let digest = ContiguousArray(body).withUnsafeBytes { Self.body($0) }
        return header.withUnsafeBytes { messageLeaf(header: $0, bodyDigest: digest) }
    }

    /// The same of a message as it stands in a frame.
    package static func messageLeaf(_ message: EnvelopeView, in frame: UnsafeRawBufferPointer) -> Digest32 {
        messageLeaf(
            header: UnsafeRawBufferPointer(rebasing: frame[message.header.range]),
            bodyDigest: body(UnsafeRawBufferPointer(rebasing: frame[message.body])))
    }

    package static func messageLeaf(header: ArraySlice<UInt8>, body bytes: ArraySlice<UInt8>) -> Digest32 {
        header.withUnsafeBytes { header in
            bytes.withUnsafeBytes { messageLeaf(header: header, bodyDigest: body($0)) }
        }
    }

    /// Leaf of any other record: H(0x00 ‖ 0xff ‖ type ‖ payload). A header begins with its format, never 0xff, so no
    /// record can pass for a message.
    package static func recordLeaf(type: UInt8, payload: UnsafeRawBufferPointer) -> Digest32 {
        guard payload.count <= mostJoined else {
            var hash = SHA256Hash()
            withUnsafeBytes(of: (UInt8(0), UInt8(0xff), type)) { hash.update($0) }
            hash.update(payload)
            return hash.finish()
        }
        return withUnsafeTemporaryAllocation(byteCount: 3 + payload.count, alignment: 8) { input in
            input[0] = 0
            input[1] = 0xff
            input[2] = type
            UnsafeMutableRawBufferPointer(rebasing: input[3...]).copyMemory(from: payload)
            return body(UnsafeRawBufferPointer(input))
        }
    }

    /// Longest header or payload that is put together with what stands around it before it is hashed, bytes: each further call
    /// into the hash costs more than a copy. Together they stay on the stack.
    private static var mostJoined: Int { 900 }

    private static func leaf(_ header: UnsafeRawBufferPointer, _ digest: Digest32) -> Digest32 {
        guard header.count <= mostJoined else {
            var hash = SHA256Hash()
            hash.update(0 as UInt8)
            hash.update(header)
            hash.update(digest)
            return hash.finish()
        }
        return withUnsafeTemporaryAllocation(byteCount: 1 + header.count + Digest32.size, alignment: 8) { input in
            input[0] = 0
            UnsafeMutableRawBufferPointer(rebasing: input[1...]).copyMemory(from: header)
            input.storeBytes(of: digest, toByteOffset: 1 + header.count, as: Digest32.self)
            return body(UnsafeRawBufferPointer(input))
        }
    }

    package static func node(_ left: Digest32, _ right: Digest32) -> Digest32 { SHA256Hash.of(1, left, right) }

    /// Binds a batch to all before it: H(0x02 ‖ previous ‖ i64 time of the commit, little endian ‖ bytes). Covers also what
    /// the Merkle tree leaves out (times, proofs), so that no byte of the journal can change unseen.
    package static func chain(_ previous: Digest32, committedAt: Int64, _ bytes: UnsafeRawBufferPointer) -> Digest32 {
        var hash = SHA256Hash()
        hash.update(2 as UInt8)
        hash.update(previous)
        withUnsafeBytes(of: committedAt.littleEndian) { hash.update($0) }
        hash.update(bytes)
        return hash.finish()
    }

    /// Holds a saved view together: H(0x03 ‖ name ‖ 0x00 ‖ u64 position, little endian ‖ bytes).
    package static func view(_ name: String, position: UInt64, _ bytes: ArraySlice<UInt8>) -> Digest32 {
        var hash = SHA256Hash()
        hash.update([3] + Array(name.utf8) + [0])
        withUnsafeBytes(of: position.littleEndian) { hash.update($0) }
        bytes.withUnsafeBytes { hash.update($0) }
        return hash.finish()
    }
}
