import ArgumentParser
import BusAgent
import BusProtocol
import Foundation
import Logging

/// Options of the commands that take part in the bus as an agent.
struct AgentOptions: ParsableArguments {
    private static let usualData = "./data"
    private static let usualBroker = "tcp://127.0.0.1:7400"
    private static let usualContracts = "Schemas/contracts"
    private static let usualDeadline = "5s"

    @Option(help: ArgumentHelp("Data folder with keys/.", valueName: "dir"))
    var data = usualData
    @Option(help: ArgumentHelp("Address of the broker.", valueName: "address"))
    var broker = usualBroker
    @Option(help: ArgumentHelp("Secret key to connect with. (default: DATA/keys/operator.key)", valueName: "file"))
    var key: String?
    @Option(help: ArgumentHelp("Contracts to check bodies against.", valueName: "dir"))
    var contracts = usualContracts
    @Option(help: "How long to wait: 500ms, 5s, 2m.")
    var deadline = usualDeadline
    @Flag(help: "Print one line of JSON.")
    var json = false

    /// - Parameter systems: that the agent serves; none for one that only asks, so that no work of others reaches it.
    func connect(serving systems: [String], preparing prepare: (Agent) -> Void = { _ in }) async throws -> Agent {
        try checkAddress()
        let path = keyPath
        let keys: KeyFile
        let brokerKey: String
        do throws(KeyFile.Problem) {
            keys = try KeyFile.load(path)
            brokerKey = try Self.brokerKey(in: data)
        } catch {
            throw Failure.wrongUse(
                "there is no key to connect with", why: "\(error)",
                next:
                    "kerege up makes the keys of a demonstration; else name one with --key FILE, or the folder with --data DIR"
            )
        }
        var configuration = AgentConfiguration(broker: broker, name: Self.stem(path), systems: systems)
        configuration.keys = keys
        configuration.brokerKey = brokerKey
        let pinned = data + "/keys/authority.pub"
        if FileManager.default.fileExists(atPath: pinned) {
            do throws(KeyFile.Problem) { try configuration.pinAuthority(pinned) } catch {
                throw Failure.wrongUse(
                    "the authority cannot be pinned", why: "\(error)", next: "look closer with kerege doctor")
            }
        }
        configuration.loadEverySeal(from: data + "/keys")
        configuration.contracts = try library()
        configuration.defaultDeadline = try span()
        configuration.connectDeadline = .seconds(5)
        configuration.drainDeadline = .seconds(2)
        configuration.isGuest = true
        configuration.logger = Logger(label: "kerege", factory: { _ in SwiftLogNoOpLogHandler() })
        do throws(BusFault) { return try await Agent.connect(configuration, preparing: prepare) } catch {
            throw await explain(error, greetedBy: configuration)
        }
    }

    var keyPath: String { key ?? data + "/keys/operator.key" }

    /// What libzmq would refuse or never reach for its form alone.
    private func checkAddress() throws(Failure) {
        let plain = broker.hasPrefix("tcp://") ? broker.dropFirst(6) : ""
        let colon = plain.lastIndex(of: ":")
        let port = colon.flatMap { Int(plain[plain.index(after: $0)...]) } ?? 0
        guard let colon, colon != plain.startIndex, (1...65535).contains(port) else {
            throw .wrongUse(
                "`\(broker)` is no address of a broker", why: "it is tcp://HOST:PORT, the port 1 to 65535",
                next: "use --broker \(Self.usualBroker)")
        }
    }

    func span() throws(Failure) -> Duration {
        guard let span = Spans.duration(deadline), span <= .milliseconds(Limits.deadlineMilliseconds) else {
            throw .wrongUse(
                "`\(deadline)` is no deadline", why: "it is a number with ms, s or m, at most 5m",
                next: "use --deadline 5s")
        }
        return span
    }

