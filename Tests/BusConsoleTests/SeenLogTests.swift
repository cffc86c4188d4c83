import BusEvidence
import BusProtocol
import Foundation
import Testing

@testable import BusConsole
@testable import kerege

/// What a client remembers of the broker's log, and what it says when it is shown another one.
@Suite("The log as it was seen last")
struct SeenLogTests {
    /// Records of a log, as the broker proves them.
    private struct Log {
        var leaves: [Digest32]

        /// - Parameter others: how many of the last are of another history.
        init(_ count: Int, others: Int = 0) {
            leaves = (0..<count).map { index in
                let isOther = index >= count - others
                return [UInt8(index), isOther ? 1 : 0].withUnsafeBytes { LogHash.recordLeaf(type: 4, payload: $0) }
            }
        }

        var prover: LogProver<Never> {
            LogProver(size: UInt64(leaves.count)) { subtree in subtree.root { leaves[Int($0)] } }
        }

        func page(from size: UInt64, by signer: NoteSigner) -> ConsistencyPage {
            let head = TreeHead(size: UInt64(leaves.count), root: prover.root())
            return ConsistencyPage(
                from: size, to: head.size, proof: prover.consistency(from: size).map(\.bytes.hex),
                checkpoint: Checkpoint.sign(head, by: signer))
        }
    }

    private let folder = NSTemporaryDirectory() + "kerege-seen-\(UUID().uuidString)"
    private let signer: NoteSigner

