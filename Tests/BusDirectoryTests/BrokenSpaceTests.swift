import BusDirectory
import Testing

/// Each kind of mistake: one change to a valid file → exactly one finding, at the place to look at.
struct BrokenSpaceTests {
    struct Mistake: Sendable, CustomTestStringConvertible {
        var old: String
        var new: String
        /// `code line:column`
        var finding: String
        /// What the printed finding must say.
        var says: String
        var contracts: Set<String>?

        init(_ old: String, _ new: String, _ finding: String, _ says: String, contracts: Set<String>? = nil) {
            self.old = old
            self.new = new
            self.finding = finding
            self.says = says
            self.contracts = contracts
        }

        var testDescription: String { finding }
    }

    static let mistakes: [Mistake] = [
        // YAML itself
        Mistake(
            "  id: small", "  id: \"small", "yaml-syntax 4:35",
            "while parsing a block mapping at line 2, column 3) — check the indentation"),
        Mistake("  id: small", "\tid: small", "tab 2:1", "a tab in the indentation — spaces"),
        Mistake(
            "  window: 5m\n", "  window: 5m\n  window: 6m\n", "duplicate-member 7:3",
            "`window` stands twice in one mapping, first at line 6"),
        Mistake("id: small", "id: &a small", "anchor 2:7", "an anchor (&name)"),
        Mistake("id: small", "id: *a", "yaml-syntax 2:7", "found undefined alias"),
        Mistake("id: small", "id: !secret small", "yaml-syntax 2:7", "a tag (!secret)"),
        Mistake("id: small", "id: sm\u{7}all", "yaml-syntax 2:9", "control characters are not allowed"),
        Mistake("id: small", "? [a]\n  : b", "wrong-type 2:5", "a member name that is a list"),
        Mistake("space:\n", "---\nspace: {}\n---\nspace:\n", "yaml-syntax 3:1", "found another document"),
        // Members
        Mistake(
            "    consumer: portal\n    service", "    consumr: portal\n    consumer: portal\n    service",
            "unknown-member 28:5", "unknown member `consumr` of integration — did you mean `consumer`?"),
        Mistake("space:\n  id: small", "space:\n  <<: {}\n  id: small", "unknown-member 2:3", "unknown member `<<`"),
        Mistake("agencies:", "zoo: []\nagencies:", "unknown-member 8:1", "one of space, broker, thresholds"),
        Mistake(
            "    due: 2018-12-31\n    stage: approved", "    stage: approved", "missing-member 27:5",
            "`due` of integration is missing — add `due:` with an existing day as YYYY-MM-DD"),
        Mistake(
            "owner: ministry\n    status: operation\n    functions", "owner: ~\n    status: operation\n    functions",
            "missing-member 14:12", "`owner` of system is empty"),
        Mistake("  id: small\n", "  id: ''\n", "missing-member 2:7", "`id` of the section `space` is empty"),
        Mistake(
            "  title: {kk: Кеңістік, ru: Пространство, en: Space}\n", "", "missing-member 2:3",
            "`title` of the space is missing"),
        Mistake(
            "broker: {id: broker-1, endpoint: \"tcp://127.0.0.1:7400\"}\n", "", "missing-member 1:1",
            "the section `broker` is missing"),
        Mistake("    baseline: true\n", "", "missing-member 27:5", "neither in the baseline nor added later"),
        Mistake(
            "    baseline: true\n", "    baseline: true\n    added: 2018-02-01\n", "bad-value 35:12",
            "in the baseline and added later"),
        Mistake("systems: [register]\n    curve", "curve", "missing-member 44:5", "neither systems nor roles"),
        // Types and values
        Mistake(
            "status: operation\n    functions", "status: [operation]\n    functions", "wrong-type 15:13",
            "`status` of system is a list"),
        Mistake(
            "operations: [register.record-get.v1]", "operations: register.record-get.v1", "wrong-type 18:21",
            "is a text — a list"),
        Mistake(
            "  - id: ministry\n    name: {en: Ministry}\n    bin: \"700140100005\"\n",
            "  - ministry\n  - id: ministry\n", "wrong-type 9:5", "a text where a mapping is needed: agency"),
        Mistake("name: {en: Ministry}", "name: Ministry", "wrong-type 10:11", "a mapping is needed: `name` of agency"),
        Mistake("baseline: true", "baseline: yes", "wrong-type 34:15", "`true` or `false`"),
        Mistake(
            "planYear: 2018\n    due: 2018-12-31\n    stage: approved",
            "planYear: soon\n    due: 2018-12-31\n    stage: approved", "bad-value 31:15",
            "`planYear` of integration is `soon` — a whole number"),
        Mistake(
            "stage: approved", "stage: aproved", "bad-value 33:12",
            "`stage` of integration is `aproved` — did you mean `approved`?"),
        Mistake(
            "stage: approved", "stage: live", "bad-value 33:12", "one of planned, in-development, testing, approved"),
        Mistake(
            "kind: request, deadline: 2s, promisedP95", "kind: reqest, deadline: 2s, promisedP95", "bad-value 23:42",
            "did you mean `request`?"),
        Mistake("roles: [operator]", "roles: [operater]", "bad-value 50:13", "did you mean `operator`?"),
        Mistake("tcp://127.0.0.1:7400", "127.0.0.1:7400", "bad-value 4:34", "`tcp://host:port`"),
        Mistake(
            "deadline: 2s, promisedP95: 100ms", "deadline: 2s, promisedP95: 3s", "bad-value 23:78",
            "longer than its deadline (2s)"),
        Mistake(
            "deadline: 2s, promisedP95: 100ms", "deadline: 2s, retention: 1d, promisedP95: 100ms", "bad-value 23:76",
            "the bus keeps no bodies of requests"),
        Mistake(
            "deadline: 2s, promisedP95: 100ms", "deadline: 1h, promisedP95: 1s", "bad-value 23:61",
            "what takes longer is a command"),
        Mistake("kind: event", "kind: event, promisedP95: 1s", "bad-value 24:66", "nobody waits for an event"),
        Mistake("id: small", "id: Small Space", "bad-identifier 2:7", "lower-case letters"),
        Mistake(
            "event: register.record-changed.v1", "event: register.record-changed", "bad-identifier 37:12",
            "`system.name.vN`"),
        Mistake(
            "due: 2018-12-31\n    stage: approved", "due: 2018-02-29\n    stage: approved", "bad-date 32:10",
            "an existing day"),
        Mistake("window: 5m", "window: 5 minutes", "bad-duration 6:11", "such as `250ms`, `5s`, `1d`"),
        Mistake("700140100005", "700140100006", "bad-bin 11:10", "check digit"),
        Mistake(
            "    status: operation\n    functions",
            "    status: operation\n    uuid: 6513270e-269e-4d37-b2a7\n    functions", "bad-uuid 16:11", "8-4-4-4-12"),
        Mistake("rq:rM>}U", "rq:rM>}", "bad-key 46:12", "40 characters of Z85"),
        Mistake("rq:rM>}U", "#####>}U", "bad-key 46:12", "40 characters of Z85"),
        // Between entries
        Mistake(
            "  - id: portal\n", "  - id: register\n    owner: ministry\n    status: operation\n  - id: portal\n",
            "duplicate-id 19:9", "system `register` is declared twice, first at s.yaml:13:9"),
        Mistake(
            "- id: portal-changes", "- id: portal-record", "duplicate-id 35:9",
            "integration `portal-record` is declared twice, first at s.yaml:27:9"),
        Mistake(
            "systems:\n  - id: register\n    owner: ministry", "systems:\n  - id: register\n    owner: minstry",
            "dangling-reference 14:12", "there is no agency `minstry` — did you mean `ministry`?"),
        Mistake(
            "    consumer: portal\n    service", "    consumer: protal\n    service", "dangling-reference 28:15",
            "there is no system `protal` — did you mean `portal`?"),
        Mistake(
            "    service: register.record-get.v1", "    service: register.record-gte.v1", "dangling-reference 29:14",
            "there is no service `register.record-gte.v1` — did you mean `register.record-get.v1`?"),
        Mistake(
            "operations: [register.record-get.v1]", "operations: [register.record-put.v1]", "dangling-reference 18:22",
            "there is no service `register.record-put.v1`"),
        Mistake(
            "    systems: [portal]", "    systems: [portals]", "dangling-reference 48:14", "did you mean `portal`?"),
        Mistake(
            "  - {name: portal.status-get.v1,", "  - {name: prtal.status-get.v1,", "dangling-reference 25:12",
            "there is no system `prtal` — did you mean `portal`?"),
        Mistake(
            "kind: event", "kind: event, contract: register.record-chnged.v1", "dangling-reference 24:63",
            "did you mean `register.record-changed.v1`?",
            contracts: ["register.record-get.v1", "register.record-changed.v1", "portal.status-get.v1"]),
        Mistake(
            "{name: portal.status-get.v1,", "{name: portal.status-get.v1, system: register,", "foreign-service 25:12",
            "does not start with its system `register` — `register.status-get.v1`"),
        Mistake(
            "operations: [register.record-get.v1]", "operations: [portal.status-get.v1]", "foreign-service 18:22",
            "an operation of system `portal`"),
        Mistake(
            "    service: register.record-get.v1", "    service: portal.status-get.v1", "own-service 29:14",
            "`portal` is consumer and provider"),
        Mistake(
            "    event: register.record-changed.v1", "    service: register.record-changed.v1", "bad-value 37:14",
            "which is of kind event — `event: register.record-changed.v1`"),
        Mistake(
            "due: 2018-12-31\n    stage: approved", "due: 2017-12-31\n    stage: approved", "due-before-plan 32:10",
            "due 2017-12-31, before the plan year 2018"),
        Mistake(
            "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID", "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7", "shared-key 49:12",
            "agent `portal-1` has the curve key of agent `register-1` at s.yaml:46:12"),
        Mistake(
            "    roles: [operator]", "    roles: [operator]\n    sign: abcd", "bad-key 51:11",
            "an Ed25519 public key as 64 hexadecimal digits or 43 characters of base64url"),
        Mistake(
            "    roles: [operator]", "    roles: [operator]\n    from: 2027-01-02\n    until: 2027-01-01",
            "bad-value 52:12",
            "the key ends on 2027-01-01, before it begins on 2027-01-02"),
        Mistake(
            "    roles: [operator]", "    roles: [operator]\n  - {system: portal, seal: AAAA}", "bad-key 51:28",
            "an X-Wing public key"),
        // Thresholds
        Mistake(
            "window: 5m\n  dormantAfter: 30d", "window: 40d\n  dormantAfter: 60d", "absurd-threshold 6:11",
            "at most 31d"),
        Mistake(
            "window: 5m", "degradedErrorPercent: 60", "absurd-threshold 6:25",
            "does not come before non-functional (50 %)"),
        Mistake("window: 5m", "nonFunctionalErrorPercent: 0", "absurd-threshold 6:30", "1 to 100"),
        Mistake("window: 5m", "minimumSample: 0", "absurd-threshold 6:18", "1 to 100000"),
        Mistake("window: 5m", "heartbeat: {interval: 1h}", "absurd-threshold 6:25", "100ms to 10m"),
        Mistake("window: 5m", "heartbeat: {missed: 1}", "absurd-threshold 6:23", "2 to 100"),
        Mistake("window: 5m", "noSuccessFor: 1s", "absurd-threshold 6:17", "shorter than one heartbeat"),
        Mistake(
            "dormantAfter: 30d", "dormantAfter: 30d\n  recovery: {holdFor: 31d}", "absurd-threshold 8:13",
            "longer than until dormant"),
        Mistake("window: 5m", "automationWindow: 1m", "absurd-threshold 6:21", "shorter than the window"),
    ]

