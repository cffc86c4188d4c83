import BusAgent
import BusBroker
import BusConsole
import BusContracts
import BusDirectory
import BusProtocol
import Foundation
import ZeroMQ

/// One thing that was looked at.
struct Check: Encodable, Sendable {
    var name: String
    var ok: Bool
    var found: String
    /// The command that mends it; nil when nothing is to be mended.
    var mend: String?

    // What was found may quote what others have said, and what mends it may name it.
    static func good(_ name: String, _ found: String) -> Check {
        Check(name: name.plain(), ok: true, found: found.plain(), mend: nil)
    }
    static func bad(_ name: String, _ found: String, mend: String) -> Check {
        Check(name: name.plain(), ok: false, found: found.plain(), mend: mend.plain())
    }
}

/// What `kerege doctor` looks at, in the order in which things depend on each other.
struct Examination {
    /// Less free space than this is bad, bytes: 1 GiB.
    static let enoughSpace: Int64 = 1 << 30
    /// Clocks further apart than this make expiries and traces wrong, milliseconds.
    static let believableSkew: Int64 = 5_000

    let data: String
    let http: String
    let contracts: String

    func run() -> [Check] {
        [dataFolder(), freeSpace(), zeroMQ(), contractFolder()] + keys() + broker()
    }

    private func dataFolder() -> Check {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: data, isDirectory: &isFolder), isFolder.boolValue else {
            return .bad("data folder", "there is no folder \(data)", mend: "kerege up --data \(ShellText.word(data))")
        }
        guard access(data, R_OK | X_OK) == 0 else {
            return .bad(
                "data folder", "\(data) cannot be read by this user",
                mend: "sudo -u BROKER-USER kerege doctor --data \(ShellText.word(data))")
        }
        let attributes = try? FileManager.default.attributesOfItem(atPath: data)
        if let mode = (attributes?[.posixPermissions] as? NSNumber)?.intValue, mode & 0o077 != 0 {
            // Registers and journal in it have only the folder to guard them.
            return .bad(
                "data folder", "others than its owner may look into \(data), mode \(String(mode, radix: 8))",
                mend: ShellText.command(["chmod", "700", data]))
        }
        return .good("data folder", data)
    }

    private func freeSpace() -> Check {
        let place = FileManager.default.fileExists(atPath: data) ? data : "."
        let attributes = try? FileManager.default.attributesOfFileSystem(forPath: place)
        guard let free = (attributes?[.systemFreeSize] as? NSNumber)?.int64Value else {
            return .bad(
                "disk", "the free space of \(place) is not known", mend: ShellText.command(["df", "-h", place]))
        }
        let text = "\(free / (1 << 20)) MiB free"
        return free >= Self.enoughSpace
            ? .good("disk", text)
            : .bad("disk", text, mend: "\(ShellText.command(["df", "-h", place]))  # free at least 1 GiB")
    }

    /// The library is linked; making a key proves that it has CURVE.
    private func zeroMQ() -> Check {
        do throws(ZeroMQError) {
            _ = try CurveKey.generatePair()
            return .good("libzmq", "has CURVE")
        } catch { return .bad("libzmq", "\(error)", mend: "apt install libzmq5") }
    }

    private func contractFolder() -> Check {
        do throws(ContractLibrary.Problem) {
            return .good("contracts", "\(try ContractLibrary.load(contracts).names.count) in \(contracts)")
        } catch { return .bad("contracts", "\(error)", mend: "kerege doctor --contracts DIR") }
    }

    /// The files of the key folder, against the space in force.
    private func keys() -> [Check] {
        var known: KeyExamination.KnownSpace?
        var unknown: [Check] = []
        do { known = try space() } catch {
            unknown = [
                .bad(
                    "space", "what is in force here is not known: \(error)",
                    mend: "kerege journal verify \(ShellText.command(["--data", data]))")
            ]
        }
        let keys = KeyExamination(
            folder: KeyFolder(path: data + "/keys"), space: known,
            now: Int64(Date().timeIntervalSince1970 * 1000), aboutPeople: systemsAboutPeople(), data: data)
        return unknown + keys.checks
    }

    private func systemsAboutPeople() -> Set<String> {
        guard let library = try? ContractLibrary.load(contracts) else { return [] }
        return Set(
            library.names.filter { !AccessReference.isService($0) && library.contract(of: $0)?.contract.subject != nil }
                .map(Names.system(of:)))
    }

    private func space() throws -> KeyExamination.KnownSpace? {
        try space {
            guard let client = try? AdminClient(address: http, data: data), let inForce = try? SpaceInForce(client)
            else { return nil }
            return (inForce.snapshot, inForce.authority)
        }
    }

    /// As the broker says, or else its journal, or what is kept beside that. What is signed is kept before it takes effect, so the file is
    /// read last: a version that is applied meanwhile is never one that nobody signed.
    /// - Parameter ask: the broker; nil when it does not answer.
    func space(
        _ ask: () -> (snapshot: SpaceSnapshot, authority: String?)?
    ) throws -> KeyExamination.KnownSpace? {
        if let inForce = ask() {
            return .init(
                snapshot: inForce.snapshot, source: .broker(authority: inForce.authority),
                signed: try? SpaceStore(folder: data).read())
        }
        let inForce = try BrokerStart.spaceInForce(folder: data)
        let signed = try SpaceStore(folder: data).read()
        guard let snapshot = inForce ?? signed?.snapshot else { return nil }
        return .init(snapshot: snapshot, source: .folder, signed: signed)
    }

    private func broker() -> [Check] {
        let page: StatusPage
        let queues: QueuesPage
        let client: AdminClient
        do throws(Failure) {
            client = try AdminClient(address: http, data: data)
            page = try client.get(StatusPage.self, "/v1/status").page
            queues = try client.get(QueuesPage.self, "/v1/queues").page
        } catch {
            return [
                .bad(
                    "admin API", "\(error.what): \(error.why)",
                    mend: error.exit == .unreachable ? "kerege up --data \(ShellText.word(data))" : error.next)
            ]
        }
        return [
            Check.good("admin API", "\(page.broker.name), \(page.broker.software)"), intake(page.broker),
            port(page.broker.endpoint), brokerKey(page.broker), clock(page),
            agents(page), systems(page), seenLog(client),
        ] + QueueExamination(page: queues, now: page.nowMs).checks
    }

    /// Whether the broker's log goes on from where this machine saw it last.
    private func seenLog(_ client: AdminClient) -> Check {
        let seen = SeenLog(path: data + "/" + SeenLog.fileName)
        do throws(Failure) { return .good("log", try seen.look(at: client, within: AdminClient.deadline).says) } catch {
            return Self.log(error, isRemembered: seen.isThere)
        }
    }

    /// What it means that the log was not seen.
    static func log(_ failure: Failure, isRemembered: Bool) -> Check {
        // A broker that has just started answers when it has read its whole journal, and nobody waits for that here.
        if failure.code == AdminClient.tooSlow {
            return .good("log", "not looked at: the broker still reads its journal, or has too much to do")
        }
        // Where nothing was ever signed there is nothing to hold it to. Where something was, this is how one would hide.
        if SeenLog.unsigned.contains(failure.code), !isRemembered {
            return .good("log", "is not remembered here: \(failure.why)")
        }
        return .bad("log", "\(failure.what): \(failure.why)", mend: failure.next)
    }

    private func intake(_ broker: StatusPage.BrokerPart) -> Check {
        broker.draining
            ? .bad(
                "new messages", "the broker is drained and takes none",
                mend: "systemctl restart kerege-broker, or end it with kerege drain and start it again")
            : .good("new messages", "are taken")
    }

    /// Agents and commands believe nobody who does not hold the secret half of `broker.pub`.
    private func brokerKey(_ broker: StatusPage.BrokerPart) -> Check {
        let file = data + "/keys/broker.pub"
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
            return .bad(
                "broker key", "there is no \(file): nobody here reaches the broker",
                mend: "copy broker.pub from the broker's own folder of keys")
        }
        return text.contains(broker.publicKey)
            ? .good("broker key", "is the broker's")
            : .bad(
                "broker key", "\(file) is not the key of the broker that answers: calls from here find nobody (5032)",
                mend: "copy broker.pub from the broker's own folder of keys; or give the broker its own broker.key back"
            )
    }

    private func port(_ endpoint: String) -> Check {
        let address = endpoint.hasPrefix("tcp://") ? endpoint.dropFirst(6) : Substring(endpoint)
        guard let colon = address.lastIndex(of: ":"), let port = UInt16(address[address.index(after: colon)...]) else {
            return .bad(
                "broker port", "`\(endpoint)` is no address", mend: "kerege-broker --listen tcp://127.0.0.1:7400")
        }
        let named = String(address[..<colon])
        let host = named == "0.0.0.0" || named == "*" ? "127.0.0.1" : named
        return HTTPExchange(host: host, port: port).isListening(within: .seconds(2))
            ? .good("broker port", "listens on \(endpoint)")
            : .bad("broker port", "nothing listens on \(endpoint)", mend: "systemctl restart kerege-broker")
    }

    private func clock(_ page: StatusPage) -> Check {
        let lead = page.broker.clockLeadMs
        if lead > Self.believableSkew {
            // Its time stands still until the host's clock has caught up.
            return .bad(
                "clock",
                "the broker's time is \(Spans.text(milliseconds: lead)) ahead of its host, whose clock was ahead before: until "
                    + "\(RFC3339.text(page.nowMs + lead)) its records carry one time, states stand still, and what is to expire before "
                    + "then is refused (4081)",
                mend:
                    "wait until then, or give commands a longer --expiry; timedatectl set-ntp true keeps it from happening again"
            )
        }
        let skew = page.nowMs - Int64(Date().timeIntervalSince1970 * 1000)
        return abs(skew) <= Self.believableSkew
            ? .good("clock", "\(abs(skew)) ms from the broker's")
            : .bad("clock", "\(abs(skew)) ms from the broker's", mend: "timedatectl set-ntp true")
    }

    private func agents(_ page: StatusPage) -> Check {
        page.broker.agents > 0
            ? .good("agents", "\(page.broker.agents) connected")
            : .bad("agents", "none is connected", mend: "kerege-agent --config FILE; kerege agents shows refused keys")
    }

    private func systems(_ page: StatusPage) -> Check {
        let down = page.notFunctioning.map(\.system)
        return down.isEmpty
            ? .good("systems", "none is non-functional")
            : .bad("systems", "non-functional: \(down.joined(separator: ", "))", mend: "kerege systems")
    }
}
