import BusProtocol

/// What the authority of a space says with its key, which is kept offline: this digest is version n of the space. A signed note,
/// so that it can be read, made and checked with other tools too.
package struct SpaceStatement: Sendable, Equatable {
    private static let firstLine = "kerege space v1"

    package var space: String
    package var version: UInt64
    /// SHA-256 of the snapshot's canonical bytes.
    package var digest: Digest32

    package init(space: String, version: UInt64, digest: Digest32) {
        self.space = space
        self.version = version
        self.digest = digest
    }

    package var text: String { "\(Self.firstLine)\n\(space)\nversion \(version)\ndigest \(digest.bytes.hex)\n" }

    package func sign(by authority: NoteSigner) -> String { SignedNote.sign(text, by: [authority]) }

    /// Reads what the authority of this key has signed.
    package init(_ note: String, by authority: VerifyingKey) throws(NoteFault) {
        let text = try SignedNote.open(note, by: authority).text
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard lines.count == 5, lines[0] == Self.firstLine, !lines[1].isEmpty, lines[2].hasPrefix("version "),
            lines[3].hasPrefix("digest "), let version = UInt64(lines[2].dropFirst(8)), version > 0,
            let digest = [UInt8](hex: String(lines[3].dropFirst(7))).flatMap({ Digest32($0) })
        else { throw .malformed("it is no statement of a space") }
        self.init(space: lines[1], version: version, digest: digest)
        // One way to say it: no leading zeros, lower case.
        guard self.text == text else { throw .malformed("it is a statement of a space in another form") }
    }
}
