import BusContracts
import BusEvidence
import BusProtocol

/// What a consumer needs to send to one service or event as one system; made once and kept.
final class Route: Sendable {
    let name: String
    let system: String
    let kind: MessageKind
    /// Without id, time and order key.
    let header: Header
    let template: HeaderTemplate
    let sealed: HeaderTemplate
    /// The system it goes to.
    let provider: String
    let contract: BoundContract?
    /// Of the stated purposes it was made with.
    let generation: UInt64

    init(
        _ kind: MessageKind, _ name: String, as system: String, contract: BoundContract?,
        _ extra: CallContext = CallContext(), generation: UInt64 = 0
    ) {
        self.generation = generation
        self.name = name
        self.system = system
        self.kind = kind
        self.contract = contract
        var header = Header(kind: kind, id: .none, created: 0)
        header.target = name
        header.consumer = system
        header.contractDigest = contract?.digest
        header.purpose = extra.purpose
        header.consent = extra.consent
        header.user = extra.user
        header.traceparent = extra.traceparent
        self.header = header
        template = HeaderTemplate(header)
        sealed = HeaderTemplate(header, isSealed: true)
        provider = Names.system(of: name)
    }
}

/// Why and for whom a call is made; travels in the header, in clear.
public struct CallContext: Sendable, Equatable {
    /// Declared purpose, at most 255 bytes; empty: what the plan's integration states.
    public var purpose = ""
    /// Reference of the person's consent.
    public var consent = ""
    /// A pseudonym of the person on whose behalf it is made; never an IIN.
    public var user = ""
    /// W3C trace context in binary, 26 bytes.
    public var traceparent: [UInt8]?
    public init(purpose: String = "", consent: String = "", user: String = "", traceparent: [UInt8]? = nil) {
        self.purpose = purpose
        self.consent = consent
        self.user = user
        self.traceparent = traceparent
    }
    var isEmpty: Bool { self == CallContext() }

    /// - Throws: 4222 when user or purpose is, or has in it, the number of a person: headers travel in clear, and everybody on the way would
    ///   know whom. 4003 when a text is longer than a header takes: it would arrive cut.
    func check() throws(BusFault) {
        for (name, text) in [("user", user), ("purpose", purpose)] where CheckDigit.isNumber(in: text) {
            throw BusFault(.userIsNumber, at: .consumerAgent, "the \(name) has the number of a person in it")
        }
        for (name, text) in [("purpose", purpose), ("consent", consent), ("user", user)]
        where text.utf8.count > Limits.text {
            throw BusFault(
                .badHeader, at: .consumerAgent, "the \(name) has \(text.utf8.count) bytes; \(Limits.text) are possible")
        }
    }
}

/// What a provider needs to answer one service.
final class ReplyRoute: Sendable {
    let name: String
    /// The system that answers.
    let system: String
    let template: HeaderTemplate
    let sealed: HeaderTemplate
    let contract: BoundContract?
    /// Whether replies carry the digest of their request: where they are signed.
    let bindsRequest: Bool
    /// Where requests are about somebody whose accesses are kept.
    let subjects: SubjectWatch?
    /// Of replies that carry the reference to a person.
    private let marked: HeaderTemplate?
    private let markedSealed: HeaderTemplate?

    init(_ name: String, contract: BoundContract?, bindsRequest: Bool, subjects: SubjectWatch? = nil) {
        self.name = name
        self.contract = contract
        self.bindsRequest = bindsRequest
        var header = Header(kind: .reply, id: .none, created: 0)
        header.target = name
        system = Names.system(of: name)
        header.provider = system
        header.contractDigest = contract?.digest
        if bindsRequest { header.extensions = [RequestDigest.placeholder] }
        template = HeaderTemplate(header)
        sealed = HeaderTemplate(header, isSealed: true)
        self.subjects = subjects
        header.subjectReference = subjects == nil ? nil : 1
        marked = subjects == nil ? nil : HeaderTemplate(header)
        markedSealed = subjects == nil ? nil : HeaderTemplate(header, isSealed: true)
    }

    /// The template of a reply about somebody, or about nobody.
    func template(about subject: UInt128?, isSealed: Bool) -> HeaderTemplate {
        switch (subject, isSealed) {
        case (nil, false): template
        case (nil, true): sealed
        case (_?, false): marked ?? template
        case (_?, true): markedSealed ?? sealed
        }
    }
}

