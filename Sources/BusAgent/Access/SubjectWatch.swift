import BusContracts
import BusEvidence
import BusProtocol
import Logging
import Synchronization

/// Finds out whom the requests of one service are about, and makes the reference that their answers carry.
final class SubjectWatch: Sendable {
    private let key: SubjectKey
    private let system: String
    /// Into the request's body.
    private let pointer: JSONPointer
    private let watcher: AccessWatcher

    /// Nil where nobody is to be marked: the contract names no person, or the system has no key.
    init?(_ service: String, _ contract: BoundContract?, _ keys: [SubjectFile], _ watcher: AccessWatcher) {
        let system = Names.system(of: service)
        guard let pointer = contract?.contract.subject, let file = keys.first(where: { $0.system == system }) else {
            return nil
        }
        self.key = file.key
        self.system = system
        self.pointer = pointer
        self.watcher = watcher
    }

    /// The reference to whom an answer is about; nil where it is about nobody, or the request was not even understood.
    func mark(_ inquiry: Inquiry, _ result: Result<[UInt8], BusFault>) -> UInt128? {
        guard Self.isUnderstood(result), let subject = (try? JSONValue.parse(inquiry.body))?[pointer]?.string else {
            return nil
        }
        watcher.tell { Access(inquiry, about: subject, result) }
        return key.reference(to: subject.utf8, at: system)
    }

    /// Whether the system looked at the request. "Nothing found" tells something about a person too, and so does a failure on the way
    /// back; what was turned away before tells nothing.
    private static func isUnderstood(_ result: Result<[UInt8], BusFault>) -> Bool {
        guard case .failure(let fault) = result else { return true }
        return fault.hopCode == .providerSystem || fault.code == .answerViolatesContract || fault.code == .bodyTooLarge
    }
}

/// Who is told of accesses as they happen, at once and on the thread that answers: nobody, or one observer.
final class AccessWatcher: Sendable {
    private let observer = Mutex<(@Sendable (Access) -> Void)?>(nil)

    func watch(_ observer: @escaping @Sendable (Access) -> Void) { self.observer.withLock { $0 = observer } }

    func tell(_ access: () -> Access) {
        guard let observer = observer.withLock({ $0 }) else { return }
        observer(access())
    }
}

extension Access {
    fileprivate init(_ inquiry: Inquiry, about subject: String, _ result: Result<[UInt8], BusFault>) {
        let header = inquiry.header
        var outcome: UInt16 = 0
        if case .failure(let fault) = result { outcome = fault.number }
        self.init(
            service: inquiry.service, subject: subject, consumer: header?.consumer ?? "",
            purpose: header?.purpose ?? "",
            request: inquiry.id, outcome: outcome, at: ClockReading.current().wall)
    }
}

extension Agent {
    /// Tells of every answer about a person that this agent gives. The observer must be quick: it runs where the answer is made.
    package func onAccess(_ observer: @escaping @Sendable (Access) -> Void) { accessWatcher.watch(observer) }
}

extension Agent {
    /// What is about people and cannot be marked is in no account of accesses, and nobody would notice.
    func tellUnmarked(_ service: String, _ contract: BoundContract?) {
        guard contract?.contract.subject != nil else { return }
        configuration.logger.error(
            "accesses are in no account",
            metadata: [
                "service": "\(service)", "why": "\(Names.system(of: service)).subject is not in the folder of keys",
                "next": "copy it from another agent of the system, mode 0600, and start this agent again",
            ])
    }
}
