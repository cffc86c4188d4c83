import BusAgent
import BusDirectory
import BusEvidence
import Foundation
import Testing

@testable import kerege

/// What `kerege doctor` says of keys: every complaint names what is wrong and the command that mends it.
@Suite("Keys, as the doctor sees them")
struct KeyExaminationTests {
    private static let noon: Int64 = 1_795_762_800_000  // 2026-11-27 at UTC+5

    /// A folder with the keys of one agent, the broker, a seal and an authority, and the space that fits it.
    private final class Bench {
        let folder: String
        var space: Space
        let authority: AuthorityFile

        init() throws {
            folder = NSTemporaryDirectory() + "kerege-doctor-\(UUID().uuidString)"
            let broker = try KeyFile.create(name: "broker", in: folder)
            let portal = try KeyFile.create(name: "portal-1", in: folder)
            let seal = try SealFile.create(system: "portal", in: folder)
            authority = try AuthorityFile.create(in: folder)
            space = Space(
                id: "small", title: LocalizedName(en: "Small"),
                broker: BrokerFacts(
                    id: "b", endpoint: "tcp://127.0.0.1:7400", curve: broker.publicKey, sign: broker.signPublicKey),
                systems: [InformationSystem(id: "portal", owner: "ministry", status: .operation)],
                keys: [
                    AgentKey(
                        agent: "portal-1", systems: ["portal"], curve: portal.publicKey, sign: portal.signPublicKey)
                ], seals: [SystemSeal(system: "portal", seal: "\(seal.publicKey)")])
        }

        deinit { try? FileManager.default.removeItem(atPath: folder) }

        /// Systems whose contracts name people.
        var aboutPeople: Set<String> = []

        /// The data folder, as it is named in commands.
        var data = "/var/kerege"

        func complaints(of source: KeyExamination.KnownSpace.Source? = nil) throws -> [Check] {
            try checks(known(source)).filter { !$0.ok }
        }

        func complaints(_ known: KeyExamination.KnownSpace) throws -> [Check] { checks(known).filter { !$0.ok } }

        func checks() throws -> [Check] { checks(try known(nil)) }

        private func known(_ source: KeyExamination.KnownSpace.Source?) throws -> KeyExamination.KnownSpace {
            .init(
                snapshot: try SpaceSnapshot(space), source: source ?? .broker(authority: "\(authority.publicKey)"),
                signed: nil)
        }

        private func checks(_ known: KeyExamination.KnownSpace) -> [Check] {
            KeyExamination(
                folder: KeyFolder(path: folder), space: known, now: KeyExaminationTests.noon, aboutPeople: aboutPeople,
                data: data
            ).checks
        }
    }

