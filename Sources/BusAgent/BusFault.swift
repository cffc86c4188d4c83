import BusContracts
package import BusProtocol

/// Why a call on the bus did not end with an answer: a stable number of the catalogue, the hop that failed, and words.
///
/// Two faults are equal when their number is; the words may change between versions, the number may not.
public struct BusFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// Number of the catalogue (`Schemas/errors.json`): 2040, 4030, 5030, …; number / 10 is the family (404, 503, …).
    public let number: UInt16
    /// What happened, in words, without anything of a payload. May be empty.
    public let detail: String
    /// Where in the body a contract was violated, a JSON Pointer (RFC 6901).
    public let pointer: String?
    /// When to try again, milliseconds; 0 when nothing is known about it.
    public let retryAfterMilliseconds: UInt32
    package let hopCode: Hop
    /// The request it ended, where one was made: what `kerege trace` takes.
    package internal(set) var messageID: MessageID?

    /// The id of the request it ended; `nil` where none was made.
    public var id: String? { messageID?.description }

    package init(
        number: UInt16, at hop: Hop, _ detail: String = "", pointer: String? = nil, retryAfterMilliseconds: UInt32 = 0
    ) {
        self.number = number
        self.hopCode = hop
        self.detail = detail
        self.pointer = pointer
        self.retryAfterMilliseconds = retryAfterMilliseconds
    }

    package init(_ code: FaultCode, at hop: Hop, _ detail: String = "", pointer: String? = nil) {
        self.init(number: code.number, at: hop, detail, pointer: pointer)
    }

    package init(_ fault: Fault) {
        self.init(
            number: fault.code.number, at: fault.hop, fault.detail, retryAfterMilliseconds: fault.retryAfterMilliseconds
        )
    }

    /// The provider has no record for the request: throw this from a handler to say so.
    public static func nothingFound(_ detail: String = "") -> BusFault {
        BusFault(.nothingFound, at: .providerSystem, detail)
    }

    /// The provider's system failed: throw this from a handler to say why, without anything of the payload.
    public static func providerFault(_ detail: String) -> BusFault {
        BusFault(.providerFault, at: .providerSystem, detail)
    }

    package var code: FaultCode? { FaultCode(rawValue: number) }

    /// The name of the number in the catalogue: `nothing-found`, `no-live-provider`, …
    public var name: String { code?.name ?? "unknown" }
    /// Where it failed: `consumer-agent`, `broker`, `provider-agent`, `provider-system` or `unknown`.
    public var hop: String { hopCode.name }
    /// Whether the same call may succeed when it is made again unchanged.
    public var isRetryable: Bool { code?.isRetryable ?? false }
    /// What to do next.
    public var remedy: String { code?.remedy ?? "Use an agent that knows this number of the catalogue." }
    /// The provider has no record: an answer, not a failure.
    public var isNothingFound: Bool { number == FaultCode.nothingFound.number }

    /// The same fault, said of a request.
    func about(_ id: MessageID) -> BusFault {
        var fault = self
        fault.messageID = id
        return fault
    }

    public static func == (a: BusFault, b: BusFault) -> Bool { a.number == b.number }

    public var description: String {
        let meaning = code?.meaning ?? "The other side named a fault this agent does not know."
        let why = detail.isEmpty || detail == meaning ? "" : " \(detail)"
        let place = pointer.map { " at \($0.isEmpty ? "the whole body" : $0)" } ?? ""
        return "\(number) \(name) (\(hop)): \(meaning)\(why)\(place) — \(remedy)"
    }

    var wire: Fault {
        Fault(code ?? .providerFault, at: hopCode, detail, retryAfterMilliseconds: retryAfterMilliseconds)
    }
}

// MARK: - In the body of a reply

extension BusFault {
    /// Longest body of a reply that carries a fault, bytes.
    static let longestBody = 2048
    /// Longest `detail` in it, characters: with every character escaped it still fits.
    static let longestDetail = 250

    /// `{"detail": …, "hop": …, "pointer": …}`
    func body() -> [UInt8] {
        var members = [
            JSONMember("detail", .string(String(detail.prefix(Self.longestDetail)))), JSONMember("hop", .string(hop)),
        ]
        if let pointer { members.append(JSONMember("pointer", .string(String(pointer.prefix(Self.longestDetail))))) }
        return JSONValue.object(members).bytes()
    }

    /// Reads a reply's outcome and body; a body that is not a fault's leaves the words empty.
    init(outcome: UInt16, body: ArraySlice<UInt8>) {
        let value = body.count <= Self.longestBody ? try? JSONValue.parse(Array(body)) : nil
        let hop = value?["hop"]?.string.flatMap { name in Hop.allCases.first { $0.name == name } }
        self.init(
            number: outcome, at: hop ?? .unknown, value?["detail"]?.string ?? "", pointer: value?["pointer"]?.string)
    }
}
