package import BusProtocol

/// Bodies whose retention has passed. They leave the journal in the transaction that writes this record; headers and digests stay.
package struct ErasedRecord: Sendable, Equatable {
    /// Most positions of one record.
    package static let most = 1024
    /// Unix microseconds.
    package var at: Int64
    package var positions: [UInt64]
    package init(at: Int64, positions: [UInt64]) {
        self.at = at
        self.positions = positions
    }

    package var encoded: [UInt8] {
        var out = ByteWriter(capacity: 16 + positions.count * 8)
        out.put(at)
        out.put(UInt32(positions.count))
        for position in positions { out.put(position) }
        return out.finish()
    }

    package init(_ reader: inout ByteReader) throws(Fault) {
        at = try reader.take()
        let count = Int(try reader.take(UInt32.self))
        guard count <= Self.most else { throw Fault(.storageFailed, at: .broker, "\(count) positions in one record") }
        positions = []
        for _ in 0..<count { positions.append(try reader.take()) }
    }
}
