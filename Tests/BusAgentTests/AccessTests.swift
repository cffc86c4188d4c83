import BusContracts
import BusDirectory
import BusEvidence
import BusProtocol
import Foundation
import Synchronization
import Testing

@testable import BusAgent

@Suite("Accesses to people's data", .timeLimit(.minutes(1)))
struct AccessTests {
    static let iin = "990101500016"
    static let service = "individuals.person-get.v1"

    static func contract(_ name: String, subject: Bool) throws -> Contract {
        let member = subject ? #","x-subject":"/iin""# : ""
        let text = """
            {"contract":"\(name)","kind":"request","title":{"kk":"а","ru":"б","en":"c"},"summary":"A person.",
             "request":{"type":"object","properties":{"iin":{"type":"string","minLength":12},"name":{"type":"string"}},
              "additionalProperties":false},
             "reply":{"type":"object","properties":{"name":{"type":"string"}},"required":["name"]}\(member)}
            """
        return try Contract.parse(Array(text.utf8))
    }

    static func library() throws -> ContractLibrary {
        ContractLibrary([
            try contract(service, subject: true), try contract("individuals.quiet-get.v1", subject: false),
        ])
    }

    /// A provider with a key, a consumer without contracts, and what is between them.
    struct Stage {
        let broker: MiniBroker
        let file: SubjectFile
        let provider: Agent
        let consumer: Agent

        init(_ file: SubjectFile? = SubjectFile(system: "individuals", key: SubjectKey())) async throws {
            broker = try MiniBroker()
            self.file = file ?? SubjectFile(system: "individuals", key: SubjectKey())
            var providing = AgentTests.configuration(broker, "individuals")
            providing.contracts = try AccessTests.library()
            providing.subjects = file.map { [$0] } ?? []
            provider = try await Agent.connect(providing) { agent in
                agent.answerInline(AccessTests.service) { inquiry in try Self.answer(inquiry) }
                agent.answer("individuals.quiet-get.v1") { inquiry in try Self.answer(inquiry) }
            }
            consumer = try await Agent.connect(AgentTests.configuration(broker, "portal"))
        }

        private static func answer(_ inquiry: Inquiry) throws -> [UInt8] {
            switch try JSONValue.parse(inquiry.body)["name"]?.string {
            case "nobody": throw BusFault.nothingFound()
            case "busy": throw BusFault(.queueFull, at: .providerAgent)
            case "wrong": Array("{}".utf8)
            default: Array(#"{"name":"x"}"#.utf8)
            }
        }

        /// Asks, whatever comes of it.
        func ask(_ body: String, _ service: String = AccessTests.service) async -> BusFault? {
            await AgentTests.fault { () async throws(BusFault) in try await consumer.ask(service, Array(body.utf8)) }
        }

        var references: [UInt128?] { broker.exchanged(.reply).map(\.subjectReference) }

        func end() async {
            await consumer.close()
            await provider.close()
        }
    }

    @Test func anAnswerCarriesTheReferenceOfWhomItIsAbout() async throws {
        let stage = try await Stage()
        #expect(await stage.ask(#"{"iin":"\#(Self.iin)"}"#) == nil)
        #expect(await stage.ask(#"{"iin":"\#(Self.iin)","name":"nobody"}"#)?.number == 2040)
        #expect(await stage.ask(#"{"iin":"\#(Self.iin)","name":"wrong"}"#)?.number == 5021)
        #expect(await stage.ask(#"{"iin":"080540000011"}"#) == nil)
        let own = stage.file.key.reference(to: Self.iin.utf8, at: "individuals")
        let other = stage.file.key.reference(to: "080540000011".utf8, at: "individuals")
        #expect(stage.references == [own, own, own, other])
        await stage.end()
    }