    @Test(arguments: mistakes) func mistakeIsFound(_ mistake: Mistake) {
        let reading = SpaceFixture.read(SpaceFixture.replacing(mistake.old, mistake.new), contracts: mistake.contracts)
        #expect(reading.findings.map { "\($0.code.rawValue) \($0.line):\($0.column)" } == [mistake.finding])
        #expect(reading.findings.first?.severity == .error)
        #expect(reading.findings.first?.description.contains(mistake.says) == true, "\(reading.findings)")
        #expect(reading.space == nil, "nothing half applied")
    }

    @Test func pairOfTheSameSystemAndServiceIsFound() {
        let text = SpaceFixture.text.replacing(
            "keys:\n",
            with: """
                  - id: portal-again
                    consumer: portal
                    service: register.record-get.v1
                    owner: ministry
                    planYear: 2020
                    due: 2020-12-31
                    stage: planned
                    baseline: true
                keys:

                """)
        let reading = SpaceFixture.read(text)
        #expect(
            reading.findings.map(\.description) == [
                "s.yaml:43:5: error: `portal` → `register.record-get.v1` is already integration `portal-record` at "
                    + "s.yaml:27:5 — one integration for a pair; change the stage of the first"
            ])
    }

    @Test func openIntegrationsOfARetiredSystemAreFound() {
        let reading = SpaceFixture.read(
            SpaceFixture.replacing("    status: operation\nservices", "    status: retired\nservices"))
        #expect(
            reading.findings.map { "\($0.code.rawValue) \($0.line):\($0.column)" } == [
                "retired-system 33:12", "retired-system 41:12",
            ])
        #expect(reading.findings.first?.what == "stage approved, but system `portal` is retired")
    }

    @Test func everyCodeOfAnErrorHasAMistake() {
        let tested = Set(Self.mistakes.compactMap { $0.finding.split(separator: " ").first.map(String.init) })
        let elsewhere: Set<String> = ["too-large", "too-many-findings", "duplicate-pair", "retired-system"]
        #expect(Set(Finding.Code.allCases.map(\.rawValue)).subtracting(tested) == elsewhere)
    }

    @Test func severalMistakesAreAllShownInReadingOrder() {
        let text = SpaceFixture.text
            .replacing("stage: testing", with: "stage: test")
            .replacing("window: 5m", with: "window: fast")
            .replacing("systems: [portal]", with: "systems: [nobody]")
        let reading = SpaceFixture.read(text)
        #expect(reading.findings.map(\.line) == [6, 41, 48])
    }

    @Test func findingPrintsAsCompilersDo() {
        let reading = SpaceFixture.read(SpaceFixture.replacing("stage: approved", "stage: aproved"))
        #expect(
            reading.findings.map(\.description) == [
                "s.yaml:33:12: error: `stage` of integration is `aproved` — did you mean `approved`?"
            ])
    }

    @Test func brokenServiceDoesNotMakeItsUsersDangle() {
        let reading = SpaceFixture.read(
            SpaceFixture.replacing("kind: request, deadline: 2s, promisedP95: 100ms", "kind: ask"))
        #expect(
            reading.findings.map(\.line) == [23, 23], "kind and deadline, not the integration: \(reading.findings)")
    }

    @Test func unreadableFileDoesNotMakeTheOthersDangle() {
        let files = [
            SpaceFile(name: "a.yaml", text: SpaceFixture.text),
            SpaceFile(name: "b.yaml", text: "systems: [\n"),
            SpaceFile(name: "c.yaml", text: "services: [{name: unknown.thing-get.v1, kind: event}]"),
        ]
        #expect(Space.load(files).findings.map(\.file) == ["b.yaml"])
    }

    @Test func shortWindowsOutsideADemonstrationAreAWarning() {
        let text = SpaceFixture.replacing("dormantAfter: 30d", "dormantAfter: 1h")
        let reading = SpaceFixture.read(text)
        #expect(reading.findings.map { "\($0.severity) \($0.line)" } == ["warning 7"])
        #expect(reading.space != nil, "a warning does not stop it")
        let demo = SpaceFixture.read(text.replacing("  id: small", with: "  id: small\n  demo: true"))
        #expect(demo.findings.isEmpty)
    }
}

