import BusProtocol
import Testing

@testable import BusEvidence

/// What throwing a fault gives as its code; "ok" when nothing is thrown.
func noteCode(_ body: () throws(NoteFault) -> Void) -> String {
    do throws(NoteFault) {
        try body()
        return "ok"
    } catch { return error.code }
}

@Suite struct SignedNoteTests {
    /// The key, text and signature of the example in the Go package golang.org/x/mod/sumdb/note, made by others.
    @Test func aNoteOfAnotherProgramIsRead() throws {
        let parts = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW".split(
            separator: "+", maxSplits: 2)
        let bytes = try #require(Base64.decode(parts[2]))
        let key = try #require(
            VerifyingKey(Array(bytes.dropFirst())).flatMap { NoteVerifier(name: "PeterNeumann", key: $0) })
        #expect(key.text == parts.joined(separator: "+"))
        let text =
            "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
        let signature =
            "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
        let opened = try SignedNote.open(text + "\n\u{2014} PeterNeumann \(signature)\n", by: key.key)
        #expect(opened == SignedNote.Opened(text: text, signer: "PeterNeumann"))
    }

    private let signer = NoteSigner(name: "kerege.example/log", key: SigningKey())!
    private let other = NoteSigner(name: "witness.example", key: SigningKey())!

    @Test func whatIsSignedIsRead() throws {
        let text = "one\n\ntwo – екі\n"
        let note = SignedNote.sign(text, by: [signer, other])
        for signer in [signer, other] {
            let opened = SignedNote.Opened(text: text, signer: signer.verifier.name)
            #expect(try SignedNote.open(note, by: signer.verifier.key) == opened)
        }
    }

    @Test func whatIsNotSignedSoIsRefused() throws {
        let text = "one\ntwo\n"
        let note = SignedNote.sign(text, by: [signer])
        func code(_ note: String, _ key: VerifyingKey? = nil) -> String {
            noteCode { () throws(NoteFault) in _ = try SignedNote.open(note, by: key ?? signer.verifier.key) }
        }
        #expect(code(note) == "ok")
        #expect(code(note, other.verifier.key) == "note-not-signed")
        #expect(code(note.replacing("kerege.example/log ", with: "kerege.example/gol ")) == "note-not-signed")
        #expect(code(note.replacing("one", with: "One")) == "wrong-note-signature")
        #expect(code("0\n" + note) == "wrong-note-signature")
        let line = String(note.split(separator: "\n").last ?? "")
        for bad in [
            "", "\n", "one", text, note + "\n", note + line, note + line + "\n", note.replacing("\u{2014}", with: "-"),
            note.replacing("one", with: "o\tne"), note.replacing("one", with: "o\u{7f}ne"),
            note.replacing("log ", with: "log  "), note.replacing("kerege.example/log ", with: ""),
            note.replacing("=\n", with: "\n"), String(note.dropLast()), "\n\n" + line + "\n",
            text + "\n" + String(repeating: "\u{2014} a AAAAAAA=\n", count: 17),
            SignedNote.sign(String(repeating: "x", count: 8190) + "\n", by: [signer]),
        ] { #expect(code(bad) == "malformed-note", "\(bad.debugDescription)") }
    }

    @Test(arguments: ["", "a b", "a+b", "a\u{a0}b", "a\tb", String(repeating: "a", count: 256)])
    func thatIsNoName(name: String) { #expect(NoteSigner(name: name, key: SigningKey()) == nil) }
}

@Suite struct CheckpointTests {
    private let log = NoteSigner(name: "kerege.example/broker-1", key: SigningKey())!
    private let head = TreeHead(size: 20_852_163, root: testLeaf(1))

    @Test func checkpointsGoBothWays() throws {
        let note = Checkpoint.sign(head, by: log, extensions: ["time 1767225600000"])
        #expect(note.hasPrefix("kerege.example/broker-1\n20852163\n"))
        #expect(
            try Checkpoint(note, by: log.verifier.key)
                == Checkpoint(origin: log.verifier.name, head: head, extensions: ["time 1767225600000"]))
        let empty = TreeHead(size: 0, root: LogHash.empty)
        #expect(try Checkpoint(Checkpoint.sign(empty, by: log), by: log.verifier.key).head == empty)
    }

    @Test func onlyTheOneFormIsRead() {
        let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
        let name = log.verifier.name
        func code(_ text: String) -> String {
            noteCode { () throws(NoteFault) in
                _ = try Checkpoint(SignedNote.sign(text, by: [log]), by: log.verifier.key)
            }
        }
        #expect(code("\(name)\n7\n\(root)\n") == "ok")
        for text in [
            "\(name)\n07\n\(root)\n", "\(name)\n+7\n\(root)\n", "\(name)\n-7\n\(root)\n", "\(name)\n\n\(root)\n",
            "\(name)\n18446744073709551616\n\(root)\n", "\(name)\n7\n\(root.dropLast())\n", "\(name)\n7\n\(root)=\n",
            "\(name)\n7\nAAAA\n", "\(name)\n7\n", "\(name)\n7 \n\(root)\n", "\(name)\n0\n\(root)\n",
            "\(name)\n7\n\(root)\n\nmore\n", "other.example\n7\n\(root)\n", "\n7\n\(root)\n",
            // The last character of the root has bits that no byte holds.
            "\(name)\n7\n\(root.replacing("2I=", with: "2J="))\n",
        ] { #expect(code(text) == "malformed-note", "\(text.debugDescription)") }
    }

    @Test func everyChangedByteIsRefused() {
        let note = Array(Checkpoint.sign(head, by: log).utf8)
        for index in note.indices {
            var changed = note
            changed[index] ^= 1
            #expect(throws: NoteFault.self, "byte \(index)") {
                try Checkpoint(String(decoding: changed, as: UTF8.self), by: log.verifier.key)
            }
        }
    }
}
