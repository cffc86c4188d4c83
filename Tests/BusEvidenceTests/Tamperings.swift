import BusProtocol
import Foundation

@testable import BusEvidence

/// All ways in which a file is changed here: every member dropped, of another type, too long, in another form, with a bit changed,
/// swapped, doubled, or replaced by the valid value of another message.
struct Tamperings {
    let base: JSONValue
    let others: [JSONValue]
    let fixture: EvidenceFixture
    var all: [Tampering] = []

    init(_ fixture: EvidenceFixture) throws {
        self.fixture = fixture
        base = try StrictJSON.read(fixture.exchange(1).json())
        others = try [2, 4].map { try StrictJSON.read(fixture.exchange($0).json()) }
        shapes()
        lengths()
        forms()
        for index in 0..<2 { message(index) }
        log()
        notes()
        lists()
        replacements()
        wholes()
    }

    // MARK: The form of the file

    private mutating func shapes() {
        base.walk { pointer, value in
            let last = String(pointer.split(separator: "/").last ?? "")
            guard Int(last) == nil else { return }
            switch last {
            case "body": break
            case "proof": all.append(Tampering("drop", pointer, nil, Self.step("signature", pointer, "no-proof")))
            case "signedRoot":
                all.append(Tampering("drop", pointer, nil, Self.step("signature", pointer, "no-signed-root")))
            default: all.append(Tampering("drop", pointer, nil, "file \(pointer): missing-member"))
            }
            let other: JSONValue = if case .text = value { .integer(1) } else { .text("1") }
            all.append(Tampering("type of", pointer, other, "file \(pointer): wrong-type"))
            all.append(Tampering("null as", pointer, .null, "file \(pointer): wrong-type"))
        }
        for pointer in ["", "/space", "/messages/0", "/messages/1", "/records/0", "/receipts/0"] {
            all.append(
                Tampering("unknown member in", "\(pointer)/more", .text(""), "file \(pointer)/more: unknown-member"))
        }
        all.append(Tampering("another", "/format", .text("kerege-evidence/2"), "file /format: unknown-format"))
        all.append(Tampering("no message in", "/messages", .list([]), "file /messages/0: missing-member"))
    }

    /// "STEP ABOUT: WORD" for a member of a message.
    private static func step(_ name: String, _ pointer: String, _ word: String) -> String {
        "\(name) \(pointer.split(separator: "/").prefix(2).joined(separator: "/")): \(word)"
    }

    private mutating func lengths() {
        func base64(_ count: Int) -> JSONValue { .text(Data(count: count).base64EncodedString()) }
        let hash = JSONValue.text(String(repeating: "0", count: 64))
        let note = JSONValue.text(String(repeating: "x", count: 8193))
        for (pointer, value) in [
            ("/space/signature", base64(65)), ("/checkpoint", note), ("/receipts/0/checkpoint", note),
            ("/messages/0/header", base64(4097)), ("/messages/0/body", base64(65537)),
            ("/messages/0/signedRoot", base64(117)), ("/messages/0/proof", base64(2057)),
            ("/records/0/payload", base64(65537)), ("/messages/1/bodyDigest", .text(hash.text + "0")),
            ("/messages/1/position", .text("100000000000000000000")),
            ("/messages/0/inclusion", .list(Array(repeating: hash, count: 66))),
            ("/receipts/1/consistency", .list(Array(repeating: hash, count: 66))),
            ("/messages", .list(Array(repeating: base.list(at: "/messages", 0), count: 9))),
            ("/records", .list(Array(repeating: base.list(at: "/records", 0), count: 17))),
            ("/receipts", .list(Array(repeating: base.list(at: "/receipts", 0), count: 17))),
        ] { all.append(Tampering("length of", pointer, value, "file \(pointer): too-long")) }
    }

    private mutating func forms() {
        func other(_ pointer: String, _ values: String...) {
            for (number, value) in values.enumerated() {
                all.append(Tampering("form \(number) of", pointer, .text(value), "file \(pointer): malformed-value"))
            }
        }
        other("/messages/0/position", "0", "04", "+4", "-4", "4 ", "", "18446744073709551616")
        other("/space/position", "0", "x")
        let digest = base["/messages/0/bodyDigest"]?.text ?? ""
        other("/messages/0/bodyDigest", digest.uppercased(), String(digest.dropLast()), String(digest.dropLast()) + "g")
        other("/messages/1/inclusion/0", "", "zz")
        other("/receipts/0/consistency/0", String(digest.dropLast(2)))
        let root = base["/messages/0/signedRoot"]?.text ?? ""
        other(
            "/messages/0/signedRoot", "*" + root.dropFirst(), root.replacing("=", with: ""), " " + root.dropLast())
        other("/messages/0/header", "AB==", "A", "AA=", "AAAA\n")
        for number in [0, 1, 255, 256, -2] {
            all.append(
                Tampering(
                    "number \(number) as", "/records/0/type", .integer(Int64(number)),
                    "file /records/0/type: malformed-value"))
        }
    }

    // MARK: Bits

