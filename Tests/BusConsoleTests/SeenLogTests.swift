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
        for (log, code) in [
            (Log(19), "log-shrank"), (Log(0), "log-shrank"), (Log(20, others: 1), "log-forked"),
            (Log(40, others: 21), "log-forked"),
        ] {
            #expect(look(log) == code, "\(log.leaves.count)")
            #expect(kept == before)
            // The first that did not fit stays: what is shown later may be whole again.
            let both = try String(contentsOfFile: seen.path + ".fork", encoding: .utf8)
            #expect(both == before + "\n" + Log(19).page(from: 0, by: signer).checkpoint)
        }
        #expect(look(Log(40, others: 20)).hasSuffix("it goes on from the 20 seen before"))
    }

    @Test("What its key has not signed, what is of another log, and half a proof are not believed")
    func notBelieved() throws {
        defer { removeFolder() }
        let stranger = try #require(NoteSigner(name: "small/broker-1", key: SigningKey()))
        #expect(look(Log(5), signedBy: stranger) == "note-not-signed" && !seen.isThere)
        _ = look(Log(5))
        let before = kept
        #expect(look(Log(9), signedBy: stranger) == "note-not-signed")
        let code: String
        do throws(Failure) {
            _ = try seen.look(at: signer.verifier) { size in
                var page = Log(9).page(from: size, by: signer)
                page.proof = Array(page.proof.dropLast())
                return page
            }
            code = "ok"
        } catch { code = error.code }
        #expect(code == "wrong-path-length" && kept == before)
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
