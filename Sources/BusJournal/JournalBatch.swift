package import BusEvidence
package import BusProtocol

/// Records that will become durable together: one transaction, one fsync, one range of leaves.
///
/// The broker's core fills it and the leaves are hashed as it does; the journal writes it, off the core's thread. Frames are
/// only referred to.
package struct JournalBatch: Sendable {
    package struct Message: Sendable {
        package var frame: [UInt8]
        package var header: Range<Int>
        package var proof: Range<Int>
        /// The signed root of the proof, a row of the frame's table; empty where the message has no proof.
        package var signedRoot: Range<Int>
        package var body: Range<Int>
        package var receivedAt: Int64
        package var integration: UInt32
        package var stage: UInt8
        /// Commands and events keep their body; of requests and replies the digest is enough.
        package var keepsBody: Bool
        /// Hashed when the message is gathered, so that the thread that writes and syncs does not have to.
        let bodyDigest: Digest32
        package let leaf: Digest32
        package init(
            frame: [UInt8], header: Range<Int>, proof: Range<Int>, signedRoot: Range<Int> = 0..<0, body: Range<Int>,
            receivedAt: Int64,
            integration: UInt32 = .max, stage: UInt8 = 0, keepsBody: Bool = false
        ) {
            self.frame = frame
            self.header = header
            self.proof = proof
            self.signedRoot = signedRoot
            self.body = body
            self.receivedAt = receivedAt
            self.integration = integration
            self.stage = stage
            self.keepsBody = keepsBody
            (bodyDigest, leaf) = frame.withUnsafeBytes { bytes in
                let digest = LogHash.body(UnsafeRawBufferPointer(rebasing: bytes[body]))
                let header = UnsafeRawBufferPointer(rebasing: bytes[header])
                return (digest, LogHash.messageLeaf(header: header, bodyDigest: digest))
            }
        }

        /// The same, counted for an integration of the space in force.
        package func counted(_ integration: UInt32, _ stage: UInt8, keepsBody: Bool = false) -> Message {
            var message = self
            message.integration = integration
            message.stage = stage
            message.keepsBody = keepsBody
            return message
        }
    }

    package enum Entry: Sendable {
        case message(Message)
        case finished(FinishedRecord)
        case record(RecordType, [UInt8])
    }

    package private(set) var entries: [Entry] = []

    package init() {}

    package var count: Int { entries.count }
    package var isEmpty: Bool { entries.isEmpty }

    /// Returns the record's index within the batch; its position is the batch's first position + index.
    @discardableResult
    package mutating func append(_ entry: Entry) -> Int {
        entries.append(entry)
        return entries.count - 1
    }
}

/// What a commit made true.
package struct Committed: Sendable, Equatable {
    /// Position of the batch's first record, from 1.
    package var firstPosition: UInt64
    /// Records in the log now.
    package var treeSize: UInt64
    package var root: Digest32

    package init(firstPosition: UInt64, treeSize: UInt64, root: Digest32) {
        self.firstPosition = firstPosition
        self.treeSize = treeSize
        self.root = root
    }
}

/// A batch in the form it is written: the blob, its leaves' effect on the tree, and the bodies to keep.
///
/// Blob: "KRGB", u8 version, 3 × 0, u32 count; versions 2 and 3: u32 number of signed roots, the roots (116 bytes each); then per
/// record: u8 type, u8 0, u16 0, u32 size, payload. Version 1 is written where no message has a proof, version 3 where paths join
/// (`SharedPaths`): version 2 is the same with whole paths.
package struct EncodedBatch: Sendable {
    static let magic: UInt32 = 0x4247_524b  // "KRGB" as bytes
    static let headSize = 12
    static let recordHead = 8
    static let withoutRoots: UInt32 = 1
    static let withRoots: UInt32 = 2
    static let withSharedPaths: UInt32 = 3

    package private(set) var blob: [UInt8]
    package private(set) var bodies: [(index: Int, bytes: ArraySlice<UInt8>)] = []
    /// Positions whose bodies leave with this batch.
    package private(set) var erased: [UInt64] = []

    package init(_ batch: JournalBatch, appendingTo log: inout MerkleLog) {
        let roots = SignedRootRows(batch)
        let paths = SharedPaths(batch)
        var size = Self.headSize + roots.size
        for (index, entry) in batch.entries.enumerated() {
            size += Self.recordHead
            switch entry {
            case .message(let message):
                size += MessageRecord.fixedSize + message.header.count + message.proof.count - paths.size(of: index)
                if message.keepsBody { bodies.append((index, message.frame[message.body])) }
            case .finished:
                size += FinishedRecord.size
            case .record(let type, let payload):
                size += payload.count
                if type == .erased { erased += Self.erased(payload) }
            }
        }
        blob = Self.write(batch, roots, paths, size: size, appendingTo: &log)
    }

    private static func write(
        _ batch: JournalBatch, _ roots: SignedRootRows, _ paths: SharedPaths, size: Int,
        appendingTo log: inout MerkleLog
    ) -> [UInt8] {
        [UInt8](writing: size) { out in
            out.put(Self.magic)
            out.put(roots.isEmpty ? Self.withoutRoots : paths.isEmpty ? Self.withRoots : Self.withSharedPaths)
            out.put(UInt32(batch.count))
            roots.write(into: &out)
            for (index, entry) in batch.entries.enumerated() {
                switch entry {
                case .message(let message):
                    log.append(Self.write(message, roots.row(of: index), shared: paths.count(of: index), into: &out))
                case .finished(let record):
                    let start = Self.open(.finished, FinishedRecord.size, &out)
                    record.write(into: &out)
                    log.append(Self.leaf(.finished, out.written(from: start)))
                case .record(let type, let payload):
                    let start = Self.open(type, payload.count, &out)
                    out.put(raw: payload)
                    log.append(Self.leaf(type, out.written(from: start)))
                }
            }
        }
    }

    private static func erased(_ payload: [UInt8]) -> [UInt64] {
        payload.withUnsafeBytes { raw in
            var reader = ByteReader(raw)
            return (try? ErasedRecord(&reader))?.positions ?? []
        }
    }

    private static func open(_ type: RecordType, _ size: Int, _ out: inout ByteCursor) -> Int {
        out.put(type.rawValue)
        out.put(UInt8(0))
        out.put(UInt16(0))
        out.put(UInt32(size))
        return out.count
    }

    private static func leaf(_ type: RecordType, _ payload: UnsafeRawBufferPointer) -> Digest32 {
        LogHash.recordLeaf(type: type.rawValue, payload: payload)
    }

    private static func write(
        _ message: JournalBatch.Message, _ row: UInt16, shared: Int, into out: inout ByteCursor
    ) -> Digest32 {
        let header = message.header
        let proof = message.proof.dropLast(shared * Digest32.size)
        _ = open(.message, MessageRecord.fixedSize + header.count + proof.count, &out)
        out.put(message.receivedAt)
        out.put(message.stage)
        out.put(UInt8(0))
        out.put(UInt16(header.count))
        out.put(UInt16(proof.count))
        out.put(UInt16(shared))
        out.put(message.integration)
        out.put(UInt32(message.body.count))
        withUnsafeBytes(of: message.bodyDigest) { out.put(raw: $0) }
        message.frame.withUnsafeBytes { frame in
            out.put(raw: UnsafeRawBufferPointer(rebasing: frame[header]))
            SignedRootRows.write(proof: UnsafeRawBufferPointer(rebasing: frame[proof]), row, into: &out)
        }
        return message.leaf
    }
}

