import BusDirectory
import Testing

struct SnapshotTests {
    @Test func orderOfFilesAndEntriesChangesNothing() throws {
        let one = try SpaceSnapshot(try SpaceFixture.space())
        let lines = SpaceFixture.text.replacing("services:\n", with: "services: &&\n").split(
            separator: "services: &&\n")
        // The same text in two files, the second one first.
        let files = [
            SpaceFile(name: "b.yaml", text: "services:\n" + lines[1]),
            SpaceFile(name: "a.yaml", text: String(lines[0])),
        ]
        let other = try SpaceSnapshot(try #require(Space.load(files).space))
        #expect(one.digest == other.digest)
        #expect(one.canonical == other.canonical)
    }

    @Test func canonicalBytesAreWhatTheFormatSays() throws {
        let space = Space(
            id: "s", title: LocalizedName(en: "S\u{1}\"\\\n/é"), broker: BrokerFacts(id: "b", endpoint: "tcp://h:1"))
        let json = String(decoding: try SpaceSnapshot(space).canonical, as: UTF8.self)
        #expect(
            json.hasPrefix(
                #"{"format":"kerege-space/1","space":{"agencies":[],"broker":{"endpoint":"tcp://h:1","id":"b"},"id":"s","integrations":[],"isDemo":false,"keys":[]"#
            ))
        #expect(json.hasSuffix(#""title":{"en":"S\u0001\"\\\n/é"}},"version":1}"#))
        #expect(json.contains(#""heartbeat":{"interval":10000,"missed":3}"#))
    }

    @Test func digestIsSHA256OfTheBytes() throws {
        // Computed by another program, from the format's description: sorted members, no spaces, SHA-256.
        let space = Space(id: "s", title: LocalizedName(en: "S"), broker: BrokerFacts(id: "b", endpoint: "tcp://h:1"))
        let snapshot = try SpaceSnapshot(space)
        #expect(snapshot.digest.description == "4af5d0e6c1397dadb97f8b2e3f27c490e8b0174a40477e9ce6bb7ce1521067a0")
        #expect(snapshot.digest.bytes.count == 32)
        #expect(SpaceDigest(snapshot.digest.description) == snapshot.digest)
    }

    @Test func readsWhatItWrote() throws {
        let first = try SpaceSnapshot(try SpaceFixture.space())
        var space = first.space
        space.note = "second"
        let second = try SpaceSnapshot(space, after: first)
        #expect(try SpaceSnapshot(canonical: first.canonical) == first)
        #expect(try SpaceSnapshot(canonical: second.canonical) == second)
        #expect(second.version == 2 && second.previousDigest == first.digest)
    }

    @Test func listsOutOfOrderAreSetRight() throws {
        let space = try SpaceFixture.space()
        var shuffled = space
        shuffled.systems.reverse()
        shuffled.integrations.reverse()
        let ordered = try SpaceSnapshot(space)
        #expect(try SpaceSnapshot(shuffled) == ordered)
    }

    @Test func otherBytesOfTheSameSpaceAreRefused() throws {
        let text = String(decoding: try SpaceSnapshot(try SpaceFixture.space()).canonical, as: UTF8.self)
        func error(_ text: String) -> SnapshotError? {
            do throws(SnapshotError) {
                _ = try SpaceSnapshot(canonical: Array(text.utf8))
                return nil
            } catch {
                return error
            }
        }
        #expect(error(text) == nil)
        #expect(error(text + " ") == .notCanonical)
        #expect(error(text.replacing("\"version\":1", with: "\"version\":1,\"zoo\":1")) == .notCanonical)
        #expect(error(text.replacing("kerege-space/1", with: "kerege-space/2")) == .unknownFormat("kerege-space/2"))
        #expect(
            error(text.replacing("\"version\":1", with: "\"version\":2")) != nil, "a second version without the first")
        #expect(error(text.replacing("\"version\":1", with: "\"version\":0")) != nil)
        #expect(error(text.replacing("2018-12-31", with: "2018-02-31")) != nil)
        #expect(error(String(text.dropLast())) != nil)
        #expect(error("") != nil)
    }

    @Test func rollBackRule() throws {
        let first = try SpaceSnapshot(try SpaceFixture.space())
        var space = first.space
        space.note = "second"
        let second = try SpaceSnapshot(space, after: first)
        space.note = "third"
        let third = try SpaceSnapshot(space, after: second)
        space.note = "another second"
        let otherSecond = try SpaceSnapshot(space, after: first)
        let otherThird = try SpaceSnapshot(space, after: otherSecond)

        #expect(second.succession(to: second) == .same)
        #expect(second.succession(to: first) == .follows)
        #expect(third.succession(to: first) == .skips(versions: 1))
        #expect(first.succession(to: third) == .rolledBack(from: 3, to: 1))
        #expect(otherSecond.succession(to: second) == .forked(at: 2))
        #expect(otherThird.succession(to: second) == .forked(at: 3))
        let allowed: [SpaceSuccession] = [
            .same, .follows, .skips(versions: 9), .forked(at: 2), .rolledBack(from: 2, to: 1),
        ]
        #expect(allowed.map(\.mayReplace) == [true, true, true, false, false])
    }
}