    /// What was given, as words of a command line.
    var words: [String] {
        let pairs = [
            ("--data", data, Self.usualData), ("--broker", broker, Self.usualBroker), ("--key", key ?? "", ""),
            ("--contracts", contracts, Self.usualContracts), ("--deadline", deadline, Self.usualDeadline),
        ]
        return pairs.flatMap { name, value, usual in value == usual ? [] : [name, value] } + (json ? ["--json"] : [])
    }

    /// Without the folder nothing is checked here; the provider's agent checks all the same.
    private func library() throws(Failure) -> ContractLibrary? {
        guard FileManager.default.fileExists(atPath: contracts) else { return nil }
        do throws(ContractLibrary.Problem) { return try ContractLibrary.load(contracts) } catch {
            throw .wrongUse(
                "the contracts cannot be read", why: "\(error)", next: "name another folder with --contracts DIR")
        }
    }

    private static func brokerKey(in data: String) throws(KeyFile.Problem) -> String {
        let shown = data + "/keys/broker.pub"
        return try KeyFile.publicKey(access(shown, R_OK) == 0 ? shown : data + "/keys/broker.key")
    }

    private static func stem(_ path: String) -> String {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        return name.hasSuffix(".key") ? String(name.dropLast(4)) : name
    }

    /// A fault of the bus as a failure of a command: without a broker 3, else the answer is "no".
    /// - Parameters:
    ///   - subject: what was wanted, and as which system: the broker's words name neither.
    ///   - isGreeting: there never was a session.
    static func explain(_ fault: BusFault, about subject: String? = nil, isGreeting: Bool = false) -> Failure {
        let isUnreachable = fault.code == .brokerUnreachable
        let pointer = fault.pointer.map { " at \($0.isEmpty ? "the whole body" : $0)" } ?? ""
        let meaning = fault.code?.meaning ?? "The other side named a fault this version does not know."
        let detail = fault.detail.isEmpty || fault.detail == meaning ? "" : " \(fault.detail)"
        let about = (subject.map { ", \($0)" } ?? "") + (fault.id.map { ", message \($0)" } ?? "")
        let look = fault.id.flatMap { hasTrace(fault) ? "kerege trace \($0)" : nil }
        return Failure(
            isUnreachable ? .unreachable : .no, fault.name, "\(fault.number) \(fault.name) at \(fault.hop)\(about)",
            why: "\(meaning)\(detail)\(pointer)" + (isUnreachable && isGreeting ? silence : ""),
            next: isUnreachable
                ? "start a broker with kerege up, name it with --broker, or look closer with kerege doctor"
                : remedy(of: fault) + (look.map { " How far it came: \($0)" } ?? ""),
            message: fault.id)
    }

    /// Whoever may not know that a broker is there gets no answer from it.
    private static let silence =
        ". Nobody listens there, its key is not that of keys/broker.pub, or the space does not state the key of this command"

    /// Of what a broker says before it accepts.
    private static let refusedFamilies: Set<UInt16> = [400, 401, 403, 404, 409, 410, 413, 422, 429]

    /// What never left, and what the broker did not accept, is in no journal.
    private static func hasTrace(_ fault: BusFault) -> Bool {
        switch fault.hopCode {
        case .broker: !refusedFamilies.contains(fault.number / 10) && fault.code != .draining
        case .consumerAgent: fault.code == .deadlinePassed || fault.code == .answerViolatesContract
        default: true
        }
    }

    /// What a user of these commands can do, where it is more than what the catalogue says to everybody.
    private static func remedy(of fault: BusFault) -> String {
        switch fault.code {
        case .instanceConflict:
            "Another kerege command works with this key, perhaps one with --wait: try again when it has ended, or use "
                + "a key of its own: kerege keys new NAME, then --key FILE."
        case .noIntegration, .stageForbids:
            fault.remedy + " Or name a system that has one with --as: kerege integrations lists them."
        default: fault.remedy
        }
    }
}