    @Test func whatWasNotUnderstoodIsAboutNobody() async throws {
        let stage = try await Stage()
        #expect(await stage.ask(#"{"iin":"1"}"#)?.number == 4220)
        #expect(await stage.ask(#"{"iin":"\#(Self.iin)","name":"busy"}"#)?.number == 4291)
        #expect(await stage.ask(#"{"name":"x"}"#) == nil, "no number, no person")
        #expect(await stage.ask(#"{"iin":"\#(Self.iin)"}"#, "individuals.quiet-get.v1") == nil)
        #expect(await stage.ask("{}", "individuals.other-get.v1")?.number == 5020)
        #expect(stage.references == [nil, nil, nil, nil, nil])
        await stage.end()
        let keyless = try await Stage(nil)
        #expect(await keyless.ask(#"{"iin":"\#(Self.iin)"}"#) == nil)
        #expect(await keyless.ask(#"{"subject":"\#(Self.iin)"}"#, AccessReference.service(of: "individuals")) != nil)
        #expect(keyless.references.allSatisfy { $0 == nil })
        await keyless.end()
    }

    /// The reference tells nothing to who has another key, though every number is tried.
    @Test func withoutTheKeyTryingNumbersFindsNothing() async throws {
        let stage = try await Stage()
        _ = await stage.ask(#"{"iin":"\#(Self.iin)"}"#)
        let reference = try #require(stage.references.first ?? nil)
        let numbers = (0..<10_000).map { "9901015\(String($0 + 100_000).suffix(5))" }
        #expect(numbers.contains(Self.iin))
        let foreign = SubjectKey()
        #expect(!numbers.contains { foreign.reference(to: $0.utf8, at: "individuals") == reference })
        #expect(!numbers.contains { OrderKey.open(Array($0.utf8), provider: "individuals") == reference })
        #expect(numbers.filter { stage.file.key.reference(to: $0.utf8, at: "individuals") == reference } == [Self.iin])
        #expect(stage.file.key.reference(to: Self.iin.utf8, at: "real-estate") != reference)
        await stage.end()
    }

    @Test func theAgentItselfTellsTheReferences() async throws {
        let earlier = SubjectKey()
        let stage = try await Stage(SubjectFile(system: "individuals", key: SubjectKey(), earlier: [earlier]))
        let service = AccessReference.service(of: "individuals")
        let answer = try await stage.consumer.ask(service, Array(#"{"subject":"\#(Self.iin)"}"#.utf8))
        let expected = [stage.file.key, earlier].map {
            AccessReference.text($0.reference(to: Self.iin.utf8, at: "individuals"))
        }
        #expect(AccessReference.references(answer.body) == expected)
        #expect(expected[0].count == 32)
        for body in ["{}", "[]", #"{"subject":""}"#, #"{"subject":5}"#] {
            #expect(await stage.ask(body, service)?.number == 4220, "\(body)")
        }
        await stage.end()
    }

    @Test func whoWatchesIsToldOnceAnAnswer() async throws {
        let stage = try await Stage()
        let seen = Mutex<[Access]>([])
        stage.provider.onAccess { access in seen.withLock { $0.append(access) } }
        let context = CallContext(purpose: "complaint 17", user: "clerk-204")
        let body = Array(#"{"iin":"\#(Self.iin)"}"#.utf8)
        let answer = try await stage.consumer.ask(Self.service, body, context: context)
        _ = await stage.ask(#"{"iin":"\#(Self.iin)","name":"nobody"}"#)
        _ = await stage.ask(#"{"iin":"1"}"#)
        let accesses = seen.withLock { $0 }
        #expect(accesses.map(\.outcome) == [0, 2040])
        let first = try #require(accesses.first)
        #expect(first.request == answer.id && first.subject == Self.iin && first.service == Self.service)
        #expect(first.consumer == "portal" && first.purpose == "complaint 17")
        await stage.end()
    }

    // MARK: - Purpose and user

    @Test func aNumberIsNoPseudonym() async throws {
        let stage = try await Stage()
        for user in [Self.iin, "iin-\(Self.iin)", "080540000011"] {
            let fault = await AgentTests.fault { () async throws(BusFault) in
                try await stage.consumer.ask(Self.service, [], context: CallContext(user: user))
            }
            #expect(fault?.number == 4222 && fault?.detail.contains(Self.iin) == false, "\(user)")
            #expect(throws: BusFault.self) {
                try stage.consumer.prepareCommand("a.b.v1", [], context: CallContext(user: user))
            }
        }
        #expect(stage.broker.exchanged(.request).isEmpty, "nothing left")
        let long = CallContext(purpose: String(repeating: "x", count: 256))
        let fault = await AgentTests.fault { () async throws(BusFault) in
            try await stage.consumer.ask(Self.service, [], context: long)
        }
        #expect(fault?.number == 4003)
        await stage.end()
    }

    @Test func theSpaceStatesHowLongACommandMayWait() {
        let terms = StatedTerms()
        #expect(terms.longestExpiry(of: "register.order.v1") == nil)
        terms.take(
            Space(
                id: "small", title: LocalizedName(en: "Small"),
                broker: BrokerFacts(id: "b", endpoint: "tcp://127.0.0.1:7400"),
                services: [
                    OfferedService(
                        name: "register.order.v1", kind: .command, system: "register", deadline: Milliseconds(60_000)),
                    OfferedService(name: "register.free.v1", kind: .command, system: "register"),
                    OfferedService(
                        name: Self.service, kind: .request, system: "register", deadline: Milliseconds(2_000)),
                ]))
        #expect(terms.longestExpiry(of: "register.order.v1") == .seconds(60))
        #expect(terms.longestExpiry(of: "register.free.v1") == nil && terms.longestExpiry(of: Self.service) == nil)
    }

    @Test func thePlanStatesThePurposeOfWhoNamesNone() throws {
        let purposes = StatedTerms()
        #expect(purposes.generation == 0 && purposes.purpose(of: "portal", asking: Self.service).isEmpty)
        let due = try #require(CalendarDate("2026-12-31"))
        func space(_ purpose: String?) -> Space {
            Space(
                id: "small", title: LocalizedName(en: "Small"),
                broker: BrokerFacts(id: "b", endpoint: "tcp://127.0.0.1:7400"),
                integrations: [
                    Integration(
                        id: "a", consumer: "portal", service: Self.service, owner: "o", planYear: 2026,
                        due: due, stage: .approved, purpose: purpose)
                ])
        }
        purposes.take(space("forms"))
        #expect(purposes.generation == 1 && purposes.purpose(of: "portal", asking: Self.service) == "forms")
        #expect(purposes.purpose(of: "mobile", asking: Self.service).isEmpty)
        purposes.take(space(nil))
        #expect(purposes.generation == 2 && purposes.purpose(of: "portal", asking: Self.service).isEmpty)
    }

    // MARK: - The key's file

    @Test func theKeyIsForItsOwnerAloneAndOneSystems() throws {
        let scratch = try Scratch()
        let made = try SubjectFile.create(system: "individuals", in: scratch.file("keys"))
        let path = scratch.file("keys/individuals.subject")
        let keys = scratch.file("keys")
        #expect(try SubjectFile.load(system: "individuals", in: keys).key.bytes == made.key.bytes)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        #expect(throws: KeyFile.Problem.self) { try SubjectFile.create(system: "individuals", in: keys) }
        #expect(try SubjectFile.createMissing(of: ["individuals", "portal"], in: keys) == [keys + "/portal.subject"])
        #expect(try SubjectFile.loadIfPresent(system: "mobile", in: keys) == nil)

        func problem() -> String {
            do throws(KeyFile.Problem) {
                _ = try SubjectFile.load(system: "individuals", in: keys)
                return ""
            } catch { return "\(error)" }
        }
        let text = try String(contentsOfFile: path, encoding: .utf8)
        func write(_ text: String) throws {
            let handle = try #require(FileHandle(forWritingAtPath: path))
            try handle.truncate(atOffset: 0)
            try handle.write(contentsOf: Data(text.utf8))
            try handle.close()
        }
        try write(text + "earlier-secret-1: \(SubjectKey().bytes.hex)\n")
        #expect(try SubjectFile.load(system: "individuals", in: keys).earlier.count == 1)
        try write(text + "earlier-secret-1: 12\n")
        #expect(problem().contains("earlier-secret-1"))
        try write(text.replacing("individuals", with: "portal"))
        #expect(problem().contains("is the subject key of portal"))
        try write("nonsense")
        #expect(problem().contains("kerege keys new AGENT --system individuals"))
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
        #expect(problem().contains("chmod 600 \(path)"))
        var configuration = AgentConfiguration(name: "individuals-1", systems: ["individuals"])
        #expect(throws: KeyFile.Problem.self) { try configuration.loadSubjects(from: keys) }
    }
}
