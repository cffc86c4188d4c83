import BusDirectory
import BusProtocol
import Testing

@testable import BusEvidence

/// The word of the first step that is not ok, as "step about: word"; "ok" when there is none.
func firstWrong(_ steps: [EvidenceStep]) -> String {
    guard let wrong = steps.first(where: { !$0.isOK }) else { return "ok" }
    return "\(wrong.name.rawValue)\(wrong.about.isEmpty ? "" : " " + wrong.about): \(wrong.word)"
}

@Suite struct EvidenceFileTests {
    private let fixture = EvidenceFixture()

    private func verify(_ file: EvidenceFile) -> [EvidenceStep] {
        EvidenceVerifier.verify(file, authority: fixture.authority.verifier.key)
    }

    @Test func exchangesOfEveryKindHold() throws {
        for (name, file, last) in [
            ("request and reply", fixture.exchange(), "the request and its answers, in order"),
            ("request alone", fixture.file(3), "the request alone"),
            ("without bodies", fixture.file(2, 12, withBody: false), "the request and its answers, in order"),
            ("command and outcome", fixture.file(21, 31), "the command and its answers, in order"),
            ("command that expired", fixture.file(22, 32), "the command and its answers, in order"),
            ("event", fixture.file(41), "the event alone"),
        ] {
            let steps = verify(file)
            #expect(firstWrong(steps) == "ok", "\(name)")
            #expect(steps.first { $0.name == .exchange }?.outcome == .ok(last), "\(name)")
            #expect(try EvidenceFile(json: file.json()) == file, "\(name) goes both ways")
        }
    }

    @Test func stepsSayWhatIsKnown() {
        let steps = verify(fixture.exchange())
        #expect(steps.count == 4 + 2 * 4 + 2 + 1 + 1 + 2)
        #expect(Set(steps.map(\.name)) == Set(EvidenceStep.Name.allCases))
        let said = steps.map { step in
            if case .ok(let words) = step.outcome { words } else { "" }
        }
        #expect(said.contains("space demo, version 7, is the authority's"))
        #expect(said.contains("signed by agent portal-1 for portal"))
        #expect(said.contains("signed by agent individuals-1 for individuals"))
        #expect(said.contains("it was made for this very request"))
        #expect(said.contains("demo/broker-1 had 23 records"))
        #expect(said.contains("what was shown at 5 records is still there"))
    }