/// A stored batch read back record by record.
package struct StoredBatch: Sendable {
    package var firstPosition: UInt64
    package var committedAt: Int64
    package var records: [UInt8]

    package init(firstPosition: UInt64, committedAt: Int64, records: [UInt8]) {
        self.firstPosition = firstPosition
        self.committedAt = committedAt
        self.records = records
    }

    /// Records as the head says; 0 when there is no head.
    var count: Int64 {
        guard records.count >= EncodedBatch.headSize else { return 0 }
        return records.withUnsafeBytes {
            Int64(UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt32.self)))
        }
    }

    /// Reads to the first record.
    private func head(
        _ reader: inout ByteReader
    ) throws(Fault) -> (count: UInt32, roots: Range<Int>, joinsPaths: Bool) {
        guard try reader.take(UInt32.self) == EncodedBatch.magic else {
            throw Fault(.storageFailed, at: .broker, "the batch at \(firstPosition) does not begin with KRGB")
        }
        let version = try reader.take(UInt32.self)
        let count = try reader.take(UInt32.self)
        switch version {
        case EncodedBatch.withoutRoots: return (count, 0..<0, false)
        case EncodedBatch.withRoots, EncodedBatch.withSharedPaths:
            let roots = try reader.takeRange(Int(try reader.take(UInt32.self)) * SignedRoot.size)
            return (count, roots, version == EncodedBatch.withSharedPaths)
        default:
            throw Fault(
                .storageFailed, at: .broker, "the batch at \(firstPosition) is of version \(version), 1 to 3 are known"
            )
        }
    }

    /// The signed root a stored proof refers to, 116 bytes; empty where there is none.
    func signedRoot(of proof: [UInt8]) -> [UInt8] {
        records.withUnsafeBytes { raw in
            var reader = ByteReader(raw)
            guard let roots = try? head(&reader).roots, let row = SignedRootRows.row(of: proof) else { return [] }
            let start = roots.lowerBound + row * SignedRoot.size
            guard start + SignedRoot.size <= roots.upperBound else { return [] }
            return Array(records[start..<start + SignedRoot.size])
        }
    }

    /// Calls `each` with position, type number and a reader over the payload. Throws where the blob is damaged.
    package func forEach(_ each: (UInt64, UInt8, inout ByteReader) throws(Fault) -> Void) throws(Fault) {
        let result: Result<Void, Fault> = records.withUnsafeBytes { raw in
            do throws(Fault) {
                var reader = ByteReader(raw)
                let (count, _, joinsPaths) = try head(&reader)
                var paths = WholePaths()
                for index in 0..<UInt64(count) {
                    let type = try reader.take(UInt8.self)
                    _ = try reader.takeRange(3)
                    let range = try reader.takeRange(Int(reader.take(UInt32.self)))
                    let position = firstPosition + index
                    guard joinsPaths, type == RecordType.message.rawValue else {
                        var payload = ByteReader(raw, from: range.lowerBound, to: range.upperBound)
                        try each(position, type, &payload)
                        continue
                    }
                    let whole = try paths.complete(UnsafeRawBufferPointer(rebasing: raw[range]), at: position)
                    try whole.reading { payload throws(Fault) in try each(position, type, &payload) }
                }
                guard reader.remaining == 0 else {
                    throw Fault(.storageFailed, at: .broker, "the batch at \(firstPosition) is longer than its records")
                }
                return .success(())
            } catch { return .failure(error) }
        }
        try result.get()
    }
}

extension [UInt8] {
    fileprivate func reading(_ body: (inout ByteReader) throws(Fault) -> Void) throws(Fault) {
        let result: Result<Void, Fault> = withUnsafeBytes { raw in
            var reader = ByteReader(raw)
            do throws(Fault) { return .success(try body(&reader)) } catch { return .failure(error) }
        }
        try result.get()
    }
}
