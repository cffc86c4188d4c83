/// The times of a message's way through the broker, Unix microseconds; 0 where it has not been.
package struct HopTimes: Sendable, Equatable, Codable {
    /// The request arrived at the broker.
    package var requestIn: Int64 = 0
    /// The request left for the provider.
    package var requestOut: Int64 = 0
    /// The reply arrived.
    package var replyIn: Int64 = 0
    /// The reply left for the consumer.
    package var replyOut: Int64 = 0
    package init() {}
}

/// What the broker adds to a message, unsigned: 40 bytes in DELIVER, absent in SUBMIT.
@usableFromInline
package struct Annotations: Sendable, Equatable {
    @inlinable package static var size: Int { 40 }
    /// Position in the journal, from 1.
    package var position: UInt64 = 0
    /// 1 for the first delivery.
    package var attempt: UInt16 = 0
    package var requestIn: Int64 = 0
    package var requestOut: Int64 = 0
    package var replyIn: Int64 = 0
    package init() {}

    package init(_ reader: inout ByteReader) throws(Fault) {
        position = try reader.take()
        attempt = try reader.take()
        _ = try reader.takeRange(6)
        requestIn = try reader.take()
        requestOut = try reader.take()
        replyIn = try reader.take()
    }

    func write(into out: inout ByteCursor) {
        out.put(position)
        out.put(attempt)
        out.put(UInt16(0))
        out.put(UInt32(0))
        out.put(requestIn)
        out.put(requestOut)
        out.put(replyIn)
    }
}

/// One envelope of a received frame, by ranges: header, proof, annotations and body stay where they arrived.
package struct EnvelopeView: Sendable {
    package let header: HeaderView
    package let proof: Range<Int>
    /// The signed root that the proof refers to, 116 bytes in the frame's table; empty where it refers to none.
    package let signedRoot: Range<Int>
    package let annotations: Range<Int>
    package let body: Range<Int>

    /// Bytes that count against credit.
    package var cost: Int { header.range.count + body.count }
}

/// One envelope to be sent. `head` and `body` are whole arrays or slices of the frame they came in.
package struct OutgoingEnvelope: Sendable {
    package var header: ArraySlice<UInt8>
    /// As it came or was made; which row of the table it refers to is written anew for every frame.
    package var proof: ArraySlice<UInt8> = []
    /// The signed root of the proof, 116 bytes. A proof without it proves nothing and is left out of the frame.
    package var signedRoot: ArraySlice<UInt8> = []
    package var annotations: Annotations?
    package var body: ArraySlice<UInt8>

    package init(header: ArraySlice<UInt8>, body: ArraySlice<UInt8>, annotations: Annotations? = nil) {
        self.header = header
        self.body = body
        self.annotations = annotations
    }

    package var cost: Int { header.count + body.count }
    var hasProof: Bool { proof.count >= RootTable.proofHead && signedRoot.count == SignedRoot.size }
    fileprivate var proofSize: Int { hasProof ? proof.count : 0 }
    fileprivate var entrySize: Int {
        EnvelopeFrame.entryHead + header.count + proofSize + (annotations == nil ? 0 : Annotations.size)
    }
}