    private func expect(
        _ what: String, mend: String, _ change: (Bench) throws -> Void
    ) throws {
        let bench = try Bench()
        try change(bench)
        let found = try bench.complaints()
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.found.contains(what) == true, "\(found)")
        #expect(found.first?.mend?.contains(mend) == true, "\(found)")
    }

    @Test func keysThatFitTheSpaceAreFine() throws { #expect(try Bench().complaints().isEmpty) }

    @Test func daysAreNamed() throws {
        try expect("expired after 2026-11-26", mend: "kerege keys new portal-1") {
            $0.space.keys[0].until = CalendarDate("2026-11-26")
        }
        try expect("ends in", mend: "kerege keys new portal-1") { $0.space.keys[0].until = CalendarDate("2026-12-10") }
        try expect("counts from 2027-01-01 on", mend: "`from`") { $0.space.keys[0].from = CalendarDate("2027-01-01") }
        try expect("was revoked on 2026-11-01", mend: "kerege keys new portal-1") {
            $0.space.keys[0].revoked = CalendarDate("2026-11-01")
        }
        try expect("expired after 2026-11-26", mend: "--system portal") {
            $0.space.seals[0].until = CalendarDate("2026-11-26")
        }
    }

    /// Who may still speak unsigned, today or later.
    @Test func entriesThatSignNothingAreNamedUntilTheirLastDay() throws {
        for (until, isNamed) in [(nil, true), ("2026-11-27", true), ("2026-11-26", false)] as [(String?, Bool)] {
            let bench = try Bench()
            bench.space.keys.append(
                AgentKey(
                    agent: "old-1", systems: ["portal"], curve: String(repeating: "a", count: 40),
                    validity: KeyValidity(until: until.flatMap { CalendarDate($0) })))
            let open = try bench.checks().contains { $0.found == "sign nothing: old-1" }
            #expect(open == isNamed, "\(until ?? "without an end")")
        }
    }

    @Test func whatDoesNotBelongTogetherIsNamed() throws {
        try expect("is not in the space", mend: "curve: '") { $0.space.keys = [] }
        try expect("has another signing key than portal-1.key", mend: "sign: '") {
            $0.space.keys[0].sign = "\(SigningKey().publicKey)"
        }
        try expect("no signing key of portal-1", mend: "sign: '") { $0.space.keys[0].sign = nil }
        try expect("is the key of agent portal-9", mend: "mv ") { $0.space.keys[0].agent = "portal-9" }
        try expect("another key of the broker", mend: "curve: '") {
            $0.space.broker.curve = $0.space.keys[0].curve
        }
        try expect("portal.seal is not in the space", mend: "portal.seal.pub") { $0.space.seals = [] }
    }

    @Test func filesThatAreMissingOrOpenAreNamed() throws {
        try expect("others than its owner may read", mend: "chmod 600") { bench in
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o644], ofItemAtPath: bench.folder + "/portal.seal")
        }
        try expect("portal.seal is not here", mend: "copy portal.seal") { bench in
            try FileManager.default.removeItem(atPath: bench.folder + "/portal.seal")
        }
        try expect("portal.subject is not here", mend: "kerege keys complete ") {
            $0.aboutPeople = ["portal", "register"]
        }
        try expect("is the subject key of register", mend: "mv ") { bench in
            bench.aboutPeople = ["portal"]
            _ = try SubjectFile.create(system: "register", in: bench.folder)
            try FileManager.default.moveItem(
                atPath: bench.folder + "/register.subject", toPath: bench.folder + "/portal.subject")
        }
        try expect("others than its owner may read", mend: "chmod 600") { bench in
            _ = try SubjectFile.create(system: "portal", in: bench.folder)
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o644], ofItemAtPath: bench.folder + "/portal.subject")
        }
        try expect("is no key file", mend: "kerege keys new portal-1") { bench in
            try "nonsense".write(toFile: bench.folder + "/portal-1.key", atomically: false, encoding: .utf8)
        }
        try expect("no authority is pinned here", mend: "authority.pub") { bench in
            try FileManager.default.removeItem(atPath: bench.folder + "/authority.pub")
        }
    }

    @Test func secretsOfWhichOnlyThePublicHalfIsLeftAreNamed() throws {
        try expect("portal-1.key is not", mend: "kerege keys new portal-1 --dir") { bench in
            try FileManager.default.removeItem(atPath: bench.folder + "/portal-1.key")
        }
        try expect("register.seal is not", mend: "copy register.seal") { bench in
            let seal = try SealFile.create(system: "register", in: bench.folder)
            bench.space.systems.append(InformationSystem(id: "register", owner: "ministry", status: .operation))
            bench.space.seals.append(SystemSeal(system: "register", seal: "\(seal.publicKey)"))
            try FileManager.default.removeItem(atPath: bench.folder + "/register.seal")
        }
        // What the space does not name, or no longer, is nobody's loss.
        let bench = try Bench()
        _ = try KeyFile.create(name: "old-1", in: bench.folder)
        try FileManager.default.removeItem(atPath: bench.folder + "/old-1.key")
        #expect(try bench.complaints().isEmpty)
    }

    @Test func aSealKeyThatWasReplacedElsewhereIsNamed() throws {
        func newer(_ bench: Bench, from: String) throws -> SystemSeal {
            let elsewhere = bench.folder + "/elsewhere"
            let made = try SealFile.create(system: "portal", in: elsewhere)
            try FileManager.default.removeItem(atPath: elsewhere)
            return SystemSeal(
                system: "portal", seal: "\(made.publicKey)", validity: KeyValidity(from: CalendarDate(from)))
        }
        try expect("sealed to another key of the space than portal.seal", mend: "portal.seal.1") { bench in
            bench.space.seals.append(try newer(bench, from: "2026-11-01"))
        }
        // Names are not used again, and a damaged one is told by its own name.
        try expect("portal.seal.1", mend: "chmod 600") { bench in
            let made = try SealFile.renew(system: "portal", in: bench.folder).made
            // The one before is in use, and must not be looked for elsewhere.
            bench.space.seals[0].from = CalendarDate("2026-11-02")
            bench.space.seals.append(SystemSeal(system: "portal", seal: "\(made.publicKey)"))
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o644], ofItemAtPath: bench.folder + "/portal.seal.1")
        }
        try expect("sealed to another key", mend: "portal.seal.3") { bench in
            _ = try SealFile.renew(system: "portal", in: bench.folder)
            let made = try SealFile.renew(system: "portal", in: bench.folder).made
            try FileManager.default.removeItem(atPath: bench.folder + "/portal.seal.1")
            bench.space.seals = [
                SystemSeal(system: "portal", seal: "\(made.publicKey)"), try newer(bench, from: "2026-11-01"),
            ]
        }
        // Not yet in use.
        let bench = try Bench()
        bench.space.seals.append(try newer(bench, from: "2026-12-01"))
        #expect(try bench.complaints().isEmpty)
        // Renewed here, and stated from a later day on: the key before it is here as well.
        let renewed = try Bench()
        let made = try SealFile.renew(system: "portal", in: renewed.folder).made
        renewed.space.seals.append(
            SystemSeal(
                system: "portal", seal: "\(made.publicKey)", validity: KeyValidity(from: CalendarDate("2026-12-01"))))
        #expect(try renewed.complaints().isEmpty)
    }

    @Test func anotherAuthorityIsNamed() throws {
        let bench = try Bench()
        #expect(
            try bench.complaints(of: .broker(authority: "\(SigningKey().publicKey)")).first?.found.contains("4094")
                == true
        )
        #expect(try bench.complaints(of: .broker(authority: nil)).first?.mend?.contains("--authority") == true)
        #expect(try bench.complaints(of: .folder).isEmpty, "nobody said what the broker wants")
    }

    /// Names of the space are whoever's who answers, and folders are called as they are: each is one word, and steers no terminal.
    @Test func whatIsToBeCopiedIsQuoted() throws {
        try expect("is the key of agent $(id) [2J", mend: "/$(id) [2J.key'") {
            $0.space.keys[0].agent = "$(id)\u{1B}[2J"
        }
        let bench = try Bench()
        bench.data = "/var/my data"
        let first = try SpaceSnapshot(bench.space)
        let known = KeyExamination.KnownSpace(
            snapshot: try SpaceSnapshot(bench.space, after: first), source: .folder,
            signed: SignedSpace(first, by: bench.authority.secret))
        let mend = try #require(try bench.complaints(known).first?.mend)
        for command in [
            "kerege up --data '/var/my data' ", "--after '/var/my data' ", "kerege-broker --data '/var/my data' ",
        ] {
            #expect(mend.contains(command), "\(mend)")
        }
    }

    /// Whether the broker runs or not: the journal has a version over the newest that was signed.
    @Test(arguments: [true, false]) func whatNobodySignedOverWhatWasSignedIsNamed(broker runs: Bool) throws {
        let bench = try Bench()
        let first = try SpaceSnapshot(bench.space)
        let signed = SignedSpace(first, by: bench.authority.secret)
        let second = try SpaceSnapshot(bench.space, after: first)
        func known(_ inForce: SpaceSnapshot, _ signed: SignedSpace) -> KeyExamination.KnownSpace {
            .init(snapshot: inForce, source: runs ? .broker(authority: nil) : .folder, signed: signed)
        }
        let found = try bench.complaints(known(second, signed))
        #expect(found.count == 1 && found[0].found.contains("version 2 of the space is in force over version 1"))
        let mend = try #require(found.first?.mend)
        #expect(mend.hasPrefix("stop the broker, then ") == runs)
        #expect(mend.contains("kerege up --data /var/kerege ") && mend.contains("--after /var/kerege "))
        #expect(mend.contains("--authority \(bench.folder)/authority.pub --signed-space space.signed"))
        // What is signed is kept before it takes effect.
        let next = SignedSpace(second, by: bench.authority.secret)
        #expect(try bench.complaints(known(first, next)).allSatisfy { !$0.found.contains("is in force over") })
    }
}