    init() throws {
        signer = try #require(NoteSigner(name: "small/broker-1", key: SigningKey()))
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    private var seen: SeenLog { SeenLog(path: folder + "/\(SeenLog.fileName)") }
    private var kept: String { (try? String(contentsOfFile: seen.path, encoding: .utf8)) ?? "" }

    /// What comes of a look at a broker with this log: what is said, or the code of what is wrong.
    private func look(_ log: Log, signedBy other: NoteSigner? = nil) -> String {
        do throws(Failure) {
            return try seen.look(at: signer.verifier) { log.page(from: $0, by: other ?? signer) }.says
        } catch { return error.code }
    }

    /// What is wrong with what is shown; nil: nothing.
    private func failure(_ ask: (UInt64) throws(Failure) -> ConsistencyPage) -> Failure? {
        do throws(Failure) {
            _ = try seen.look(at: signer.verifier, ask)
            return nil
        } catch { return error }
    }

    private var fork: String { seen.path + ".fork" }
    private var isForked: Bool { FileManager.default.fileExists(atPath: fork) }

    private func removeFolder() { try? FileManager.default.removeItem(atPath: folder) }

    @Test("A log that goes on is kept, for its owner alone")
    func goesOn() throws {
        defer { removeFolder() }
        #expect(!seen.isThere)
        #expect(look(Log(5)).hasSuffix("seen for the first time"))
        for size in [5, 6, 16, 23] {
            #expect(look(Log(size)).hasPrefix("small/broker-1 has \(size) records"), "\(size)")
            #expect(kept.hasPrefix("small/broker-1\n\(size)\n"))
        }
        #expect(look(Log(30)).hasSuffix("it goes on from the 23 seen before"))
        let mode = try FileManager.default.attributesOfItem(atPath: seen.path)[.posixPermissions] as? NSNumber
        #expect(mode?.intValue == 0o600)
    }

    @Test("A shorter log and another one are told, and what was kept stays")
    func contradictions() throws {
        defer { removeFolder() }
        _ = look(Log(20))
        let before = kept
        let first = before + "\n" + Log(19).page(from: 0, by: signer).checkpoint
        for (log, code) in [
            (Log(19), "log-shrank"), (Log(0), "log-shrank"), (Log(20, others: 1), "log-forked"),
            (Log(40, others: 21), "log-forked"),
        ] {
            #expect(look(log) == code, "\(log.leaves.count)")
            #expect(kept == before)
            #expect(try String(contentsOfFile: fork, encoding: .utf8) == first, "what contradicted first stays")
        }
        let again = failure { Log(19).page(from: $0, by: signer) }
        #expect(again?.next.contains("\(fork) has both checkpoints of the first time") == true)
        #expect(look(Log(40, others: 20)).hasSuffix("it goes on from the 20 seen before"))
    }

    @Test("What contradicts is told also where it cannot be kept, and then no file is named that is not there")
    func cannotBeKept() throws {
        defer { removeFolder() }
        _ = look(Log(20))
        let way = "\(fork).\(ProcessInfo.processInfo.processIdentifier).new"
        try FileManager.default.createDirectory(atPath: way, withIntermediateDirectories: true)
        let found = try #require(failure { Log(19).page(from: $0, by: signer) })
        #expect(found.code == "log-shrank" && found.next.contains("NOT kept (cannot remove \(way)"), "\(found)")
        #expect(!found.next.contains("has both") && !isForked)
        try FileManager.default.removeItem(atPath: way)
        let kept = failure { Log(19).page(from: $0, by: signer) }
        #expect(kept?.next.contains("\(fork) has both checkpoints. Then") == true && isForked)
    }

    @Test(
        "Of two runs at once the older answer neither replaces the newer one nor seems to contradict it",
        arguments: [5, 0])
    func atOnce(before: Int) throws {
        defer { removeFolder() }
        if before > 0 { _ = look(Log(before)) }
        let found = failure { size in
            #expect(look(Log(16)).contains(" has 16 records"), "the other run, while this one waits for its answer")
            return Log(9).page(from: size, by: signer)
        }
        #expect(found == nil && !isForked, "\(String(describing: found))")
        #expect(kept.hasPrefix("small/broker-1\n16\n"))
    }

    @Test("What another run is writing is left to it, and nothing is written into what lies in the way")
    func beside() throws {
        defer { removeFolder() }
        func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }
        let (half, mine) = (seen.path + ".new", folder + "/mine")
        for path in [half, mine] { try "as it was".write(toFile: path, atomically: false, encoding: .utf8) }
        let own = "\(seen.path).\(ProcessInfo.processInfo.processIdentifier).new"
        try FileManager.default.createSymbolicLink(atPath: own, withDestinationPath: mine)
        #expect(look(Log(5)).hasSuffix("seen for the first time"))
        #expect(try text(half) == "as it was" && text(mine) == "as it was" && kept.hasPrefix("small/broker-1\n5\n"))
        try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
        let found = failure { Log(6).page(from: $0, by: signer) }
        #expect(
            found?.code == "not-kept" && found?.why.contains("cannot remove \(own)") == true,
            "\(String(describing: found))")
    }

    @Test("What its key has not signed, what is of another log, and half a proof are not believed")
    func notBelieved() throws {
        defer { removeFolder() }
        let stranger = try #require(NoteSigner(name: "small/broker-1", key: SigningKey()))
        #expect(look(Log(5), signedBy: stranger) == "note-not-signed" && !seen.isThere)
        _ = look(Log(5))
        let before = kept
        #expect(look(Log(9), signedBy: stranger) == "note-not-signed")
        let found = failure { size in
            var page = Log(9).page(from: size, by: signer)
            page.proof = Array(page.proof.dropLast())
            return page
        }
        #expect(found?.code == "wrong-path-length" && kept == before)
        // Not that it is another log: of that nothing was shown.
        #expect(found?.what.contains("proof that its log goes on is not believed") == true && !isForked)
        try "no note".write(toFile: seen.path, atomically: true, encoding: .utf8)
        #expect(look(Log(9)) == "wrong-use", "a file that cannot be read is not written over")
    }

    @Test("A log of the same key under another name is another one")
    func otherName() throws {
        defer { removeFolder() }
        let key = SigningKey()
        let second = try #require(NoteSigner(name: "small/second", key: key))
        let first = try #require(NoteVerifier(name: "small/broker-1", key: key.publicKey))
        let code: String
        do throws(Failure) {
            code = try seen.look(at: first) { Log(3).page(from: $0, by: second) }.says
        } catch { code = error.code }
        #expect(code == "other-log")
    }
}