    private func flipped(_ pointer: String, _ offset: Int, _ mask: UInt8 = 1) -> JSONValue {
        var bytes = Base64.decode(base[pointer]?.text ?? "") ?? []
        bytes[offset < 0 ? bytes.count + offset : offset] ^= mask
        return .text(Data(bytes).base64EncodedString())
    }

    private func flippedHash(_ pointer: String, _ at: Int = 0) -> JSONValue {
        var digits = Array(base[pointer]?.text ?? "")
        digits[at] = digits[at] == "0" ? "1" : "0"
        return .text(String(digits))
    }

    private mutating func message(_ index: Int) {
        let pointer = "/messages/\(index)"
        let about = "messages/\(index)"
        func bit(_ member: String, _ offset: Int, _ says: String..., mask: UInt8 = 1) {
            all.append(
                Tampering(
                    "bit at \(offset) of \(pointer)/\(member)",
                    [
                        Tampering.Edit(
                            pointer: "\(pointer)/\(member)", value: flipped("\(pointer)/\(member)", offset, mask))
                    ],
                    Set(says)))
        }
        let misses = "signature \(about): path-misses-root"
        let unknown = "signature \(about): unknown-key"
        bit("header", 0, "header \(about): malformed-header")
        bit("header", 2, misses)
        bit("header", 24, misses)
        bit("header", -1, misses, unknown)
        // Of a reply it is the digest of its request.
        if index == 1 { for offset in 2...32 { bit("header", -offset, misses) } }
        bit("body", 0, "body \(about): wrong-body-digest")
        bit("body", -1, "body \(about): wrong-body-digest")
        for offset in [0, 31] { bit("signedRoot", offset, misses) }
        for offset in [32, 39] { bit("signedRoot", offset, unknown) }
        bit("signedRoot", 40, "signature \(about): wrong-path-length", "signature \(about): leaf-outside-batch")
        bit("signedRoot", 43, "signature \(about): wrong-path-length")
        for offset in [44, 51, 52, 83, 84, 115] { bit("signedRoot", offset, "signature \(about): wrong-signature") }
        bit("proof", 0, "signature \(about): unknown-suite")
        for offset in [1, 2, 3] { bit("proof", offset, "signature \(about): malformed-proof") }
        bit("proof", 4, misses, "signature \(about): leaf-outside-batch", "signature \(about): wrong-path-length")
        bit("proof", 7, "signature \(about): leaf-outside-batch")
        for offset in [8, -1] { bit("proof", offset, misses) }
        for at in [0, 63] {
            all.append(
                Tampering(
                    "digit \(at) of", "\(pointer)/bodyDigest", flippedHash("\(pointer)/bodyDigest", at),
                    "body \(about): wrong-body-digest"))
        }
        // Without the body the digest itself must be right.
        all.append(
            Tampering(
                "digest without body of \(pointer)",
                [
                    Tampering.Edit(pointer: "\(pointer)/body", value: nil),
                    Tampering.Edit(pointer: "\(pointer)/bodyDigest", value: flippedHash("\(pointer)/bodyDigest")),
                ], [misses]))
    }

    private mutating func log() {
        for (pointer, step) in [
            ("/space", "space-in-log:"), ("/messages/0", "in-log messages/0:"), ("/messages/1", "in-log messages/1:"),
            ("/records/0", "in-log records/0:"), ("/records/1", "in-log records/1:"),
        ] {
            let count = base["\(pointer)/inclusion"]?.list.count ?? 0
            for index in 0..<count {
                let hash = "\(pointer)/inclusion/\(index)"
                all.append(Tampering("digit of", hash, flippedHash(hash), "\(step) path-misses-root"))
                all.append(Tampering("drop", hash, nil, "\(step) wrong-path-length"))
            }
            let position = Int(base["\(pointer)/position"]?.text ?? "") ?? 0
            for other in Set([position - 1, position + 1, 1, 23]).sorted() where other != position && other > 0 {
                all.append(
                    Tampering(
                        "\(other) as", "\(pointer)/position", .text("\(other)"), "\(step) path-misses-root",
                        "\(step) wrong-path-length"))
            }
            all.append(Tampering("24 as", "\(pointer)/position", .text("24"), "\(step) outside-log"))
        }
        all.append(Tampering("6 as", "/records/0/type", .integer(6), "in-log records/0: path-misses-root"))
        all.append(
            Tampering(
                "bit of", "/records/1/payload", flipped("/records/1/payload", 0), "in-log records/1: path-misses-root"))
        all.append(Tampering("bit of", "/space/snapshot", flipped("/space/snapshot", 40), "space: wrong-signature"))
        all.append(
            Tampering("last bit of", "/space/snapshot", flipped("/space/snapshot", -1), "space: wrong-signature"))
        for offset in [0, 31, 32, 63] {
            all.append(
                Tampering(
                    "bit \(offset) of", "/space/signature", flipped("/space/signature", offset),
                    "space: wrong-signature"))
        }
        all.append(
            Tampering(
                "short", "/space/signature", .text(Data(count: 63).base64EncodedString()), "space: wrong-signature"))
        for receipt in 0..<2 {
            for index in 0..<(base["/receipts/\(receipt)/consistency"]?.list.count ?? 0) {
                let hash = "/receipts/\(receipt)/consistency/\(index)"
                let step = "receipt receipts/\(receipt):"
                all.append(
                    Tampering("digit of", hash, flippedHash(hash), "\(step) log-forked", "\(step) path-misses-root"))
                all.append(Tampering("drop", hash, nil, "\(step) wrong-path-length"))
            }
        }
    }