/// A registered handler of a service or event. A class: every delivery asks for one.
final class Handler: Sendable {
    enum Work: Sendable {
        /// Runs on the socket thread.
        case inline(@Sendable (Inquiry) throws -> [UInt8])
        /// Runs as a task of its own.
        case task(@Sendable (Inquiry) async throws -> [UInt8])
        /// Runs where it wants, and answers through the responder.
        case deferred(@Sendable (Inquiry, Responder) -> Void)
        case event(@Sendable (BusEvent) async throws -> Void)
        case deferredEvent(@Sendable (BusEvent, Settler) -> Void)
        case deferredCommand(@Sendable (BusCommand, Settler) -> Void)
        case outcome(@Sendable (CommandOutcome) async throws -> Void)
        case deferredOutcome(@Sendable (CommandOutcome, Settler) -> Void)
    }

    let name: [UInt8]
    let route: ReplyRoute
    let work: Work
    /// The kind of message it takes.
    let kind: MessageKind

    init(
        _ name: String, contract: BoundContract?, bindsRequest: Bool = false, subjects: SubjectWatch? = nil,
        _ work: Work
    ) {
        self.name = Array(name.utf8)
        self.route = ReplyRoute(name, contract: contract, bindsRequest: bindsRequest, subjects: subjects)
        self.work = work
        kind =
            switch work {
            case .event, .deferredEvent: .event
            case .inline, .task, .deferred: .request
            case .deferredCommand: .command
            case .outcome, .deferredOutcome: .outcome
            }
    }
}

/// Answers one inquiry, from any thread. Only the first answer counts; the broker refuses another.
package struct Responder: Sendable {
    let inbox: Inbox
    let inquiry: Inquiry
    let route: ReplyRoute

    /// - Parameter result: the answer's body, checked here against the contract, or the reason why there is none.
    package func answer(_ result: Result<[UInt8], any Error>) {
        let checked = Self.checked(result, route.contract)
        let subject = route.subjects?.mark(inquiry, checked)
        // After the socket thread's end nobody waits for the answer: the broker tells the consumer.
        _ = inbox.put(.reply(inquiry.delivery, route, checked, about: subject))
    }

    /// Makes of any failure a fault that says nothing of the payload, and of a wrong answer a 5021.
    static func checked(_ result: Result<[UInt8], any Error>, _ contract: BoundContract?) -> Result<[UInt8], BusFault> {
        switch result {
        case .success(let body):
            guard body.count <= Limits.body else {
                return .failure(BusFault(.bodyTooLarge, at: .providerAgent, "the answer is \(body.count) bytes"))
            }
            guard let contract else { return .success(body) }
            do throws(BusFault) {
                try contract.checkReply(body, at: .providerAgent)
                return .success(body)
            } catch { return .failure(error) }
        case .failure(let error as BusFault): return .failure(error)
        case .failure(let error):
            // The type only: an error's words may quote the request.
            return .failure(
                BusFault(.providerFault, at: .providerSystem, "the handler failed with \(type(of: error))"))
        }
    }
}

/// Settles one event, command or outcome, from any thread.
package struct Settler: Sendable {
    let inbox: Inbox
    let delivery: Delivery

    package func settle(_ result: Result<Void, any Error>) {
        // After the socket thread's end the broker delivers the event again to the next session.
        let settled = Self.settled(result, attempt: delivery.annotations.attempt)
        _ = inbox.put(.settle(delivery, settled, Self.fault(result)))
    }

    /// Never deliver again: no repetition mends this.
    func refuse(_ code: FaultCode) {
        _ = inbox.put(.settle(delivery, .never(code), BusFault(code, at: .providerAgent)))
    }

    /// First and longest wait before a failed event is delivered again, milliseconds.
    static let firstDelay: UInt32 = 250
    static let longestDelay: UInt32 = 60_000

    /// Of an error that is no fault the type only: its words may quote the message.
    private static func fault(_ result: Result<Void, any Error>) -> BusFault? {
        guard case .failure(let error) = result else { return nil }
        return error as? BusFault
            ?? BusFault(.providerFault, at: .providerSystem, "the handler failed with \(type(of: error))")
    }

    /// A contract violation never gets better; anything else may, later and later.
    static func settled(_ result: Result<Void, any Error>, attempt: UInt16) -> Settled {
        switch result {
        case .success: return .handled
        case .failure(let fault as BusFault) where fault.number == FaultCode.eventViolatesContract.number:
            return .never(.eventViolatesContract)
        case .failure(let fault as BusFault) where fault.number == FaultCode.requestViolatesContract.number:
            return .never(.requestViolatesContract)
        case .failure(let error):
            // A system that was asked for it may be away: whoever traces the message reads that, and not this agent's log.
            let why = (error as? BusFault)?.number ?? FaultCode.providerFault.number
            return .again(min(longestDelay, firstDelay << UInt32(min(max(attempt, 1) - 1, 10))), why: why)
        }
    }
}
