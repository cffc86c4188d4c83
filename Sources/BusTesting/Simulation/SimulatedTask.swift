import BusProtocol

/// The body of a simulated message: what it is, whatever id it travels under, and how its receiver will take it.
struct SimulatedTask: Equatable {
    enum Manner: UInt8 { case plain, deferred, hopeless, reluctant }

    /// Tells one intention of a sender from every other.
    let tag: UInt64
    let manner: Manner
    /// Bytes that only have to arrive as they left.
    let padding: [UInt8]

    var body: [UInt8] {
        withUnsafeBytes(of: tag.littleEndian) { Array($0) } + [manner.rawValue] + padding
    }

    init(tag: UInt64, _ manner: Manner, padding: [UInt8] = []) {
        self.tag = tag
        self.manner = manner
        self.padding = padding
    }

    init?(_ body: ArraySlice<UInt8>) {
        guard body.count >= 9, let manner = Manner(rawValue: body[body.startIndex + 8]) else { return nil }
        tag = body.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
        self.manner = manner
        padding = Array(body.dropFirst(9))
    }
}
