/// What a session takes of the work of its systems. A session that does not say takes everything.
package struct Takes: Sendable, Equatable {
    package struct Row: Sendable, Hashable {
        package var kind: MessageKind
        /// Service or event; empty: every one of the kind.
        package var target: String
        package init(_ kind: MessageKind, _ target: String = "") {
            self.kind = kind
            self.target = target
        }
    }

    package private(set) var rows: [Row]

    /// More names than fit are told as what they have in common: their kinds.
    package init(_ rows: [Row]) {
        guard rows.count > Limits.takenNames else {
            self.rows = rows
            return
        }
        self.rows = Set(rows.map(\.kind)).sorted { $0.rawValue < $1.rawValue }.map { Row($0) }
    }

    func write(into out: inout ByteWriter) {
        out.put(UInt16(rows.count))
        for row in rows {
            out.put(row.kind.rawValue)
            out.put(short: row.target)
        }
    }

    init(_ reader: inout ByteReader) throws(Fault) {
        let count = Int(try reader.take(UInt16.self))
        guard count <= Limits.takenNames else {
            throw Fault(.badFrame, at: .unknown, "\(count) names taken; at most \(Limits.takenNames) are possible")
        }
        rows = []
        for _ in 0..<count {
            let kind = try reader.take(UInt8.self)
            let target = try reader.takeShortText()
            // A kind of a later version: nothing of it comes in this one.
            if let kind = MessageKind(rawValue: kind) { rows.append(Row(kind, target)) }
        }
    }
}
