/// Where on its way a message failed. Numbers are on the wire.
@usableFromInline
package enum Hop: UInt8, Sendable, CaseIterable, Codable {
    case unknown = 0
    case consumerAgent = 1
    case broker = 2
    case providerAgent = 3
    case providerSystem = 4

    @inlinable
    package static func == (a: Hop, b: Hop) -> Bool { a.rawValue == b.rawValue }

    package var name: String {
        switch self {
        case .unknown: "unknown"
        case .consumerAgent: "consumer-agent"
        case .broker: "broker"
        case .providerAgent: "provider-agent"
        case .providerSystem: "provider-system"
        }
    }
}

/// A failure that can be told to the other side: a stable code of the catalogue, where it happened and a sentence.
///
/// Two faults are equal when their code is; the words may change between versions, the code may not.
package struct Fault: Error, Sendable, Equatable, CustomStringConvertible {
    package let code: FaultCode
    package let hop: Hop
    /// What happened, in words, without any content of a payload.
    package let detail: String
    /// When to try again, milliseconds; 0 when the fault says nothing about it.
    package let retryAfterMilliseconds: UInt32

    package init(_ code: FaultCode, at hop: Hop, _ detail: String = "", retryAfterMilliseconds: UInt32 = 0) {
        self.code = code
        self.hop = hop
        self.detail = detail
        self.retryAfterMilliseconds = retryAfterMilliseconds
    }

    package static func == (a: Fault, b: Fault) -> Bool { a.code == b.code }

    package var description: String {
        let what = detail.isEmpty ? code.meaning : detail
        return "\(code.number) \(code.name) at \(hop.name): \(what) — \(code.remedy)"
    }
}
