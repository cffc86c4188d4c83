import BusProtocol
import Foundation

/// What a broker's log says of itself, signed: the checkpoint of C2SP tlog-checkpoint, a signed note of the lines origin, size,
/// root in Base64, and any extensions.
package struct Checkpoint: Sendable, Equatable {
    package var origin: String
    package var head: TreeHead
    /// More lines, none empty.
    package var extensions: [String]

    package init(origin: String, head: TreeHead, extensions: [String] = []) {
        self.origin = origin
        self.head = head
        self.extensions = extensions
    }

    package var text: String {
        let lines = [origin, String(head.size), Data(head.root.bytes).base64EncodedString()] + extensions
        return lines.map { $0 + "\n" }.joined()
    }

    /// The signed note. The log's name is its origin.
    package static func sign(_ head: TreeHead, by log: NoteSigner, extensions: [String] = []) -> String {
        precondition(extensions.allSatisfy { !$0.isEmpty && !$0.contains("\n") }, "an extension is a line")
        return SignedNote.sign(
            Checkpoint(origin: log.verifier.name, head: head, extensions: extensions).text, by: [log])
    }

    /// Reads a checkpoint that the log of this key has signed in its own name; anything else, or not in its one form, is refused.
    package init(_ note: String, by key: VerifyingKey) throws(NoteFault) {
        let opened = try SignedNote.open(note, by: key)
        try self.init(text: opened.text)
        guard origin == opened.signer else { throw .malformed("\(opened.signer) has signed for \(origin)") }
    }

    /// Reads a note whose signature was checked before, and is not again; `nil` when it has not the form.
    init?(unchecked note: String) {
        guard let text = try? SignedNote.text(of: note), let checkpoint = try? Checkpoint(text: text) else {
            return nil
        }
        self = checkpoint
    }

    private init(text: String) throws(NoteFault) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
        guard lines.count >= 3, !lines.contains("") else { throw .malformed("a checkpoint is three lines and more") }
        guard let size = UInt64(lines[1]), String(size) == lines[1] else {
            throw .malformed("the second line of a checkpoint is its size")
        }
        guard let root = Base64.decode(lines[2]).flatMap({ Digest32($0) }) else {
            throw .malformed("the third line of a checkpoint is its root, 32 bytes in Base64")
        }
        guard size > 0 || root == LogHash.empty else { throw .malformed("the root of an empty log is another") }
        self.init(origin: lines[0], head: TreeHead(size: size, root: root), extensions: Array(lines[3...]))
    }
}
