import BusBroker
import BusConsole
import BusDirectory
import BusEvidence
import Foundation
import Testing

@testable import kerege

/// What `kerege doctor` knows of the space and of the log, and what it says where it knows nothing.
@Suite("What the doctor knows")
struct ExaminationTests {
    private func inFolder(_ body: (String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "kerege doctor \(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    /// Nothing listens on port 1 of the loopback interface.
    private func examination(_ folder: String) -> Examination {
        Examination(data: folder, http: "127.0.0.1:1", contracts: "no/such/folder")
    }

    private func snapshot(after previous: SpaceSnapshot? = nil) throws -> SpaceSnapshot {
        let reading = Space.load([SpaceFile(name: "space.yaml", text: SmallBus.space)])
        return try SpaceSnapshot(try #require(reading.space, "\(reading.findings)"), after: previous)
    }

    @Test("A journal that cannot be read is told with its reason, and is not passed over")
    func damagedJournal() throws {
        try inFolder { folder in
            #expect(try examination(folder).space { nil } == nil)
            #expect(!examination(folder).run().contains { $0.name == "space" })
            try "no database".write(toFile: folder + "/journal.sqlite", atomically: false, encoding: .utf8)
            let found = examination(folder).run().filter { $0.name == "space" }
            #expect(found.map(\.ok) == [false], "\(found)")
            #expect(found.first?.found.hasPrefix("what is in force here is not known: ") == true)
            #expect(found.first?.mend == "kerege journal verify --data '\(folder)'")
        }
    }

    @Test("A version that is signed and applied while the broker is asked is not taken for one that nobody signed")
    func appliedMeanwhile() throws {
        try inFolder { folder in
            let authority = SigningKey()
            let path = URL(fileURLWithPath: SpaceStore(folder: folder).path)
            func signed(_ snapshot: SpaceSnapshot) -> SignedSpace { SignedSpace(snapshot, by: authority) }
            let first = try snapshot()
            let second = try snapshot(after: first)
            try Data(signed(first).file).write(to: path)
            let known = try #require(
                try examination(folder).space {
                    // As the broker does: it is kept, takes effect, and only then is it shown.
                    #expect(throws: Never.self) { try Data(signed(second).file).write(to: path) }
                    return (second, "\(authority.publicKey)")
                })
            #expect(known.isOfBroker && known.snapshot == second && known.signed == signed(second))
        }
    }

    @Test("A log that the broker does not show in time is not looked at, which is no complaint")
    func brokerThatReads() async throws {
        try await SmallBus.run { bus async throws in
            let client = try bus.client.client
            let late: Failure? = try await onThreadOfItsOwn {
                do throws(Failure) {
                    _ = try client.get(StatusPage.self, "/v1/status", within: .zero)
                    return nil
                } catch { return error }
            }
            let failure = try #require(late)
            #expect(failure.code == AdminClient.tooSlow && failure.exit == .unreachable)
            for isRemembered in [true, false] {
                let check = Examination.log(failure, isRemembered: isRemembered)
                #expect(check.ok && check.found.hasPrefix("not looked at"), "\(check)")
            }
        }
    }

    @Test("A log that nobody signs is a complaint where one was seen before")
    func unsignedLog() {
        for (code, isRemembered, isFine) in [
            ("unsigned-log", false, true), ("no-log-key", false, true), ("unsigned-log", true, false),
            ("log-shrank", false, false), ("unreachable", true, false),
        ] {
            let check = Examination.log(Failure(.no, code, "a", why: "b", next: "c"), isRemembered: isRemembered)
            #expect(check.ok == isFine && check.mend == (isFine ? nil : "c"), "\(code)")
        }
    }
}
