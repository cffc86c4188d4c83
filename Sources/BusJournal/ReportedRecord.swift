package import BusProtocol

/// Faults of one integration that only an agent of one of its ends saw.
package struct ReportedRecord: Sendable, Equatable {
    /// Unix microseconds.
    package var at: Int64
    /// Index of the integration in the space in force.
    package var integration: UInt32
    package var code: UInt16
    package var hop: Hop
    package var count: UInt32
    /// Who reported them.
    package var agent: String
    package init(at: Int64, integration: UInt32, code: UInt16, hop: Hop, count: UInt32, agent: String) {
        self.at = at
        self.integration = integration
        self.code = code
        self.hop = hop
        self.count = count
        self.agent = agent
    }

    package var encoded: [UInt8] {
        var out = ByteWriter()
        out.put(at)
        out.put(integration)
        out.put(count)
        out.put(code)
        out.put(hop.rawValue)
        out.put(UInt8(0))
        out.put(short: agent)
        return out.finish()
    }

    package init(_ reader: inout ByteReader) throws(Fault) {
        at = try reader.take()
        integration = try reader.take()
        count = try reader.take()
        code = try reader.take()
        hop = Hop(rawValue: try reader.take(UInt8.self)) ?? .unknown
        _ = try reader.take(UInt8.self)
        agent = try reader.takeShortText()
    }
}