/// Files that are made to hurt.
struct HostileSpaceTests {
    private func codes(_ text: String) -> [Finding.Code] { SpaceFixture.read(text).errors.map(\.code) }

    @Test func aliasesAreRefusedBeforeTheyGrow() {
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...30 {
            bomb += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1), *a\(level - 1), *a\(level - 1)]\n"
        }
        bomb += "? *a30\n: x\n? *a29\n: x\n"
        #expect(codes(bomb).allSatisfy { $0 == .anchor } && !codes(bomb).isEmpty)
    }

    @Test(arguments: [
        "a: &x b", "- &x b", "[&x b]", "{\"a\":&x b}", "&x a: b", "a: # c\u{2028}&x b", "# c\r&x a: b",
        "# c\u{85}a: &x b",
        "\u{FEFF}&x a: b", "a:\t&x b", "? &x a\n: b",
    ]) func anchorIsSeenWhereverItStands(_ text: String) {
        #expect(codes(text) == [.anchor])
    }

    @Test func ampersandInATextIsFine() {
        let reading = SpaceFixture.read(
            SpaceFixture.replacing("en: Ministry", "en: Law & Order R&D # A &b").replacing("# A &b", with: ""))
        #expect(reading.findings.isEmpty)
        #expect(reading.space?.agencies.first?.name.en == "Law & Order R&D")
        #expect(SpaceFixture.read("# comment with &anchor\n" + SpaceFixture.text).findings.isEmpty)
    }

    @Test func hugeFileIsRefused() {
        #expect(codes(String(repeating: "# comment\n", count: SpaceLimits.bytesPerFile / 10 + 1)).first == .tooLarge)
    }

    @Test(arguments: ["[", "{a: ", "- ", "? "]) func deepNestingIsRefused(_ opener: String) {
        let found = codes(String(repeating: opener, count: 50_000))
        #expect(found.count == 1 && (found == [.yamlSyntax] || found == [.tooLarge]), "\(found)")
    }

    @Test func depthIsBounded() {
        let text = "systems: " + String(repeating: "[", count: 20) + String(repeating: "]", count: 20)
        #expect(codes(text) == [.tooLarge])
    }

    @Test func longTextIsRefused() {
        let text = SpaceFixture.replacing(
            "en: Ministry", "en: \(String(repeating: "m", count: SpaceLimits.bytesPerText + 1))")
        #expect(codes(text) == [.tooLarge])
    }

    @Test func tooManyValuesInAllFilesTogetherAreRefused() {
        // Each file is below the limits of a file.
        let list = "topics: [" + Array(repeating: "a", count: 200_000).joined(separator: ",") + "]"
        let files = (1...3).map { SpaceFile(name: "\($0).yaml", text: list) }
        #expect(Space.load(files).errors.contains { $0.code == .tooLarge && $0.file == "3.yaml" })
    }

    @Test func tooManyFilesAreRefused() {
        let files = (0...SpaceLimits.files).map { SpaceFile(name: "\($0).yaml", text: "") }
        #expect(Space.load(files).errors.map(\.code) == [.tooLarge])
    }

    @Test func reportIsBounded() {
        let text = "agencies:\n" + String(repeating: "  - wrong\n", count: 5_000)
        let findings = SpaceFixture.read(text).findings
        #expect(findings.count == 201)
        #expect(findings.last?.code == .tooManyFindings)
        #expect(findings.last?.what.hasPrefix("4802 more") == true, "\(String(describing: findings.last))")
    }

    @Test(arguments: ["", "# nothing\n", "~", "---\n", "text", "[]", "\u{FEFF}"]) func emptyFileIsNoSpace(
        _ text: String
    ) {
        let reading = SpaceFixture.read(text)
        #expect(reading.space == nil)
        #expect(!reading.errors.isEmpty)
    }

    @Test func noFilesAreNoSpace() {
        #expect(Space.load([]).errors.map(\.code) == [.missingMember, .missingMember])
    }

    @Test func randomDamageNeverStopsTheProgram() {
        let seed = UInt64.random(in: .min ... .max)
        print("seed \(seed)")
        var random = SplitMix(state: seed)
        let original = Array(SpaceFixture.text.unicodeScalars)
        let pieces: [Unicode.Scalar] = [
            "[", "]", "{", "}", ":", "-", "\"", "'", "&", "*", "!", "|", ">", "\n", " ", "\t", "#", "%", "@", "\0", "?",
            "\u{85}",
        ]
        for _ in 0..<400 {
            var scalars = original
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let index = Int.random(in: 0..<scalars.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: scalars.remove(at: index)
                case 1: scalars[index] = pieces[Int.random(in: 0..<pieces.count, using: &random)]
                default: scalars.insert(pieces[Int.random(in: 0..<pieces.count, using: &random)], at: index)
                }
            }
            var text = String.UnicodeScalarView()
            text.append(contentsOf: scalars)
            let reading = SpaceFixture.read(String(text))
            #expect((reading.space == nil) == !reading.errors.isEmpty, "seed \(seed)")
        }
    }
}

struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
