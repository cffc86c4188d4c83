import BusContracts
import BusEvidence
import BusProtocol
import Foundation
import Logging
import Synchronization
import Testing
import ZeroMQ

@testable import BusAgent

@Suite("Contracts at both edges", .timeLimit(.minutes(1)))
struct ContractEdgeTests {
    static let document = """
        {"contract":"individuals.person-get.v1","kind":"request","title":{"kk":"а","ru":"б","en":"c"},"summary":"A person.",
         "request":{"type":"object","properties":{"iin":{"type":"string","minLength":12}},"required":["iin"],"additionalProperties":false},
         "reply":{"type":"object","properties":{"name":{"type":"string"}},"required":["name"]},
         "examples":[{"request":{"iin":"900101300017"},"reply":{"name":"x"}}]}
        """
    static func library() throws -> ContractLibrary { ContractLibrary([try Contract.parse(Array(document.utf8))]) }

    private func ask(
        consumerChecks: Bool, providerChecks: Bool, _ request: String, _ reply: String
    ) async throws -> (fault: BusFault?, asked: Bool) {
        let broker = try MiniBroker()
        let asked = Signal.Flag()
        var providing = AgentTests.configuration(broker, "individuals")
        providing.contracts = try Self.library()
        providing.isOpaque = !providerChecks
        let provider = try await Agent.connect(providing) { agent in
            agent.answerInline(AgentTests.service) { _ in
                asked.set()
                return Array(reply.utf8)
            }
        }
        var consuming = AgentTests.configuration(broker, "portal")
        consuming.contracts = try Self.library()
        consuming.isOpaque = !consumerChecks
        let consumer = try await Agent.connect(consuming)
        let fault = await AgentTests.fault { () async throws(BusFault) in
            try await consumer.ask(AgentTests.service, Array(request.utf8))
        }
        await consumer.close()
        await provider.close()
        return (fault, asked.isSet)
    }

    @Test(arguments: [true, false], [true, false])
    func goodBodiesPass(_ consumerChecks: Bool, _ providerChecks: Bool) async throws {
        let result = try await ask(
            consumerChecks: consumerChecks, providerChecks: providerChecks, #"{"iin":"900101300017"}"#, #"{"name":"x"}"#
        )
        #expect(result.fault == nil && result.asked)
    }

    @Test func aContractOfAnotherKindIsNoViolation() throws {
        let contract = BoundContract(try Contract.parse(Array(Self.document.utf8)))
        let fault = #expect(throws: BusFault.self) { try contract.checkEvent(Array("{}".utf8), at: .consumerAgent) }
        #expect(fault?.code == .wrongKind && fault?.detail.contains("is of kind request") == true)
    }

    static let event = """
        {"contract":"individuals.person-died.v1","kind":"event","title":{"kk":"а","ru":"б","en":"c"},"summary":"A death.",
         "event":{"type":"object","properties":{"iin":{"type":"string"}},"additionalProperties":false},"x-order-key":"/iin",
         "examples":[{"event":{"iin":"900101300017"}}]}
        """

    /// What happened to one person arrives in the order in which it was published.
    @Test func eventsCarryTheOrderKeyOfTheirContract() async throws {
        let broker = try MiniBroker()
        var configuration = AgentTests.configuration(broker, "individuals")
        configuration.contracts = ContractLibrary([try Contract.parse(Array(Self.event.utf8))])
        let agent = try await Agent.connect(configuration)
        func key(_ body: String) throws -> UInt128? {
            try Header(decoding: agent.prepareEvent("individuals.person-died.v1", Array(body.utf8)).header).orderKey
        }
        #expect(try key(#"{"iin":"000000000000"}"#) == 0xf406_00d0_542d_2c9c_286b_8c07_787f_46c5)
        #expect(try key(#"{ "iin" : "1" }"#) == key(#"{"iin":"1"}"#))
        #expect(try key("{}") == nil)
        await agent.close()
    }