    // MARK: Notes

    private mutating func notes() {
        for (pointer, step) in [
            ("/checkpoint", "checkpoint:"),
            ("/receipts/0/checkpoint", "receipt receipts/0:"), ("/receipts/1/checkpoint", "receipt receipts/1:"),
        ] {
            let lines = (base[pointer]?.text ?? "").split(separator: "\n", omittingEmptySubsequences: false).map(
                String.init)
            func note(_ name: String, _ lines: [String], _ words: String...) {
                all.append(
                    Tampering(
                        "\(name) \(pointer)",
                        [Tampering.Edit(pointer: pointer, value: .text(lines.joined(separator: "\n")))],
                        Set(words.map { "\(step) \($0)" })))
            }
            let signature = lines.count - 2
            for (index, line) in lines.enumerated() where !line.isEmpty && index != signature {
                var changed = lines
                changed[index] = String(line.dropLast()) + (line.hasSuffix("0") ? "1" : "0")
                note("line \(index) of", changed, "wrong-note-signature")
                changed.remove(at: index)
                note("line \(index) removed from", changed, "wrong-note-signature")
            }
            func resigned(_ line: String) -> [String] { lines.dropLast(2) + [line, ""] }
            let parts = lines[signature].split(separator: " ").map(String.init)
            let bytes = Base64.decode(parts[2]) ?? []
            func signed(_ name: String, _ bytes: [UInt8]) -> [String] {
                resigned("\(parts[0]) \(name) \(Data(bytes).base64EncodedString())")
            }
            func flip(_ offset: Int) -> [UInt8] {
                var changed = bytes
                changed[offset] ^= 1
                return changed
            }
            note("name in", signed("x" + parts[1], bytes), "note-not-signed")
            note("hash in", signed(parts[1], flip(0)), "note-not-signed")
            for offset in [4, 35, 36, 67] {
                note("signature at \(offset) in", signed(parts[1], flip(offset)), "wrong-note-signature")
            }
            note("short signature in", signed(parts[1], bytes.dropLast()), "wrong-note-signature")
            note("no signature in", Array(lines.dropLast(2)) + [""], "malformed-note")
            note("signature twice in", lines.dropLast() + [lines[signature], ""], "malformed-note")
            note("no last newline in", lines.dropLast(), "malformed-note")
            note("no empty line in", lines.filter { !$0.isEmpty } + [""], "malformed-note")
            note("hyphen in", resigned(lines[signature].replacing("\u{2014}", with: "-")), "malformed-note")
            note("control character in", ["a\u{7}"] + lines, "malformed-note")
        }
    }

    // MARK: Lists

    private mutating func lists() {
        base.walk { pointer, value in
            guard case .list(let values) = value, values.count > 1 else { return }
            var swapped = values
            swapped.swapAt(0, 1)
            let doubled = [values[0]] + values
            func add(_ name: String, _ list: [JSONValue], _ says: String...) {
                all.append(
                    Tampering("\(name) \(pointer)", [Tampering.Edit(pointer: pointer, value: .list(list))], Set(says)))
            }
            let about = pointer.split(separator: "/").prefix(2).joined(separator: "/")
            switch pointer.split(separator: "/").last {
            case "inclusion":
                let step = about.hasPrefix("space") ? "space-in-log:" : "in-log \(about):"
                add("swap in", swapped, "\(step) path-misses-root")
                add("double in", doubled, "\(step) wrong-path-length")
                add("none in", [], "\(step) wrong-path-length")
            case "consistency":
                add("swap in", swapped, "receipt \(about): log-forked", "receipt \(about): path-misses-root")
                add("double in", doubled, "receipt \(about): wrong-path-length")
                add("none in", [], "receipt \(about): wrong-path-length")
            case "messages":
                add("swap in", swapped, "exchange: wrong-first-message")
                add("double in", doubled, "exchange: repeated-message")
                add("only the answer in", [values[1]], "exchange: wrong-first-message")
                add("answer twice in", values + [values[1]], "exchange: repeated-message")
            case "records":
                add("swap in", swapped, "exchange: wrong-order")
                add("double in", doubled, "exchange: wrong-order")
            default:
                add("swap in", swapped, "receipt receipts/1: wrong-order")
                add("double in", doubled, "receipt receipts/1: wrong-order")
            }
        }
    }
}

extension JSONValue {
    func list(at pointer: String, _ index: Int) -> JSONValue { self[pointer]?.list[index] ?? .null }
}
