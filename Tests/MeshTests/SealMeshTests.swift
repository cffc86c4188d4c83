import BusAgent
import BusContracts
import BusProtocol
import BusSystems
import BusTesting
import Foundation
import Synchronization
import Testing

/// Seals with real processes: the broker never has a body open, and everybody else who should opens everything, also late.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct SealMeshTests {
    private static let scale = 100

    // MARK: - What the broker has

    @Test("what is asked, answered, ordered and published is nowhere in the broker's files, logs and memory")
    func canary() async throws {
        let mesh = try await Mesh.start(.init(root: projectRoot, agents: ["individuals", "legal-entities", "portal"]))
        let agent = try await mesh.connect()
        do {
            let population = Population(seed: 1, scale: Scale(oneIn: Self.scale))
            let company = population.company(0)
            let iin = population.iin(company.director)
            // Asked and answered: the number in the question, the name in the answer.
            let answer = try await agent.ask(
                "individuals.person-get.v1", bytes(#"{"iin":"\#(iin)"}"#), as: "portal", deadline: .seconds(20))
            let person = try JSONDecoder().decode(Name.self, from: Data(answer.body))
            // Published: a death, which another register has to note.
            let registry = try CivilRegistry(path: mesh.register("individuals"))
            _ = try registry.recordDeath(iin: iin, at: Mesh.now)
            try await mesh.until(
                "SELECT count(*) FROM kerege_inbox", is: "1", in: "legal-entities", orMore: true)
            // Ordered: a company, with its name.
            let desk = try PortalDesk(path: mesh.register("portal"))
            let order = try desk.order("entity-register", Self.company(population), by: iin, at: Mesh.now)
            try await mesh.until(
                "SELECT state IN ('completed', 'refused') FROM service_order WHERE number = '\(order)'", is: "1",
                in: "portal")
            let secrets = [iin, person.surname.kk, Self.companyName]
            let open = ["individuals.person-get.v1", "legal-entities"]
            for (place, found) in try searched(mesh, for: secrets + open) {
                #expect(found.isDisjoint(with: secrets), "\(place) has a body open")
                // The search finds what is there: names of services are in every header.
                if place == "memory" || place == "journal" { #expect(found.isSuperset(of: open), "\(place)") }
            }
        } catch { Issue.record("\(error)\n\(mesh.broker.logTail())") }
        await agent.close()
        await mesh.stop()
    }

    private struct Name: Decodable {
        struct Parts: Decodable { let kk: String }
        let surname: Parts
    }

    private static let companyName = "«Тұмар канарейкасы» ЖШС"

    private static func company(_ population: Population) -> JSONValue {
        let address = population.address(0)
        let iin = population.iin(1)
        return [
            "name": ["kk": .string(companyName), "ru": "ТОО «Тумар»"], "oked": "62011", "kato": .string(address.kato),
            "rka": .string(address.rka), "directorIin": .string(iin),
            "founders": [["iin": .string(iin), "bin": nil, "share": ["numerator": 1, "denominator": 1]]],
        ]
    }

    /// Which of these words are in the broker's files and in its memory, which is what a core dump has.
    private func searched(_ mesh: Mesh, for words: [String]) throws -> [(place: String, found: Set<String>)] {
        let needles = words.map { ($0, Data($0.utf8)) }
        func hits(_ data: Data) -> Set<String> { Set(needles.filter { data.range(of: $0.1) != nil }.map(\.0)) }
        let folder = mesh.folder.path
        let journal = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix("journal") }
        #expect(!journal.isEmpty)
        var places: [(String, Set<String>)] = []
        let files = journal.compactMap { FileManager.default.contents(atPath: "\(folder)/\($0)") }
        places.append(("journal", files.reduce(into: []) { $0.formUnion(hits($1)) }))
        places.append(("log", hits(FileManager.default.contents(atPath: mesh.broker.log) ?? Data())))
        let process = try #require(mesh.broker.processID)
        places.append(("memory", try ProcessMemory(process).parts.reduce(into: []) { $0.formUnion(hits($1)) }))
        return places
    }

    // MARK: - Who opens late

    @Test(
        "a command that waited while the receiver's key was renewed is opened, and the next one is sealed to the new key"
    )
    func renewal() async throws {
        let mesh = try await Mesh.start(.init(root: projectRoot, agents: ["individuals", "legal-entities", "portal"]))
        do {
            let population = Population(seed: 1, scale: Scale(oneIn: Self.scale))
            let provider = try #require(mesh.agent("legal-entities-1"))
            await provider.stop()
            let desk = try PortalDesk(path: mesh.register("portal"))
            let first = try desk.order(
                "entity-register", Self.company(population), by: population.iin(1), at: Mesh.now)
            try await mesh.until("SELECT count(*) FROM kerege_sending WHERE code = 0", is: "1", in: "portal")
            let old = try SealFile.load(system: "legal-entities", in: mesh.folder.keys).publicKey
            let renewed = try await mesh.tool(["keys", "renew-seal", "legal-entities", "--dir", mesh.folder.keys])
            #expect(renewed.code == 0 && renewed.output.contains("legal-entities.seal.1"), "\(renewed.output)")
            let new = try SealFile.load(system: "legal-entities", in: mesh.folder.keys).publicKey
            #expect(new != old)
            try provider.start()
            try await mesh.until(Self.isOver(first), is: "1", in: "portal")
            // From now on senders use the new key; the old one may go.
            try mesh.edit { $0.replacing("    seal: '\(old)'", with: "    seal: '\(new)'") }
            #expect(try await mesh.apply(projectRoot + "/deploy/space") == 0)
            try FileManager.default.removeItem(atPath: mesh.folder.keys + "/legal-entities.seal.1")
            await provider.stop()
            try provider.start()
            let second = try desk.order(
                "entity-register", Self.company(population), by: population.iin(2), at: Mesh.now)
            try await mesh.until(Self.isOver(second), is: "1", in: "portal")
        } catch { Issue.record("\(error)\n\(mesh.broker.logTail())") }
        await mesh.stop()
    }

    private static func isOver(_ order: String) -> String {
        "SELECT state IN ('completed', 'refused') FROM service_order WHERE number = '\(order)'"
    }

    @Test("a system that subscribes later replays from the beginning and opens it, once the publisher has been there")
    func lateSubscriber() async throws {
        let space = try TestSpace(systems: ["alpha", "bravo", "carol"], ways: [])
        defer { space.remove() }
        try space.addContract("bravo.changed.v1", kind: "event")
        try space.add("events.yaml", Self.events(["alpha"]))
        let mesh = try await Mesh.start(.init(root: space.root, agents: []))
        do {
            let bravo = try await Agent.connect(mesh.configuration("bravo-1", ["bravo"]))
            for number in 1...3 { _ = try await bravo.publish("bravo.changed.v1", bytes(#"{"number":\#(number)}"#)) }
            await bravo.close()
            try space.add("events.yaml", Self.events(["alpha", "carol"]))
            #expect(try await mesh.apply(space) == 0)
            let got = Mutex<[[UInt8]]>([])
            let carol = try await Agent.connect(mesh.configuration("carol-1", ["carol"])) { agent in
                agent.subscribe("bravo.changed.v1") { event in got.withLock { $0.append(event.body) } }
            }
            #expect(try await carol.replay("bravo.changed.v1", from: .beginning) == 3)
            // The content key was made for others. Its publisher comes back as another process, and makes it for this one.
            let heir = try await Agent.connect(mesh.configuration("bravo-1", ["bravo"]))
            let wanted = (1...3).map { bytes(#"{"number":\#($0)}"#) }
            let cameAll = await eventually(within: .seconds(60)) {
                Set(got.withLock { $0 }) == Set(wanted)
            }
            #expect(cameAll, "\(got.withLock { $0.map { String(decoding: $0, as: UTF8.self) } })")
            await heir.close()
            await carol.close()
        } catch { Issue.record("\(error)\n\(mesh.broker.logTail())") }
        await mesh.stop()
    }

    /// An event of bravo, and who subscribes to it.
    private static func events(_ subscribers: [String]) -> String {
        "services:\n  - {name: bravo.changed.v1, kind: event}\nintegrations:\n"
            + subscribers.map {
                "  - {id: \($0)-changed, consumer: \($0), event: bravo.changed.v1, owner: agency, planYear: 2026, "
                    + "due: 2026-12-31, stage: approved, baseline: true}\n"
            }.joined()
    }

    // MARK: - What a sender sees

    @Test(
        "a command sent again under its id by another process is one command, and its outcome is opened by whoever asks"
    )
    func sentAgain() async throws {
        let space = try TestSpace(systems: ["alpha", "bravo"], ways: [])
        defer { space.remove() }
        try space.addContract("bravo.order.v1", kind: "command")
        try space.add(
            "orders.yaml",
            """
            services:
              - {name: bravo.order.v1, kind: command, deadline: 1d}
            integrations:
              - {id: alpha-orders, consumer: alpha, service: bravo.order.v1, owner: agency, planYear: 2026, due: 2026-12-31, stage: approved, baseline: true}

            """)
        let mesh = try await Mesh.start(.init(root: space.root, agents: []))
        do {
            let count = Counter()
            let first = try await Agent.connect(mesh.configuration("alpha-1", ["alpha"]))
            let command = try await first.send("bravo.order.v1", bytes(#"{"what":"canary"}"#))
            await first.close()
            let second = try await Agent.connect(mesh.configuration("alpha-1", ["alpha"]))
            let again = try await second.send("bravo.order.v1", bytes(#"{"what":"canary"}"#), id: command.id)
            #expect(again.id == command.id)
            await expectFault(4090) {
                _ = try await second.send("bravo.order.v1", bytes(#"{"what":"else"}"#), id: command.id)
            }
            let bravo = try await Agent.connect(mesh.configuration("bravo-1", ["bravo"])) { agent in
                agent.perform("bravo.order.v1") { command in
                    count.add()
                    return .completed(command.body)
                }
            }
            let status = try await second.outcome(of: command.id, within: .seconds(20))
            #expect(status.state == "completed" && status.outcome == bytes(#"{"what":"canary"}"#))
            #expect(count.value == 1)
            await second.close()
            await bravo.close()
        } catch { Issue.record("\(error)\n\(mesh.broker.logTail())") }
        await mesh.stop()
    }

    @Test("whoever lacks a system's seal key is told so, with what to do")
    func withoutSeal() async throws {
        let space = try TestSpace(
            systems: ["alpha", "bravo"], ways: [TestSpace.Way(consumer: "alpha", provider: "bravo")])
        defer { space.remove() }
        let mesh = try await Mesh.start(.init(root: space.root, agents: ["bravo"]))
        do {
            var configuration = try mesh.configuration("alpha-1", ["alpha"])
            configuration.seals = []
            let alpha = try await Agent.connect(configuration)
            await expectFault(4015) {
                _ = try await alpha.ask("bravo.ping.v1", bytes(#"{"token":1}"#), deadline: .seconds(20))
            }
            await alpha.close()
            try FileManager.default.removeItem(atPath: mesh.folder.keys + "/alpha.seal")
            let doctor = try await mesh.kerege(["doctor", "--contracts", space.root + "/Schemas/contracts"])
            #expect(doctor.code == 1 && doctor.output.contains("alpha.seal is not here"), "\(doctor.output)")
        } catch { Issue.record("\(error)\n\(mesh.broker.logTail())") }
        await mesh.stop()
    }
}

/// The readable memory of another process: what its core dump would have.
private struct ProcessMemory {
    let parts: [Data]

    init(_ process: Int32) throws {
        let maps = try String(contentsOfFile: "/proc/\(process)/maps", encoding: .utf8)
        let memory = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/proc/\(process)/mem"))
        defer { try? memory.close() }
        var parts: [Data] = []
        for line in maps.split(separator: "\n") {
            let words = line.split(separator: " ")
            let range = words[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
            // Of the program and its libraries only what was written; nothing that is not memory.
            guard range.count == 2, words[1].hasPrefix("rw"), !line.hasSuffix("[vvar]") else { continue }
            try memory.seek(toOffset: range[0])
            if let part = try? memory.read(upToCount: Int(range[1] - range[0])) { parts.append(part) }
        }
        self.parts = parts
    }
}