    @Test func aWrongRequestNeverLeaves() async throws {
        let result = try await ask(consumerChecks: true, providerChecks: true, #"{"iin":"9"}"#, #"{"name":"x"}"#)
        #expect(result.fault?.name == "request-violates-contract" && result.fault?.hop == "consumer-agent")
        #expect(result.fault?.pointer == "/iin" && !result.asked)
    }

    @Test func theProviderChecksAgainBeforeItsHandler() async throws {
        let result = try await ask(consumerChecks: false, providerChecks: true, #"{"iin":"9"}"#, #"{"name":"x"}"#)
        #expect(result.fault?.name == "request-violates-contract" && result.fault?.hop == "provider-agent")
        #expect(result.fault?.pointer == "/iin" && !result.asked)
    }

    @Test func aWrongAnswerStopsAtTheProvider() async throws {
        let result = try await ask(
            consumerChecks: false, providerChecks: true, #"{"iin":"900101300017"}"#, #"{"secret":"x"}"#)
        #expect(
            result.fault?.name == "answer-violates-contract" && result.fault?.hop == "provider-agent" && result.asked)
    }

    @Test func theConsumerChecksTheAnswerToo() async throws {
        let result = try await ask(
            consumerChecks: true, providerChecks: false, #"{"iin":"900101300017"}"#, #"{"name":5}"#)
        #expect(result.fault?.name == "answer-violates-contract" && result.fault?.hop == "consumer-agent")
        #expect(result.fault?.pointer == "/name")
    }

    @Test func aFolderOfContractsIsReadAndMisnamedOnesAreTold() throws {
        let scratch = try Scratch()
        try scratch.write(Self.document, "individuals.person-get.v1.json")
        #expect(try ContractLibrary.load(scratch.path).names == ["individuals.person-get.v1"])
        try scratch.write(Self.document, "other.v1.json")
        let problem = #expect(throws: ContractLibrary.Problem.self) { try ContractLibrary.load(scratch.path) }
        #expect(problem?.description.contains("name it individuals.person-get.v1.json") == true)
    }
}

extension Signal {
    /// Set on the socket thread, read after the call has ended.
    final class Flag: Sendable {
        private let wasSet = Mutex(false)
        func set() { wasSet.withLock { $0 = true } }
        var isSet: Bool { wasSet.withLock { $0 } }
    }
}

@Suite("Key files")
struct KeyFileTests {
    @Test func aCreatedKeyLoadsAndIsPrivate() throws {
        let scratch = try Scratch()
        let made = try KeyFile.create(name: "portal-1", in: scratch.file("keys"))
        let path = scratch.file("keys/portal-1.key")
        #expect(try KeyFile.load(path).publicKey == made.publicKey)
        #expect(try KeyFile.publicKey(scratch.file("keys/portal-1.pub")) == made.publicKey)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        #expect(throws: KeyFile.Problem.self) { try KeyFile.create(name: "portal-1", in: scratch.file("keys")) }
        #expect(try KeyFile.load(path).publicKey == made.publicKey)
    }

    @Test func aKeyOthersMayReadIsRefusedWithTheCommandThatMendsIt() throws {
        let scratch = try Scratch()
        _ = try KeyFile.create(name: "portal-1", in: scratch.path)
        let path = scratch.file("portal-1.key")
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        let problem = #expect(throws: KeyFile.Problem.self) { try KeyFile.load(path) }
        #expect(problem?.description.contains("chmod 600 \(path)") == true)
    }

    @Test func missingAndForeignFilesAreTold() throws {
        let scratch = try Scratch()
        let missing = #expect(throws: KeyFile.Problem.self) { try KeyFile.load(scratch.file("portal-1.key")) }
        #expect(missing?.description.contains("kerege keys new portal-1") == true)
        let (one, other) = (
            try KeyFile.create(name: "a", in: scratch.path), try KeyFile.create(name: "b", in: scratch.path)
        )
        #expect(one.publicKey != other.publicKey)
        let mixed = "public: \(one.publicKey)\nsecret: \(other.curveSecret.revealZ85())\n"
        try FileManager.default.removeItem(atPath: scratch.file("a.key"))
        #expect(
            FileManager.default.createFile(
                atPath: scratch.file("a.key"), contents: Data(mixed.utf8), attributes: [.posixPermissions: 0o600]))
        let problem = #expect(throws: KeyFile.Problem.self) { try KeyFile.load(scratch.file("a.key")) }
        #expect(problem?.description.contains("do not belong together") == true)
    }

    @Test func aFileHasAlsoASigningKey() throws {
        let scratch = try Scratch()
        let made = try KeyFile.create(name: "a", in: scratch.path)
        #expect(try KeyFile.load(scratch.file("a.key")).signPublicKey == made.signPublicKey)
        #expect(made.signPublicKey?.count == 64)
        let shown = try String(contentsOfFile: scratch.file("a.pub"), encoding: .utf8)
        #expect(shown.contains("sign-public: \(made.signPublicKey ?? "")") && !shown.contains("secret"))
        // Half of another pair.
        let other = try KeyFile.create(name: "b", in: scratch.path)
        let text = try String(contentsOfFile: scratch.file("a.key"), encoding: .utf8)
        try text.replacing(made.signPublicKey ?? "-", with: other.signPublicKey ?? "-")
            .write(toFile: scratch.file("a.key"), atomically: false, encoding: .utf8)
        let problem = #expect(throws: KeyFile.Problem.self) { try KeyFile.load(scratch.file("a.key")) }
        #expect(problem?.description.contains("signing keys") == true)
    }

    @Test func aFileOfBeforeIsReadAndCompletedWithoutChangingWhoItIs() throws {
        let scratch = try Scratch()
        let made = try KeyFile.create(name: "a", in: scratch.path)
        let path = scratch.file("a.key")
        let old = "public: \(made.publicKey)\nsecret: \(made.curveSecret.revealZ85())\n"
        try old.write(toFile: path, atomically: false, encoding: .utf8)
        #expect(try KeyFile.load(path).signPublicKey == nil)
        let completed = try KeyFile.addSigning(to: path)
        #expect(completed.publicKey == made.publicKey && completed.signPublicKey != nil)
        #expect(try KeyFile.addSigning(to: path).signPublicKey == completed.signPublicKey, "made once")
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test func sealsAndTheAuthorityAreForTheirOwnerAlone() throws {
        let scratch = try Scratch()
        let seal = try SealFile.create(system: "portal", in: scratch.path)
        let authority = try AuthorityFile.create(in: scratch.path)
        #expect(try SealFile.load(system: "portal", in: scratch.path).publicKey == seal.publicKey)
        #expect(try AuthorityFile.load(scratch.file("authority.key")).publicKey == authority.publicKey)
        #expect(try AuthorityFile.publicKey(scratch.file("authority.pub")) == authority.publicKey)
        #expect(throws: KeyFile.Problem.self) { try SealFile.create(system: "portal", in: scratch.path) }
        #expect(throws: KeyFile.Problem.self) { try AuthorityFile.create(in: scratch.path) }
        #expect(try SealFile.loadIfPresent(system: "bank", in: scratch.path) == nil)
        let half = #expect(throws: KeyFile.Problem.self) { try AuthorityFile.load(scratch.file("authority.pub")) }
        #expect(half?.description.contains("public half") == true && half?.description.contains("chmod") == false)
        for file in ["portal.seal", "authority.key"] {
            let path = scratch.file(file)
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600, "\(file)")
            try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
        }
        let open = #expect(throws: KeyFile.Problem.self) { try SealFile.load(system: "portal", in: scratch.path) }
        #expect(open?.description.contains("chmod 600") == true)
        #expect(throws: KeyFile.Problem.self) { try AuthorityFile.load(scratch.file("authority.key")) }
        var configuration = AgentConfiguration(name: "portal-1", systems: ["portal"])
        #expect(throws: KeyFile.Problem.self) { try configuration.loadSeals(from: scratch.path) }
    }

    @Test func whatAnAgentRemembersOutlivesIt() throws {
        let scratch = try Scratch()
        let logger = Logger(label: "test")
        var memory = AgentMemory(directory: scratch.path, agent: "a-1", logger)
        #expect(memory.bootCounter == 1)
        memory.save(LogReceipt(treeSize: 9, root: ScriptedBroker.root(9)))
        let next = AgentMemory(directory: scratch.path, agent: "a-1", logger)
        #expect(next.bootCounter == 2)
        #expect(next.receipt == LogReceipt(treeSize: 9, root: ScriptedBroker.root(9)))
        #expect(next.checkpoint == nil, "an earlier version kept none")
    }

    /// The checkpoint is a file of its own, as it was signed; what earlier versions wrote and read is as it was.
    @Test func theCheckpointOutlivesIt() throws {
        let scratch = try Scratch()
        let logger = Logger(label: "test")
        let signer = try #require(NoteSigner(name: "small/b", key: SigningKey()))
        func known(_ size: UInt64) -> KnownCheckpoint {
            let head = TreeHead(size: size, root: [UInt8(size)].withUnsafeBytes { LogHash.body($0) })
            return KnownCheckpoint(head: head, note: Checkpoint.sign(head, by: signer))
        }
        var memory = AgentMemory(directory: scratch.path, agent: "a-1", logger)
        memory.save(known(7), with: LogReceipt(treeSize: 9, root: ScriptedBroker.root(9)))
        var next = AgentMemory(directory: scratch.path, agent: "a-1", logger)
        #expect(next.checkpoint == known(7) && next.receipt.treeSize == 9)
        let line = try String(contentsOfFile: scratch.path + "/agents/a-1.memory", encoding: .utf8)
        #expect(line == "2 9 \(ScriptedBroker.root(9).hex)\n")
        #expect(try String(contentsOfFile: scratch.path + "/agents/a-1.checkpoint", encoding: .utf8) == known(7).note)
        next.save(known(12), with: LogReceipt(known(12).head))
        next.save(fork: known(13).note)
        let last = AgentMemory(directory: scratch.path, agent: "a-1", logger)
        #expect(last.checkpoint == known(12) && last.receipt == LogReceipt(known(12).head))
        let fork = try String(contentsOfFile: scratch.path + "/agents/a-1.fork", encoding: .utf8)
        #expect(fork == known(12).note + "\n" + known(13).note)
        try "no note".write(toFile: scratch.path + "/agents/a-1.checkpoint", atomically: true, encoding: .utf8)
        #expect(AgentMemory(directory: scratch.path, agent: "a-1", logger).checkpoint == nil)
    }
}
