package import BusProtocol
import Crypto

/// A SHA-256 value, 32 bytes, kept inline.
package struct Digest32: Hashable, Sendable {
    package static let size = 32
    package var a: UInt64 = 0
    package var b: UInt64 = 0
    package var c: UInt64 = 0
    package var d: UInt64 = 0

    package init() {}

    init(_ digest: SHA256.Digest) {
        self.init()
        digest.withUnsafeBytes { source in
            withUnsafeMutableBytes(of: &self) { $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[0..<32])) }
        }
    }

    /// `nil` when there are not exactly 32 bytes.
    package init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        self.init()
        withUnsafeMutableBytes(of: &self) { $0.copyBytes(from: bytes) }
    }

    /// The 32 bytes at `offset`, which must be inside.
    package init(in bytes: UnsafeRawBufferPointer, at offset: Int) {
        self = bytes.loadUnaligned(fromByteOffset: offset, as: Digest32.self)
    }

    package var bytes: [UInt8] { withUnsafeBytes(of: self) { Array($0) } }
}

/// Hashes of the log, domain-separated as in RFC 9162 section 2.1: 0x00 before a leaf, 0x01 before two children.
package enum LogHash {
    /// Root of the empty log: SHA-256 of nothing.
    package static let empty = Digest32(SHA256.hash(data: [UInt8]()))

    /// SHA-256 of a body, as it travelled (sealed, once seals are on).
    package static func body(_ bytes: UnsafeRawBufferPointer) -> Digest32 {
        var hash = SHA256()
        hash.update(bufferPointer: bytes)
        return Digest32(hash.finalize())
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
        var hash = SHA256()
        withUnsafeBytes(of: (UInt8(0), UInt8(0xff), type)) { hash.update(bufferPointer: $0) }
        hash.update(bufferPointer: payload)
        return Digest32(hash.finalize())
    }

    private static func leaf(_ header: UnsafeRawBufferPointer, _ digest: Digest32) -> Digest32 {
        var hash = SHA256()
        withUnsafeBytes(of: UInt8(0)) { hash.update(bufferPointer: $0) }
        hash.update(bufferPointer: header)
        withUnsafeBytes(of: digest) { hash.update(bufferPointer: $0) }
        return Digest32(hash.finalize())
    }

    package static func node(_ left: Digest32, _ right: Digest32) -> Digest32 {
        // One contiguous input: three calls into the hash cost more than two copies.
        withUnsafeTemporaryAllocation(byteCount: 65, alignment: 8) { input in
            input[0] = 1
            withUnsafeBytes(of: left) { UnsafeMutableRawBufferPointer(rebasing: input[1..<33]).copyMemory(from: $0) }
            withUnsafeBytes(of: right) { UnsafeMutableRawBufferPointer(rebasing: input[33..<65]).copyMemory(from: $0) }
            return Digest32(SHA256.hash(data: UnsafeRawBufferPointer(input)))
        }
    }

    /// Binds a batch to all before it: H(0x02 ‖ previous ‖ i64 time of the commit, little endian ‖ bytes). Covers also what
    /// the Merkle tree leaves out (times, proofs), so that no byte of the journal can change unseen.
    package static func chain(_ previous: Digest32, committedAt: Int64, _ bytes: UnsafeRawBufferPointer) -> Digest32 {
        var hash = SHA256()
        withUnsafeBytes(of: UInt8(2)) { hash.update(bufferPointer: $0) }
        withUnsafeBytes(of: previous) { hash.update(bufferPointer: $0) }
        withUnsafeBytes(of: committedAt.littleEndian) { hash.update(bufferPointer: $0) }
        hash.update(bufferPointer: bytes)
        return Digest32(hash.finalize())
    }

    /// Holds a saved view together: H(0x03 ‖ name ‖ 0x00 ‖ u64 position, little endian ‖ bytes).
    package static func view(_ name: String, position: UInt64, _ bytes: ArraySlice<UInt8>) -> Digest32 {
        var hash = SHA256()
        hash.update(data: [3] + Array(name.utf8) + [0])
        withUnsafeBytes(of: position.littleEndian) { hash.update(bufferPointer: $0) }
        bytes.withUnsafeBytes { hash.update(bufferPointer: $0) }
        return Digest32(hash.finalize())
    }
}

/// The append-only Merkle tree of RFC 9162 as its right edge: roots of the perfect subtrees, largest first.
///
/// Appending costs one node hash on average and 32 bytes × log₂(size) of memory, whatever the size of the log.
package struct MerkleLog: Sendable, Equatable {
    package private(set) var size: UInt64 = 0
    private var edge: [Digest32] = []

    package init() {}

    /// Resumes from a saved edge: one root for each bit set in `size`. `nil` when the counts differ.
    package init?(size: UInt64, edge: [Digest32]) {
        guard edge.count == size.nonzeroBitCount else { return nil }
        self.size = size
        self.edge = edge
    }

    package var savedEdge: [Digest32] { edge }

    package mutating func append(_ leaf: Digest32) {
        var carry = leaf
        // Each trailing 1 bit of the size is a perfect subtree of the same height as `carry`: join them.
        for _ in 0..<size.trailingOnes { carry = LogHash.node(edge.removeLast(), carry) }
        edge.append(carry)
        size += 1
    }

    /// Root over everything appended.
    package var root: Digest32 {
        guard var root = edge.last else { return LogHash.empty }
        for left in edge.dropLast().reversed() { root = LogHash.node(left, root) }
        return root
    }
}

extension UInt64 {
    fileprivate var trailingOnes: Int { (~self).trailingZeroBitCount }
}