struct DiffTests {
    private func diff(_ change: (inout Space) -> Void) throws -> SpaceDiff {
        let old = try SpaceFixture.space()
        var new = old
        change(&new)
        return SpaceDiff(from: old, to: new)
    }

    @Test func sameSpaceHasNoDifference() throws {
        let diff = try diff { _ in }
        #expect(diff.isEmpty && diff.breaking.isEmpty && diff.text.isEmpty)
    }

    @Test func changedMemberIsShownWithBothValues() throws {
        let diff = try diff { space in
            space.integrations[1].due = CalendarDate("2019-06-30") ?? space.integrations[1].due
            space.systems[0].uuid = "6513270e-269e-4d37-b2a7-4de452e6b438"
            space.thresholds.window = .minutes(6)
            space.systems[1].functions[0].operations = []
            space.agencies[0].bin = nil
        }
        #expect(
            diff.text == """
                ~ thresholds
                    window: 300000 → 360000
                ~ agency ministry
                    bin: "700140100005" → (none)
                ~ system portal
                    uuid: (none) → "6513270e-269e-4d37-b2a7-4de452e6b438"
                ~ system register
                    functions[0].operations: ["register.record-get.v1"] → []
                ~ integration portal-record
                    due: "2018-12-31" → "2019-06-30"
                """)
        #expect(diff.breaking.isEmpty)
    }

    @Test func addedAndRemovedEntriesAreNamed() throws {
        let diff = try diff { space in
            space.agencies.append(Agency(id: "new", name: LocalizedName(en: "New")))
            space.integrations.removeAll { $0.id == "portal-record" }
        }
        #expect(
            diff.entries.map { "\($0.change.rawValue) \($0.kind.rawValue) \($0.id)" } == [
                "added agency new", "removed integration portal-record",
            ])
        #expect(
            diff.breaking == [
                "integration `portal-record` was approved and is removed: `portal` → `register.record-get.v1` gets 403"
            ])
        #expect(diff.text.hasSuffix("! breaking: \(diff.breaking[0])"))
    }

    @Test(arguments: Integration.Stage.allCases) func leavingAnOpenStageBreaks(_ stage: Integration.Stage) throws {
        let diff = try diff { $0.integrations[1].stage = stage }
        #expect(diff.breaking.isEmpty == stage.permitsTraffic)
    }

    @Test func everythingTakenAwayIsNoted() throws {
        #expect(
            try diff { $0.services.removeAll { $0.name == "portal.status-get.v1" } }.breaking == [
                "service `portal.status-get.v1` is removed: its consumers get 404"
            ])
        #expect(
            try diff { $0.services[2].deadline = .seconds(1) }.breaking == [
                "service `register.record-get.v1` shortens its deadline from 2s to 1s"
            ])
        #expect(try diff { $0.services[2].deadline = .seconds(3) }.breaking.isEmpty)
        #expect(try diff { $0.services[2].contract = "register.record-get.v2" }.breaking.count == 1)
        #expect(try diff { $0.services[2].kind = .command }.breaking.count == 1)
        #expect(
            try diff { $0.systems[1].status = .retired }.breaking == [
                "system `register` retires; owners of its integrations to tell: ministry"
            ])
        #expect(
            try diff { $0.keys[0].systems = [] }.breaking == ["agent `portal-1` may no longer act for system `portal`"])
        #expect(try diff { $0.keys.removeFirst() }.breaking == ["agent `portal-1` is removed: it gets 401"])
        #expect(
            try diff { $0.keys[0].curve = SpaceFixture.registerKey }.breaking == [
                "agent `portal-1` has another key: the old one gets 401"
            ])
        #expect(try diff { $0.integrations[1].service = "portal.status-get.v1" }.breaking.count == 1)
    }
}
