package import BusEvidence
package import BusProtocol

/// The header of one route, encoded once; each message copies it and fills in what differs.
///
/// The places are those of `Schemas/wire.md`: id at 8, created at 24, outcome at 32, remaining at 36, and the correlation,
/// when there is one, right behind the fixed part, and behind it the subject reference of a reply. A test holds them against
/// `Header.encoded()`.
package struct HeaderTemplate: Sendable {
    private let bytes: [UInt8]
    private let isReply: Bool
    /// Whether there is a place for a subject reference.
    private let hasSubject: Bool
    private static let subjectOffset = Header.fixedSize + 16
    /// Where epoch and counter stand; `nil` where nothing is sealed.
    private let sealOffset: Int?
    /// Where the target stands in every header made of it; `nil` where there is none.
    let target: Range<Int>?
    /// In the place of the id: only a header with an id of version 7 can be read.
    private static let anyID = MessageID(value: UInt128(7) << 76 | UInt128(0b10) << 62)

    /// - Parameters:
    ///   - header: its id, created, outcome, remaining, correlation and subject reference are only placeholders.
    ///   - isSealed: with places for epoch and counter.
    package init(_ header: Header, isSealed: Bool = false) {
        var header = header
        header.id = Self.anyID
        // Behind the correlation stands only what no reply has.
        let isFirst = header.causation == .none && header.expiry == nil && header.orderKey == nil
        hasSubject = header.kind == .reply && header.subjectReference != nil && isFirst
        isReply = header.kind == .reply
        if isReply { header.correlation = MessageID(value: 1) }
        if isSealed {
            header.sealSuite = SealSender.suite
            (header.keyEpoch, header.counter) = (0, 0)
        }
        bytes = header.encoded()
        sealOffset = isSealed ? Self.sealOffset(header) : nil
        target = Self.target(bytes)
    }

    /// Read as whoever gets the header reads it.
    private static func target(_ bytes: [UInt8]) -> Range<Int>? {
        bytes.withUnsafeBytes { raw -> Range<Int>? in
            guard let view = try? HeaderView(raw, in: 0..<raw.count), !view.target.isEmpty else { return nil }
            return view.target
        }
    }

    /// Behind the optional fields that come before it.
    private static func sealOffset(_ header: Header) -> Int {
        let before = [
            (header.correlation != .none, 16), (header.causation != .none, 16), (header.expiry != nil, 8),
            (header.orderKey != nil, 16), (header.subjectReference != nil, 16),
            (header.contractDigest?.count == 32, 32),
        ]
        return before.reduce(Header.fixedSize) { $1.0 ? $0 + $1.1 : $0 }
    }

    /// Epoch and counter of a sealed message.
    package typealias Seal = (epoch: UInt64, counter: UInt64)

    /// A request, command or event.
    package func message(_ id: MessageID, created: Int64, remaining: UInt32, seal: Seal? = nil) -> [UInt8] {
        filled(id, created: created, outcome: 0, remaining: remaining, correlation: nil, seal)
    }

    /// - Parameters:
    ///   - digest: of the request, where the template was made with a place for it: its last 32 bytes.
    ///   - subject: the reference to whom the answer is about, where the template was made with a place for it.
    package func reply(
        _ id: MessageID, created: Int64, to request: MessageID, outcome: UInt16, digest: Digest32? = nil,
        about subject: UInt128? = nil, seal: Seal? = nil
    ) -> [UInt8] {
        var copy = filled(
            id, created: created, outcome: outcome, remaining: 0, correlation: isReply ? request : nil, seal)
        if let subject, hasSubject {
            copy.withUnsafeMutableBytes {
                $0.storeBytes(of: subject.bigEndian, toByteOffset: Self.subjectOffset, as: UInt128.self)
            }
        }
        if let digest {
            copy.withUnsafeMutableBytes { raw in
                let place = UnsafeMutableRawBufferPointer(rebasing: raw[(raw.count - RequestDigest.size)...])
                withUnsafeBytes(of: digest) { place.copyMemory(from: $0) }
            }
        }
        return copy
    }

    private func filled(
        _ id: MessageID, created: Int64, outcome: UInt16, remaining: UInt32, correlation: MessageID?,
        _ seal: Seal?
    ) -> [UInt8] {
        var copy = bytes
        // The offsets are inside the fixed part, which every encoded header has in full.
        copy.withUnsafeMutableBytes { raw in
            raw.storeBytes(of: id.value.bigEndian, toByteOffset: 8, as: UInt128.self)
            raw.storeBytes(of: created.littleEndian, toByteOffset: 24, as: Int64.self)
            raw.storeBytes(of: outcome.littleEndian, toByteOffset: 32, as: UInt16.self)
            raw.storeBytes(of: remaining.littleEndian, toByteOffset: 36, as: UInt32.self)
            if let correlation {
                raw.storeBytes(of: correlation.value.bigEndian, toByteOffset: Header.fixedSize, as: UInt128.self)
            }
            if let seal, let sealOffset {
                raw.storeBytes(of: seal.epoch.littleEndian, toByteOffset: sealOffset, as: UInt64.self)
                raw.storeBytes(of: seal.counter.littleEndian, toByteOffset: sealOffset + 8, as: UInt64.self)
            }
        }
        return copy
    }
}
