import BusDirectory
import BusProtocol

/// Holds what this agent is asked and ordered to the plan in the space it holds: what the plan does not give a system, no broker gives it.
///
/// A command may have been accepted while its integration was open, and be carried out when that is closed: its stage is not looked
/// at, only that there is an integration.
struct PlanCheck: Sendable {
    private struct Question: Sendable {
        let kind: MessageKind
        let consumer: [UInt8]
        let target: [UInt8]
    }

    private let routes: Routes
    /// Messages come in runs of one consumer and one service: comparing costs less than looking up.
    private var last: (question: Question, refusal: Fault?)?

    init(_ snapshot: SpaceSnapshot) { routes = Routes(snapshot) }

    /// Why nobody may act on a request or command; nil: the plan permits it, or it is neither.
    mutating func refusal(of header: HeaderView, _ raw: UnsafeRawBufferPointer) -> Fault? {
        guard header.kind == .request || header.kind == .command else { return nil }
        if let last, last.question.kind == header.kind, raw[header.consumer].elementsEqual(last.question.consumer),
            raw[header.target].elementsEqual(last.question.target)
        {
            return last.refusal
        }
        let question = Question(
            kind: header.kind, consumer: Array(raw[header.consumer]), target: Array(raw[header.target]))
        let refusal = judge(question)
        last = (question, refusal)
        return refusal
    }

    private func judge(_ question: Question) -> Fault? {
        let consumer = String(decoding: question.consumer, as: UTF8.self)
        let target = String(decoding: question.target, as: UTF8.self)
        let code: FaultCode
        switch routes.way(from: consumer, to: target) {
        case .success(let way):
            guard way.service.kind != (question.kind == .command ? .command : .request) else { return nil }
            code = .noSuchService
        case .failure(.noSuchService): code = .noSuchService
        case .failure(.noIntegration): code = .noIntegration
        case .failure(.stageForbids):
            guard question.kind == .request else { return nil }
            code = .stageForbids
        }
        return Fault(
            code, at: .broker,
            "a \(question.kind) of \(consumer) for \(target), which version \(routes.snapshot.version) of the space does not permit"
        )
    }
}
