import BusProtocol
import Crypto
import Foundation

/// Who signs notes: a name and its key. The name is part of the key's short id, so a key signs for one name.
package struct NoteSigner: Sendable {
    package let verifier: NoteVerifier
    fileprivate let key: SigningKey

    /// `nil` when the name is none: empty, or with spaces, control characters or "+".
    package init?(name: String, key: SigningKey) {
        guard let verifier = NoteVerifier(name: name, key: key.publicKey) else { return nil }
        self.verifier = verifier
        self.key = key
    }
}

/// The name and public key of a signer of notes.
package struct NoteVerifier: Sendable, Equatable {
    package let name: String
    package let key: VerifyingKey
    static let hashSize = 4
    let hash: [UInt8]

    package init?(name: String, key: VerifyingKey) {
        guard Self.isName(name) else { return nil }
        self.name = name
        self.key = key
        hash = Self.hash(name, key)
    }

    /// First 4 bytes of H(name ‖ newline ‖ 01 ‖ key).
    static func hash(_ name: String, _ key: VerifyingKey) -> [UInt8] {
        let whole = SHA256.hash(data: Array(name.utf8) + [UInt8(ascii: "\n"), 1] + key.bytes)
        return Array(whole.prefix(hashSize))
    }

    static func isName(_ text: some StringProtocol) -> Bool {
        !text.isEmpty && text.utf8.count <= 255
            && text.unicodeScalars.allSatisfy {
                $0 != "+" && !$0.properties.isWhitespace && $0.properties.generalCategory != .control
            }
    }

    /// The key as other tools for notes take it: name+hash+key.
    package var text: String { "\(name)+\(hash.hex)+\(Data([1] + key.bytes).base64EncodedString())" }
}

/// The signed note of C2SP: text of lines, an empty line, signature lines "— NAME BASE64(hash 4 ‖ signature 64)".
package enum SignedNote {
    /// Longest note, bytes.
    package static let sizeLimit = 8192
    /// Most signature lines: of the signer and of witnesses.
    package static let signatureLimit = 16
    private static let dash = "\u{2014} "

    /// - Parameter text: ends with a newline; no control characters but newlines.
    package static func sign(_ text: String, by signers: [NoteSigner]) -> String {
        precondition(isText(text), "the text of a note is lines that end with a newline")
        return signers.reduce(text + "\n") { note, signer in
            let signature = signer.verifier.hash + signer.key.sign(Array(text.utf8))
            return note + "\(dash)\(signer.verifier.name) \(Data(signature).base64EncodedString())\n"
        }
    }

    /// A note whose signature was checked.
    package struct Opened: Sendable, Equatable {
        package let text: String
        /// The name under which the key has signed; it is signed too.
        package let signer: String
    }

    /// The text, if `key` has signed it. Signatures of others are not looked at, but must have the right form.
    package static func open(_ note: String, by key: VerifyingKey) throws(NoteFault) -> Opened {
        let (text, signatures) = try split(note)
        let ours = signatures.filter { $0.bytes.starts(with: NoteVerifier.hash($0.name, key)) }
        guard let line = ours.first else { throw .notSigned(by: key.id) }
        guard ours.count == 1 else { throw .malformed("the same key has signed it \(ours.count) times") }
        guard key.isSignature(line.bytes.dropFirst(NoteVerifier.hashSize), of: Array(text.utf8)) else {
            throw .wrongSignature(by: line.name)
        }
        return Opened(text: text, signer: line.name)
    }

    /// The text alone, whoever signed it.
    static func text(of note: String) throws(NoteFault) -> String { try split(note).0 }

    private static func isText(_ text: String) -> Bool {
        text.hasSuffix("\n") && text.utf8.allSatisfy { $0 == UInt8(ascii: "\n") || $0 >= 0x20 && $0 != 0x7f }
    }

    /// The text and the signature lines, unchecked.
    private static func split(_ note: String) throws(NoteFault) -> (String, [(name: String, bytes: [UInt8])]) {
        guard note.utf8.count <= sizeLimit else { throw .malformed("it is longer than \(sizeLimit) bytes") }
        guard isText(note) else { throw .malformed("it is not lines of text that end with a newline") }
        guard let gap = note.range(of: "\n\n", options: [.backwards, .literal]), gap.lowerBound > note.startIndex else {
            throw .malformed("it has no empty line between text and signatures")
        }
        let lines = note[gap.upperBound...].split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        guard (1...signatureLimit).contains(lines.count) else {
            throw .malformed("it has \(lines.count) signatures; 1 to \(signatureLimit) are possible")
        }
        var signatures: [(name: String, bytes: [UInt8])] = []
        for line in lines {
            guard let signature = signature(line) else { throw .malformed("a line is no signature") }
            signatures.append(signature)
        }
        return (note[..<gap.lowerBound] + "\n", signatures)
    }

    private static func signature(_ line: Substring) -> (name: String, bytes: [UInt8])? {
        // Byte by byte: a mark that combines with the blank before it would hide the blank.
        guard line.utf8.starts(with: dash.utf8) else { return nil }
        let parts = line.utf8.dropFirst(dash.utf8.count)
            .split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false).map { Substring($0) }
        guard parts.count == 2, NoteVerifier.isName(parts[0]), let bytes = Base64.decode(parts[1]), bytes.count >= 5
        else { return nil }
        return (String(parts[0]), bytes)
    }
}

/// Why a note is not believed.
package enum NoteFault: Error, Equatable, Sendable, CustomStringConvertible {
    case malformed(String)
    case notSigned(by: KeyID)
    case wrongSignature(by: String)

    /// Stable word for programs; `docs/EVIDENCE.md` lists them.
    package var code: String {
        switch self {
        case .malformed: "malformed-note"
        case .notSigned: "note-not-signed"
        case .wrongSignature: "wrong-note-signature"
        }
    }

    package var description: String {
        switch self {
        case .malformed(let why): "the note cannot be read: \(why); ask for it again"
        case .notSigned(let id): "the note has no signature of key \(id); compare the key with its owner"
        case .wrongSignature(let name): "the signature of \(name) is not of this text; the text or it was changed"
        }
    }
}

/// Base64 with padding, in its one canonical form.
enum Base64 {
    static func decode(_ text: some StringProtocol) -> [UInt8]? {
        let text = String(text)
        guard let data = Data(base64Encoded: text), data.base64EncodedString() == text else { return nil }
        return Array(data)
    }
}
