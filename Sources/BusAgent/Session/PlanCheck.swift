import BusDirectory
import BusProtocol

/// Holds what this agent is asked and ordered to the plan in the space it holds: what the plan does not give a system, no broker gives it.
///
/// A command may have been accepted while its integration was open, and be carried out when that is closed: its stage is not looked
/// at, only that there is an integration.
struct PlanCheck: Sendable {
    /// Questions remembered with their answers; beyond it all are looked up anew.
    static let limit = 64

    private struct Question: Sendable {
        let kind: MessageKind
        let consumer: [UInt8]
        let target: [UInt8]
        var refusal: Fault?

        func isAsked(by header: HeaderView, _ raw: UnsafeRawBufferPointer) -> Bool {
            kind == header.kind && raw.part(header.consumer).isSame(as: consumer)
                && raw.part(header.target).isSame(as: target)
        }
    }

    private let routes: Routes
    /// An agent is asked by few systems for few services, in runs of one: comparing bytes makes no strings.
    private var known: [Question] = []
    private var last = 0

    init(_ snapshot: SpaceSnapshot) { routes = Routes(snapshot) }

    /// Why nobody may act on a request or command; nil: the plan permits it, or it is neither.
    mutating func refusal(of header: HeaderView, _ raw: UnsafeRawBufferPointer) -> Fault? {
        guard header.kind == .request || header.kind == .command else { return nil }
        if last < known.count, known[last].isAsked(by: header, raw) { return known[last].refusal }
        if let index = known.firstIndex(where: { $0.isAsked(by: header, raw) }) {
            last = index
            return known[index].refusal
        }
        var question = Question(
            kind: header.kind, consumer: Array(raw[header.consumer]), target: Array(raw[header.target]))
        question.refusal = judge(question)
        if known.count >= Self.limit { known.removeAll(keepingCapacity: true) }
        last = known.count
        known.append(question)
        return question.refusal
    }

    private func judge(_ question: Question) -> Fault? {
        let consumer = String(decoding: question.consumer, as: UTF8.self)
        let target = String(decoding: question.target, as: UTF8.self)
        let code: FaultCode
        switch routes.way(from: consumer, to: target) {
        case .success(let way):
            guard way.service.kind != (question.kind == .command ? .command : .request) else { return nil }
            code = .wrongKind
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
