import BusProtocol
import Foundation

extension EvidenceFile {
    /// The file: JSON with one member a line.
    package func json() -> [UInt8] {
        var out = JSONWriter()
        out.object {
            $0.member("format", text: Self.format)
            $0.member("space") { out in
                out.object {
                    $0.member("snapshot", base64: space.snapshot)
                    $0.member("signature", base64: space.signature)
                    if let place = space.place { $0.place(place) }
                }
            }
            $0.member("checkpoint", text: checkpoint)
            $0.member("messages", list: messages) { out, message in
                out.object {
                    $0.member("header", base64: message.header)
                    $0.member("bodyDigest", text: message.bodyDigest.bytes.hex)
                    if let body = message.body { $0.member("body", base64: body) }
                    if let root = message.signedRoot { $0.member("signedRoot", base64: root) }
                    if let proof = message.proof { $0.member("proof", base64: proof) }
                    $0.place(message.place)
                }
            }
            $0.member("records", list: records) { out, record in
                out.object {
                    $0.member("type", number: Int(record.type))
                    $0.member("payload", base64: record.payload)
                    $0.place(record.place)
                }
            }
            $0.member("receipts", list: receipts) { out, receipt in
                out.object {
                    $0.member("checkpoint", text: receipt.checkpoint)
                    $0.member("consistency", hashes: receipt.consistency)
                }
            }
        }
        return Array((out.text + "\n").utf8)
    }
}

extension JSONWriter {
    fileprivate mutating func place(_ place: EvidenceFile.Place) {
        member("position", text: String(place.position))
        member("inclusion", hashes: place.inclusion)
    }

    fileprivate mutating func member(_ name: String, base64 bytes: [UInt8]) {
        member(name, text: Data(bytes).base64EncodedString())
    }

    fileprivate mutating func member(_ name: String, hashes: [Digest32]) {
        member(name, list: hashes) { $0.put($1.bytes.hex) }
    }
}

/// Writes indented JSON.
private struct JSONWriter {
    private(set) var text = ""
    private var indent = ""
    private var isFirst = true

    mutating func object(_ members: (inout JSONWriter) -> Void) { bracket("{", "}", members) }

    mutating func member(_ name: String, text value: String) { member(name) { $0.put(value) } }
    mutating func member(_ name: String, number: Int) { member(name) { $0.text += String(number) } }

    mutating func member<Element>(_ name: String, list: [Element], _ each: (inout JSONWriter, Element) -> Void) {
        member(name) { out in
            guard !list.isEmpty else {
                out.text += "[]"
                return
            }
            out.bracket("[", "]") { out in
                for element in list {
                    out.separate()
                    each(&out, element)
                }
            }
        }
    }

    mutating func member(_ name: String, _ value: (inout JSONWriter) -> Void) {
        separate()
        put(name)
        text += ": "
        value(&self)
    }

    mutating func put(_ value: String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\0"..<" ": text += "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }

    private mutating func bracket(_ open: String, _ close: String, _ inside: (inout JSONWriter) -> Void) {
        text += open
        indent += "  "
        isFirst = true
        inside(&self)
        indent.removeLast(2)
        text += "\n" + indent + close
        isFirst = false
    }

    private mutating func separate() {
        text += (isFirst ? "\n" : ",\n") + indent
        isFirst = false
    }
}