/// Reading and writing frames that carry envelopes: SUBMIT and DELIVER.
///
/// E = u16 number of signed roots, u16 0, the roots, then per envelope: u16 header size, u16 proof size,
/// u8 annotations size, u8 0, u16 0, u32 body offset in B, u32 body size, header, proof, annotations.
///
/// Proofs are carried, not checked: that is for whoever knows the senders' keys.
@usableFromInline
package enum EnvelopeFrame {
    @inlinable package static var entryHead: Int { 16 }
    @inlinable package static var entriesHead: Int { 4 }

    package static func encode(_ head: FrameHead, _ envelopes: some Collection<OutgoingEnvelope>) -> [UInt8] {
        // Mostly an array: walking it through the collection's witness table would cost more than writing it.
        if let frame = envelopes.withContiguousStorageIfAvailable({ write(head, $0) }) { return frame }
        return Array(envelopes).withUnsafeBufferPointer { write(head, $0) }
    }

    private static func write(_ head: FrameHead, _ envelopes: UnsafeBufferPointer<OutgoingEnvelope>) -> [UInt8] {
        var head = head
        let table = RootTable(envelopes)
        var entries = entriesHead + table.size
        var bodies = 0
        for index in envelopes.indices {
            entries += envelopes[index].entrySize
            bodies += envelopes[index].body.count
        }
        head.count = UInt32(envelopes.count)
        head.entriesSize = UInt32(entries)
        head.bodiesSize = UInt32(bodies)
        return [UInt8](writing: FrameHead.size + entries + bodies) { out in
            head.write(into: &out)
            table.write(into: &out)
            var bodyOffset: UInt32 = 0
            for index in envelopes.indices {
                write(envelopes[index], index, bodyOffset: bodyOffset, table, into: &out)
                bodyOffset += UInt32(envelopes[index].body.count)
            }
            for index in envelopes.indices { out.put(raw: envelopes[index].body) }
        }
    }

    @inline(__always)
    private static func write(
        _ envelope: OutgoingEnvelope, _ index: Int, bodyOffset: UInt32, _ table: RootTable, into out: inout ByteCursor
    ) {
        out.put(UInt16(envelope.header.count))
        out.put(UInt16(envelope.proofSize))
        out.put(UInt8(envelope.annotations == nil ? 0 : Annotations.size))
        out.put(UInt8(0))
        out.put(UInt16(0))
        out.put(bodyOffset)
        out.put(UInt32(envelope.body.count))
        out.put(raw: envelope.header)
        if envelope.hasProof { table.write(proof: envelope.proof, of: index, into: &out) }
        envelope.annotations?.write(into: &out)
    }

    /// Reads every entry, or throws where the frame as a whole cannot be trusted. An envelope whose own header is
    /// bad is reported by its index and does not spoil its neighbours.
    ///
    /// - Returns: bytes of header and body of all its messages, also of the bad ones: what the frame counts against
    ///   credit.
    @discardableResult
    package static func decode(
        _ frame: UnsafeRawBufferPointer, _ head: FrameHead,
        _ each: (Int, Result<EnvelopeView, Fault>) -> Void
    ) throws(Fault) -> Int {
        let entriesEnd = FrameHead.size + Int(head.entriesSize)
        var reader = ByteReader(frame, from: FrameHead.size, to: entriesEnd)
        let roots = Int(try reader.take(UInt16.self))
        _ = try reader.take(UInt16.self)
        let table = try reader.takeRange(roots * SignedRoot.size)
        // Walk once for the frame's shape, so that nothing is taken from a frame that turns out to be cut.
        var shape = reader
        var bodiesEnd = entriesEnd
        var cost = 0
        for _ in 0..<head.count {
            let parts = try entry(&shape, bodies: Int(head.bodiesSize), from: entriesEnd)
            // Bodies stand in order without gap or overlap: a frame never stands for more or fewer bytes than it carries.
            guard parts.body.lowerBound == bodiesEnd else {
                throw Fault(.badFrame, at: .unknown, "a body does not begin where the one before it ends")
            }
            bodiesEnd = parts.body.upperBound
            cost += parts.header.count + parts.body.count
        }
        guard shape.remaining == 0, bodiesEnd == entriesEnd + Int(head.bodiesSize) else {
            throw Fault(
                .badFrame, at: .unknown,
                "\(shape.remaining) bytes stand behind the last envelope, "
                    + "\(entriesEnd + Int(head.bodiesSize) - bodiesEnd) behind the last body")
        }
        for index in 0..<Int(head.count) {
            let parts = try entry(&reader, bodies: Int(head.bodiesSize), from: entriesEnd)
            do throws(Fault) {
                let header = try HeaderView(frame, in: parts.header)
                guard parts.body.count <= Limits.body else {
                    throw Fault(
                        .bodyTooLarge, at: .unknown,
                        "the body is \(parts.body.count) bytes, at most \(Limits.body) are possible")
                }
                let view = EnvelopeView(
                    header: header, proof: parts.proof,
                    signedRoot: RootTable.row(of: parts.proof, in: table, frame), annotations: parts.annotations,
                    body: parts.body)
                each(index, .success(view))
            } catch {
                each(index, .failure(error))
            }
        }
        return cost
    }

    private typealias Parts = (header: Range<Int>, proof: Range<Int>, annotations: Range<Int>, body: Range<Int>)

    private static func entry(_ reader: inout ByteReader, bodies: Int, from entriesEnd: Int) throws(Fault) -> Parts {
        guard reader.remaining >= entryHead else {
            // Said of the first field that is cut.
            for bytes in [2, 2, 1, 3, 4] { _ = try reader.takeRange(bytes) }
            throw reader.short(4)
        }
        let place = try reader.takeRange(entryHead)
        let fixed = UnsafeRawBufferPointer(rebasing: reader.bytes[place])
        let header = Int(fixed.number(at: 0, as: UInt16.self))
        let proof = Int(fixed.number(at: 2, as: UInt16.self))
        let annotations = Int(fixed[4])
        let offset = Int(fixed.number(at: 8, as: UInt32.self))
        let size = Int(fixed.number(at: 12, as: UInt32.self))
        guard header <= Limits.header, proof <= Limits.proof else {
            throw Fault(.badFrame, at: .unknown, "a header of \(header) or a proof of \(proof) bytes is over its limit")
        }
        guard annotations == 0 || annotations >= Annotations.size else {
            throw Fault(
                .badFrame, at: .unknown,
                "annotations of \(annotations) bytes; none or at least \(Annotations.size) are possible")
        }
        guard offset + size <= bodies else {
            throw Fault(
                .badFrame, at: .unknown, "a body at \(offset) of \(size) bytes is not inside the \(bodies) bytes of B")
        }
        return (
            try reader.takeRange(header), try reader.takeRange(proof), try reader.takeRange(annotations),
            entriesEnd + offset..<entriesEnd + offset + size
        )
    }
}
