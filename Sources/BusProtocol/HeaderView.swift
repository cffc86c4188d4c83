/// A header read in place: the offsets of its fields within a frame, nothing copied.
///
/// The broker routes a hundred thousand messages a second by a handful of fields; making strings of all of them
/// would cost more than the rest of the way.
@usableFromInline
package struct HeaderView: Sendable {
    /// Where the header stands in the frame.
    package let range: Range<Int>
    package let kind: MessageKind
    package let priority: UInt8
    @usableFromInline package let sealSuite: UInt8
    @usableFromInline package let present: UInt32
    package let id: MessageID
    package let created: Int64
    package let outcome: UInt16
    package let remaining: UInt32
    package private(set) var correlation: MessageID = .none
    /// Byte ranges within the frame; empty when absent.
    package private(set) var target: Range<Int> = 0..<0
    package private(set) var consumer: Range<Int> = 0..<0
    package private(set) var provider: Range<Int> = 0..<0
    /// The items of the extensions, without the size before them.
    private var extensions: Range<Int> = 0..<0
    /// Where the key epoch stands, or would stand, and the other numbers behind it.
    private var numbers = 0

    /// Reads and checks a header. Extensions that are not critical are skipped; every byte must be accounted for.
    package init(_ frame: UnsafeRawBufferPointer, in range: Range<Int>) throws(Fault) {
        guard range.count >= Header.fixedSize, range.count <= Limits.header else {
            throw Self.bad("its size is \(range.count) bytes; \(Header.fixedSize) to \(Limits.header) are possible")
        }
        var reader = ByteReader(frame, from: range.lowerBound, to: range.upperBound, fault: .badHeader)
        self.range = range
        // One look at the end for all of the fixed part.
        let place = try reader.takeRange(Header.fixedSize)
        let fixed = UnsafeRawBufferPointer(rebasing: frame[place])
        let format = fixed[0]
        guard format == Header.format else { throw Self.bad("format \(format); this side reads \(Header.format)") }
        guard let kind = MessageKind(rawValue: fixed[1]) else { throw Self.bad("unknown kind of message") }
        self.kind = kind
        priority = fixed[2]
        guard priority <= 9 else { throw Self.bad("priority \(priority); 0 to 9 are possible") }
        sealSuite = fixed[3]
        present = fixed.number(at: 4, as: UInt32.self)
        id = MessageID(value: fixed.id(at: 8))
        created = fixed.number(at: 24, as: Int64.self)
        outcome = fixed.number(at: 32, as: UInt16.self)
        guard fixed.number(at: 34, as: UInt16.self) == 0 else { throw Self.bad("the reserved field is not zero") }
        remaining = fixed.number(at: 36, as: UInt32.self)
        guard remaining <= Limits.deadlineMilliseconds else {
            throw Self.bad("\(remaining) ms remain; at most \(Limits.deadlineMilliseconds) are possible")
        }
        guard present & ~Header.Field.everyBit == 0 else { throw Self.bad("unknown fields are marked present") }
        if has(.correlation) { correlation = try Self.takeMarkedID(&reader) }
        numbers = reader.offset + sizeBeforeNumbers
        try skipFixed(&reader)
        if has(.target) { target = try Self.takeName(&reader, frame) }
        if has(.consumer) { consumer = try Self.takeName(&reader, frame) }
        if has(.provider) { provider = try Self.takeName(&reader, frame) }
        if present & (Header.Field.purpose.bit | Header.Field.consent.bit | Header.Field.user.bit) != 0 {
            for field in [Header.Field.purpose, .consent, .user] where has(field) {
                guard try !reader.takeShortText().isEmpty else {
                    throw Self.bad("\(field) is marked present and empty")
                }
            }
        }
        if has(.extensions) { extensions = try Self.takeExtensions(&reader) }
        guard reader.remaining == 0 else { throw Self.bad("\(reader.remaining) bytes stand behind the last field") }
        guard id.isVersion7 else {
            throw Fault(.badIdentifier, at: .unknown, "the id \(id) is not a UUID of version 7")
        }
    }

    @inlinable package var isSealed: Bool { sealSuite == 1 }
    /// Epoch and counter are said, without which nobody opens it.
    @inlinable package var namesSeal: Bool { has(.keyEpoch) && has(.counter) }

    @inlinable @inline(__always)
    package func has(_ field: Header.Field) -> Bool { present & field.bit != 0 }

    /// Where the value of the first extension of this type stands in the frame; `nil` where there is none.
    package func extensionValue(_ type: UInt16, in frame: UnsafeRawBufferPointer) -> Range<Int>? {
        var offset = extensions.lowerBound
        // Whole items: the header was read to its end.
        while offset < extensions.upperBound {
            let found = UInt16(littleEndian: frame.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
            let size = Int(UInt16(littleEndian: frame.loadUnaligned(fromByteOffset: offset + 2, as: UInt16.self)))
            if found == type { return offset + 4..<offset + 4 + size }
            offset += 4 + size
        }
        return nil
    }

    /// One of the fields of 8 bytes: `keyEpoch`, `counter`, `publisherSequence`.
    package func number(_ field: Header.Field, in frame: UnsafeRawBufferPointer) -> UInt64? {
        guard has(field) else { return nil }
        var offset = numbers
        switch field {
        case .keyEpoch: break
        case .counter: offset += size(.keyEpoch, 8)
        case .publisherSequence: offset += size(.keyEpoch, 8) + size(.counter, 8)
        default: preconditionFailure("\(field) is no number")
        }
        return frame.number(at: offset, as: UInt64.self)
    }

    /// Sizes of the fixed-size optional fields behind `correlation`, in the order of their bits.
    private static let fixedSizes: [(Header.Field, Int)] = [
        (.causation, 16), (.expiry, 8), (.orderKey, 16), (.subjectReference, 16), (.contractDigest, 32), (.keyEpoch, 8),
        (.counter, 8), (.publisherSequence, 8), (.chunk, 24), (.replaces, 16), (.traceparent, 26),
    ]

    /// What a field takes here: nothing where it is absent.
    @inline(__always)
    private func size(_ field: Header.Field, _ bytes: Int) -> Int { has(field) ? bytes : 0 }

    /// Of the fields between `correlation` and `keyEpoch`.
    @inline(__always)
    private var sizeBeforeNumbers: Int {
        size(.causation, 16) + size(.expiry, 8) + size(.orderKey, 16) + size(.subjectReference, 16)
            + size(.contractDigest, 32)
    }

    @inline(__always)
    private func skipFixed(_ reader: inout ByteReader) throws(Fault) {
        guard present & (Header.Field.causation.bit | Header.Field.replaces.bit) == 0 else {
            return try skipFixedWithIDs(&reader)
        }
        // Nothing of these is looked at here: their sizes are added up, which takes neither a loop nor a branch.
        let sizeOfNumbers = size(.keyEpoch, 8) + size(.counter, 8) + size(.publisherSequence, 8)
        _ = try reader.takeRange(sizeBeforeNumbers + sizeOfNumbers + size(.chunk, 24) + size(.traceparent, 26))
    }

    /// The same where there are ids, which must not be zero: each at its turn.
    private func skipFixedWithIDs(_ reader: inout ByteReader) throws(Fault) {
        var size = 0
        for (field, bytes) in Self.fixedSizes where has(field) {
            if field == .causation || field == .replaces {
                _ = try reader.takeRange(size)
                _ = try Self.takeMarkedID(&reader)
                size = 0
            } else {
                size += bytes
            }
        }
        _ = try reader.takeRange(size)
    }

    /// An id whose presence bit is set. Zero means "absent" and would be a second way to write that.
    @inline(__always)
    private static func takeMarkedID(_ reader: inout ByteReader) throws(Fault) -> MessageID {
        let id = MessageID(value: try reader.takeID())
        guard id != .none else { throw bad("an id is marked present and zero") }
        return id
    }

    /// A name whose presence bit is set: not empty and ASCII, so that it compares byte by byte and can always be shown.
    @inline(__always)
    private static func takeName(_ reader: inout ByteReader, _ frame: UnsafeRawBufferPointer) throws(Fault) -> Range<
        Int
    > {
        let range = try reader.takeRange(Int(reader.take(UInt8.self)))
        guard !range.isEmpty else { throw bad("a name is marked present and empty") }
        guard isASCII(frame, range) else { throw bad("a name is not ASCII") }
        return range
    }

    /// Eight bytes at once: a header has three names of some twenty bytes.
    @inline(__always)
    private static func isASCII(_ frame: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool {
        var bits: UInt64 = 0
        var at = range.lowerBound
        while at + 8 <= range.upperBound {
            bits |= frame.loadUnaligned(fromByteOffset: at, as: UInt64.self)
            at += 8
        }
        while at < range.upperBound {
            bits |= UInt64(frame[at])
            at += 1
        }
        return bits & 0x8080_8080_8080_8080 == 0
    }

    private static func takeExtensions(_ reader: inout ByteReader) throws(Fault) -> Range<Int> {
        let size = Int(try reader.take(UInt16.self))
        guard size == reader.remaining else {
            throw bad("the extensions' length is \(size), \(reader.remaining) bytes are left")
        }
        guard size > 0 else { throw bad("extensions are marked present and there are none") }
        let start = reader.offset
        while reader.remaining > 0 {
            let type = try reader.take(UInt16.self)
            let length = Int(try reader.take(UInt16.self))
            _ = try reader.takeRange(length)
            guard type & Header.Extension.criticalBit == 0 else {
                throw Fault(
                    .unknownCriticalExtension, at: .unknown, "extension \(type & 0x7fff) is critical and not known here"
                )
            }
        }
        return start..<start + size
    }

    package static func bad(_ why: String) -> Fault {
        Fault(.badHeader, at: .unknown, "the header is not readable: \(why)")
    }
}

extension Header {
    /// Reads every field. For edges and tools; the broker reads `HeaderView`.
    package init(decoding bytes: [UInt8]) throws(Fault) {
        let result: Result<Header, Fault> = bytes.withUnsafeBytes { raw in
            do throws(Fault) { return .success(try Header(decoding: raw, in: 0..<raw.count)) } catch {
                return .failure(error)
            }
        }
        self = try result.get()
    }

    package init(decoding frame: UnsafeRawBufferPointer, in range: Range<Int>) throws(Fault) {
        let view = try HeaderView(frame, in: range)
        self.init(kind: view.kind, id: view.id, created: view.created)
        priority = view.priority
        sealSuite = view.sealSuite
        outcome = view.outcome
        remaining = view.remaining
        correlation = view.correlation
        var reader = ByteReader(frame, from: range.lowerBound + Self.fixedSize, to: range.upperBound, fault: .badHeader)
        if view.has(.correlation) { _ = try reader.takeID() }
        if view.has(.causation) { causation = MessageID(value: try reader.takeID()) }
        if view.has(.expiry) { expiry = try reader.take(Int64.self) }
        if view.has(.orderKey) { orderKey = try reader.takeID() }
        if view.has(.subjectReference) { subjectReference = try reader.takeID() }
        if view.has(.contractDigest) { contractDigest = try reader.takeArray(32) }
        if view.has(.keyEpoch) { keyEpoch = try reader.take(UInt64.self) }
        if view.has(.counter) { counter = try reader.take(UInt64.self) }
        if view.has(.publisherSequence) { publisherSequence = try reader.take(UInt64.self) }
        if view.has(.chunk) {
            chunk = Chunk(
                id: try reader.takeID(), index: try reader.take(UInt32.self), total: try reader.take(UInt32.self))
        }
        if view.has(.replaces) { replaces = MessageID(value: try reader.takeID()) }
        if view.has(.traceparent) { traceparent = try reader.takeArray(26) }
        if view.has(.target) { target = try reader.takeShortText() }
        if view.has(.consumer) { consumer = try reader.takeShortText() }
        if view.has(.provider) { provider = try reader.takeShortText() }
        if view.has(.purpose) { purpose = try reader.takeShortText() }
        if view.has(.consent) { consent = try reader.takeShortText() }
        if view.has(.user) { user = try reader.takeShortText() }
        if view.has(.extensions) {
            _ = try reader.take(UInt16.self)
            while reader.remaining > 0 {
                let type = try reader.take(UInt16.self)
                let length = Int(try reader.take(UInt16.self))
                extensions.append(Extension(type: type, value: try reader.takeArray(length)))
            }
        }
    }
}
