/// SPACE: the broker sends the space in force, as the authority signed it. Who is on the bus and with which keys is known from
/// it alone, so an agent need not believe the broker.
package struct SpaceFrame: Sendable, Equatable {
    package var version: UInt64
    /// Ed25519, 64 bytes; zeros where the broker has no authority.
    package var signature: [UInt8]
    /// What is signed: the snapshot's canonical bytes.
    package var canonical: [UInt8]

    package init(version: UInt64, signature: [UInt8], canonical: [UInt8]) {
        self.version = version
        self.signature = signature
        self.canonical = canonical
    }

    package func encoded() -> [UInt8] {
        var out = ByteWriter(capacity: canonical.count + 76)
        out.put(version)
        out.put(raw: signature)
        out.put(UInt32(canonical.count))
        out.put(raw: canonical)
        return out.finish()
    }

    package init(_ reader: inout ByteReader) throws(Fault) {
        version = try reader.take()
        signature = try reader.takeArray(64)
        canonical = try reader.takeArray(Int(try reader.take(UInt32.self)))
    }
}