    /// The space may not state the log's key: then it is given, and only then.
    @Test func theLogsKeyIsStatedOrGiven() {
        let silent = fixture.file(1, 11, space: fixture.space(statesLog: false))
        let key = fixture.log.verifier.key
        let authority = fixture.authority.verifier.key
        #expect(firstWrong(EvidenceVerifier.verify(silent, authority: authority, log: key)) == "ok")
        #expect(firstWrong(verify(silent)) == "log-key: no-log-key")
        #expect(
            firstWrong(EvidenceVerifier.verify(silent, authority: authority, log: authority))
                == "checkpoint: note-not-signed")
        let stated = fixture.file(1, 11)
        #expect(firstWrong(EvidenceVerifier.verify(stated, authority: authority, log: key)) == "ok")
        #expect(
            firstWrong(EvidenceVerifier.verify(stated, authority: authority, log: authority))
                == "log-key: other-log-key")
        #expect(firstWrong(EvidenceVerifier.verify(stated, authority: key)) == "space: wrong-signature")
    }

    /// Nothing that rests on a failed step counts, and what does not rest on it is still told.
    @Test func whatRestsOnAFailedStepIsSkipped() {
        var file = fixture.exchange()
        file.checkpoint = file.checkpoint.replacing("\n23\n", with: "\n24\n")
        let steps = verify(file)
        #expect(firstWrong(steps) == "checkpoint: wrong-note-signature")
        for step in steps {
            switch step.name {
            case .inLog, .spaceInLog, .receipt: #expect(step.outcome == .skipped(.checkpoint))
            case .checkpoint: #expect(!step.isOK)
            default: #expect(step.isOK, "\(step)")
            }
        }
    }

    /// Less evidence is no forgery: what is left still holds, and the steps say what it is.
    @Test func aFileMayHaveLess() {
        var file = fixture.exchange()
        file.messages.removeLast()
        file.messages[0].body = nil
        file.records = []
        file.receipts = []
        file.space.place = nil
        let steps = verify(file)
        #expect(firstWrong(steps) == "ok" && steps.contains { $0.outcome == .ok("the request alone") })
    }

    /// What the authority signs for another purpose, or nobody signs, is no space.
    @Test func theSpaceIsSignedByItsAuthorityAsASpace() {
        var file = fixture.file(1, 11)
        let key = EvidenceFixture.signingKey("authority")
        let digest = file.space.snapshot.withUnsafeBytes { LogHash.body($0) }
        for signature in [
            key.sign(digest.bytes), key.sign(Domain.batch.bytes + digest.bytes), key.sign(file.space.snapshot),
            EvidenceFixture.signature(of: file.space.snapshot, by: EvidenceFixture.signingKey("portal-1")), [],
            [UInt8](repeating: 0, count: 64), file.space.signature.dropLast(),
        ] {
            file.space.signature = signature
            #expect(firstWrong(verify(file)) == "space: wrong-signature")
        }
    }

    /// A reply may leave the consumer out, an outcome not; neither may name another.
    @Test func answersNameThePartiesOfTheFirst() throws {
        for (numbers, consumer, word) in [
            ((1, 11), "", "ok"), ((1, 11), "portal", "ok"), ((1, 11), "e-notary", "other-parties"),
            ((21, 31), "e-notary", "ok"), ((21, 31), "", "other-parties"), ((21, 31), "portal", "other-parties"),
        ] as [((UInt16, UInt16), String, String)] {
            var file = fixture.file(numbers.0, numbers.1)
            var header = try Header(decoding: file.messages[1].header)
            header.consumer = consumer
            file.messages[1].header = header.encoded()
            #expect(verify(file).first { $0.name == .exchange }?.word == word, "\(numbers) \(consumer)")
        }
    }

    private func binding(_ file: EvidenceFile, _ index: Int = 1) -> EvidenceStep? {
        verify(file).first { $0.name == .binding && $0.about == "messages/\(index)" }
    }

    /// Everything else about these holds: they are signed, in the log, and name the id of what they claim to answer.
    @Test func anAnswerWasMadeForWhatStandsBesideIt() {
        for (numbers, word) in [
            ((1, 11), "ok"), ((5, 15), "ok"), ((1, 15), "other-request-digest"), ((1, 16), "other-request-digest"),
            ((1, 13), "no-request-digest"), ((21, 31), "ok"), ((21, 33), "other-request-digest"),
        ] as [((UInt16, UInt16), String)] {
            let steps = verify(fixture.file(numbers.0, numbers.1, withBody: false))
            #expect(firstWrong(steps) == (word == "ok" ? "ok" : "binding messages/1: \(word)"), "\(numbers)")
            #expect(steps.count { !$0.isOK } == (word == "ok" ? 0 : 1), "\(numbers)")
        }
        for numbers in [(21, 34), (22, 32)] as [(UInt16, UInt16)] {
            let step = binding(fixture.file(numbers.0, numbers.1))
            #expect(step?.outcome == .ok("it names its command by the id alone"), "\(numbers)")
        }
    }

    /// Signed and logged as it is: only the binding tells.
    @Test func everyBitOfTheDigestCounts() {
        var changes: [EvidenceFixture.Binding] = (0..<256).map { bit in
            { leaf in
                var bytes = leaf.bytes
                bytes[bit / 8] ^= 1 << UInt8(bit % 8)
                return [Header.Extension(type: RequestDigest.type, value: bytes)]
            }
        }
        changes += [
            { [Header.Extension(type: RequestDigest.type, value: $0.bytes.dropLast())] },
            { [Header.Extension(type: RequestDigest.type, value: $0.bytes + [0])] },
            { _ in [Header.Extension(type: RequestDigest.type, value: [])] },
            // Of several the first counts.
            { [RequestDigest.placeholder, RequestDigest.item($0)] },
        ]
        for (number, change) in changes.enumerated() {
            let changed = EvidenceFixture(binding: change)
            for numbers in number % 32 == 0 || number >= 256 ? [(1, 11), (21, 31)] : [(1, 11)] as [(UInt16, UInt16)] {
                let said = firstWrong(verify(changed.file(numbers.0, numbers.1)))
                #expect(said == "binding messages/1: other-request-digest", "\(number) of \(numbers)")
            }
        }
        for right in [
            { [RequestDigest.item($0), RequestDigest.placeholder] },
            { [Header.Extension(type: 3, value: [1]), RequestDigest.item($0)] },
        ] as [EvidenceFixture.Binding] {
            let changed = EvidenceFixture(binding: right)
            #expect(firstWrong(verify(changed.file(1, 11))) == "ok" && firstWrong(verify(changed.file(21, 31))) == "ok")
        }
        let bare = EvidenceFixture { _ in [Header.Extension(type: 3, value: [1])] }
        #expect(firstWrong(verify(bare.file(1, 11))) == "binding messages/1: no-request-digest")
    }

    /// An answer that belongs elsewhere fails the exchange, and its binding as well; what is no answer is bound to nothing.
    @Test func aBindingIsToldBesideAnExchangeThatFails() {
        let swapped = verify(fixture.file(1, 12))
        #expect(swapped.filter { !$0.isOK }.map(\.word) == ["other-correlation", "other-request-digest"])
        let twoRequests = verify(fixture.file(1, 2))
        #expect(twoRequests.first { $0.name == .binding }?.outcome == .skipped(.exchange))
        var unread = fixture.file(1, 11)
        unread.messages[0].header[0] = 9
        #expect(binding(unread)?.outcome == .skipped(.header))
        unread = fixture.file(1, 11)
        unread.messages[1].header[0] = 9
        #expect(binding(unread)?.outcome == .skipped(.header))
        #expect(!verify(fixture.file(3)).contains { $0.name == .binding })
        // The question itself was changed: what was answered is another one.
        var changed = fixture.file(1, 11)
        changed.messages[0].header[24] ^= 1
        #expect(binding(changed)?.word == "other-request-digest")
        changed = fixture.file(1, 11, withBody: false)
        changed.messages[0].bodyDigest.a ^= 1
        #expect(binding(changed)?.word == "other-request-digest")
    }

    @Test func onlyCanonicalFieldsOfASnapshotAreRead() {
        func read(_ text: String) -> StatedKeys? { StatedKeys(snapshot: Array(text.utf8)) }
        let whole = String(decoding: EvidenceFixture.snapshot(version: 7), as: UTF8.self)
        #expect(read(whole)?.agents.map(\.name) == ["e-notary-1", "individuals-1", "portal-1", "real-estate-1"])
        for (from, to) in [
            ("kerege-space/1", "kerege-space/2"), (#""version":7"#, #""version":0"#),
            (#""version":7"#, #""version":"7""#),
            (#""id":"demo""#, #""id":1"#), (#""keys":["#, #""keys":[1,"#), (#""agent":"old""#, #""agent":1"#),
            (#""systems":[]"#, #""systems":[1]"#), (#""systems":[]"#, #""systems":[],"sign":"ab""#),
            (#""isDemo":true"#, #""isDemo":true,"isDemo":true"#),
        ] { #expect(read(whole.replacing(from, with: to)) == nil, "\(to)") }
    }

    /// A key counts on the days the space says, by the sender's clock, and not at all once revoked.
    @Test func keysCountOnTheirDays() {
        // The messages were signed on 2026-01-01 at 05:00 by the time of Kazakhstan.
        for (members, word) in [
            (#""from":"2026-01-01","until":"2026-01-01""#, "ok"), (#""from":"2026-01-02""#, "key-not-valid-then"),
            (#""until":"2025-12-31""#, "key-not-valid-then"), (#""revoked":"2030-01-01""#, "unknown-key"),
            (#""from":"2026-01-02","until":"2026-01-01""#, "unknown-key"), (#""from":"2026-02-30","#, "skipped"),
            (#""until":20260101,"#, "skipped"), (#""revoked":"soon","#, "skipped"),
        ] {
            let step = verify(fixture.exchange(withKeyOf: members)).first { $0.name == .signature }
            #expect(step?.word == word, "\(members)")
        }
    }

    @Test func daysAreThoseOfTheDirectory() {
        for text in ["1900-01-01", "1970-01-01", "2000-02-29", "2026-11-27", "2100-03-01", "2199-12-31"] {
            let end = CalendarDate(text)?.endOfDayMilliseconds
            #expect(end != nil && StatedDay.start(of: text).map { $0 + StatedDay.milliseconds - 1 } == end, "\(text)")
        }
        for text in ["2100-02-29", "2026-13-01", "2026-00-01", "2026-1-01", "20260101", "2026-04-31", "1899-12-31"] {
            #expect(StatedDay.start(of: text) == nil && CalendarDate(text) == nil, "\(text)")
        }
    }

    /// The snapshot that BusDirectory writes, and the members read here, are the same ones.
    @Test func keysOfARealSnapshotAreRead() throws {
        let key = SigningKey().publicKey
        let space = Space(
            id: "demo", title: LocalizedName(en: "Demo"), isDemo: true, note: "қ \"1\"",
            broker: BrokerFacts(id: "broker-1", endpoint: "tcp://127.0.0.1:7400"),
            keys: [
                AgentKey(agent: "portal-1", systems: ["portal", "mobile"], curve: "c", sign: key.bytes.hex),
                AgentKey(agent: "operator", systems: [], curve: "d", roles: [.operator]),
            ])
        let snapshot = try SpaceSnapshot(space, after: SpaceSnapshot(space))
        let stated = try #require(StatedKeys(snapshot: snapshot.canonical))
        #expect(stated.space == "demo" && stated.version == 2 && stated.log == nil)
        #expect(stated.agents.map(\.name) == ["portal-1"])
        #expect(stated.agent(key.id, for: "mobile")?.key == key && stated.agent(key.id, for: "individuals") == nil)
        // The signature that is on the bus and the one of a file are the same.
        let secret = SigningKey()
        let signed = SignedSpace(snapshot, by: secret)
        var file = fixture.file(1, 11)
        file.space = EvidenceFile.Space(snapshot: snapshot.canonical, signature: signed.signature)
        #expect(EvidenceVerifier.verify(file, authority: secret.publicKey).first?.word == "ok")
    }

    @Test func headersNameTheirSender() throws {
        var header = Header(kind: .reply, id: .none, created: 0)
        header.target = "individuals.person-get.v1"
        header.consumer = "portal"
        for (kind, sender) in [
            (MessageKind.request, "portal"), (.reply, "individuals"), (.command, "portal"), (.outcome, "individuals"),
            (.event, "individuals"), (.keyEpoch, "portal"), (.keyWrap, "portal"),
        ] {
            header.kind = kind
            #expect(header.sender == sender)
        }
        header.kind = .request
        header.consumer = ""
        #expect(header.sender == nil)
        for kind in [MessageKind.reply, .event] {
            header.kind = kind
            header.target = ".individuals.person-get.v1"
            #expect(header.sender == nil, "nothing stands before the first dot")
        }
    }
}

@Suite struct StrictJSONTests {
    @Test func whatMeansOneThingIsRead() throws {
        let text = #" {"a": [1, -20, 0, true, false, null], "b\u00e9\ud83d\ude00\n\/": "x\\\"", "": {}} "#
        let value = try StrictJSON.read(Array(text.utf8))
        #expect(
            value
                == .object([
                    "a": .list([.integer(1), .integer(-20), .integer(0), .flag(true), .flag(false), .null]),
                    "bé😀\n/": .text("x\\\""), "": .object([:]),
                ]))
    }

    @Test(arguments: [
        "", " ", "{", "}", "[1,]", "{\"a\":1,}", "{\"a\"}", "{a:1}", "'a'", "01", "-", "-0", "+1", "1.0", "1e3", "NaN",
        "9223372036854775808", "tru", "truex", "nul", "[1] 2", "\"a", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"",
        "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"\t\"", "\u{feff}1", "1\u{0}", "[1 2]",
    ])
    func anythingElseIsRefused(text: String) {
        #expect(throws: EvidenceFileFault.self) { try StrictJSON.read(Array(text.utf8)) }
    }

    @Test func wordsAreChecked() {
        func fault(_ bytes: [UInt8]) -> EvidenceFileFault? {
            do throws(EvidenceFileFault) {
                _ = try StrictJSON.read(bytes)
                return nil
            } catch { return error }
        }
        #expect(fault([0x22, 0xff, 0x22]) == EvidenceFileFault(code: .malformedJSON, pointer: ""))
        #expect(
            fault(Array(#"{"a/~":[{"b":1,"b":2}]}"#.utf8))
                == EvidenceFileFault(code: .duplicateMember, pointer: "/a~1~0/0/b"))
        #expect(fault(Array(String(repeating: "[", count: 100_000).utf8))?.code == .tooLong)
        #expect(fault(Array((String(repeating: "[", count: 32) + String(repeating: "]", count: 32)).utf8)) == nil)
    }
}
