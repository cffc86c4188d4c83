import BusProtocol

/// Replies that are about one person, as far as their provider marked them.
package struct FoundAccesses: Sendable {
    /// The replies.
    package var found: [MessageTrace.Step] = []
    /// The first record that was not looked at; nil when all were.
    package var next: UInt64?
}

extension JournalReader {
    /// Most records looked at for one page, so that nobody waits long for an answer, and no other reader of the journal for this one.
    package static let accessRecords: UInt64 = 1_000_000

    /// Looks for replies that carry one of these subject references. There is no index: nobody who reads the journal learns from it
    /// who is asked about often.
    ///
    /// - Parameters:
    ///   - position: of the first record that counts.
    ///   - limit: replies of one page.
    package func accesses(
        to references: Set<UInt128>, from position: UInt64, limit: Int, records: UInt64 = accessRecords
    ) throws(JournalError) -> FoundAccesses {
        var page = FoundAccesses()
        var next = position
        var left = records
        let isWhole = try walk(position..<UInt64.max, to: .max, &left) {
            place, committedAt, type, payload throws(Fault) in
            next = place + 1
            guard type == RecordType.message.rawValue, try Self.isAbout(references, payload) else { return true }
            page.found.append(try MessageTrace.Step(place, committedAt, try MessageRecord(&payload)))
            return page.found.count < limit
        }
        if !isWhole || page.found.count == limit { page.next = next }
        return page
    }

    /// By the fixed fields of a header alone: nothing is copied of the many that are about others.
    private static func isAbout(_ references: Set<UInt128>, _ payload: ByteReader) throws(Fault) -> Bool {
        var peek = payload
        _ = try peek.takeRange(MessageRecord.fixedSize + 1)
        guard try peek.take(UInt8.self) == MessageKind.reply.rawValue else { return false }
        _ = try peek.takeRange(2)
        let present = try peek.take(UInt32.self)
        guard present & Header.Field.subjectReference.bit != 0 else { return false }
        _ = try peek.takeRange(Header.fixedSize - 8)
        for (field, size) in [(Header.Field.correlation, 16), (.causation, 16), (.expiry, 8), (.orderKey, 16)]
        where present & field.bit != 0 {
            _ = try peek.takeRange(size)
        }
        return references.contains(try peek.takeID())
    }
}
