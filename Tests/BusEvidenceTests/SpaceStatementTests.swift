import BusProtocol
import Testing

@testable import BusEvidence

@Suite struct SpaceStatementTests {
    private let authority = NoteSigner(name: "demo.example/authority", key: SigningKey())!
    private let statement = SpaceStatement(space: "demo", version: 7, digest: testLeaf(1))

    private func code(_ note: String) -> String {
        noteCode { () throws(NoteFault) in _ = try SpaceStatement(note, by: authority.verifier.key) }
    }

    @Test func whatTheAuthoritySignsIsRead() throws {
        let note = statement.sign(by: authority)
        #expect(note.hasPrefix("kerege space v1\ndemo\nversion 7\ndigest "))
        #expect(try SpaceStatement(note, by: authority.verifier.key) == statement)
    }

    @Test func anythingElseIsRefused() {
        let note = statement.sign(by: authority)
        #expect(code(note.replacing("version 7", with: "version 8")) == "wrong-note-signature")
        #expect(
            noteCode { () throws(NoteFault) in _ = try SpaceStatement(note, by: SigningKey().verifying) }
                == "note-not-signed")
        let text = statement.text
        for other in [
            text.replacing("version 7", with: "version 07"), text.replacing("version 7", with: "version 0"),
            text.replacing("version 7", with: "version"), text.replacing("demo", with: ""), text + "more\n",
            text.replacing("space v1", with: "space v2"), text.replacing("digest ", with: "digest  "),
            String(text.dropLast(2)) + "\n", statement.text.uppercased(),
        ] { #expect(code(SignedNote.sign(other, by: [authority])) == "malformed-note", "\(other.debugDescription)") }
    }

    /// The authority's key and a log's key never sign for each other's purpose, even if they were the same.
    @Test func aCheckpointIsNoStatementAndTheOtherWayRound() {
        let checkpoint = Checkpoint.sign(TreeHead(size: 7, root: testLeaf(1)), by: authority)
        #expect(code(checkpoint) == "malformed-note")
        #expect(throws: NoteFault.self) {
            try Checkpoint(statement.sign(by: authority), by: authority.verifier.key)
        }
    }
}
