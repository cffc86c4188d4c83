import BusProtocol
import Foundation

@testable import BusEvidence

/// Valid values of other messages in the place of a file's own: each part of it holds, and the whole does not.
extension Tamperings {
    mutating func replacements() {
        for index in 0..<2 {
            for (name, source) in [
                ("sibling", base["/messages/\(1 - index)"]), ("batch", others[0]["/messages/\(index)"]),
                ("other", others[1]["/messages/\(index)"]),
            ] {
                for member in ["header", "bodyDigest", "body", "signedRoot", "proof", "position", "inclusion"] {
                    let pointer = "/messages/\(index)/\(member)"
                    guard let value = source?["/\(member)"], value != base[pointer] else { continue }
                    let about = "messages/\(index)"
                    let words: Set<String> =
                        switch member {
                        case "header":
                            name == "sibling"
                                ? ["signature \(about): unknown-key"] : ["signature \(about): path-misses-root"]
                        case "bodyDigest", "body": ["body \(about): wrong-body-digest"]
                        case "signedRoot":
                            name == "sibling"
                                ? ["signature \(about): unknown-key", "signature \(about): leaf-outside-batch"]
                                : ["signature \(about): wrong-path-length", "signature \(about): leaf-outside-batch"]
                        case "proof":
                            [
                                "signature \(about): path-misses-root", "signature \(about): wrong-path-length",
                                "signature \(about): leaf-outside-batch",
                            ]
                        default: ["in-log \(about): path-misses-root", "in-log \(about): wrong-path-length"]
                        }
                    all.append(
                        Tampering("\(name)'s \(pointer)", [Tampering.Edit(pointer: pointer, value: value)], words))
                }
            }
        }
    }

    mutating func wholes() {
        let size = fixture.leaves.count
        func whole(_ name: String, _ edits: [(String, JSONValue?)], _ says: String...) {
            all.append(Tampering(name, edits.map { Tampering.Edit(pointer: $0.0, value: $0.1) }, Set(says)))
        }
        for (index, other) in others.enumerated() {
            whole(
                "question of another exchange \(index)", [("/messages/0", other["/messages/0"])],
                "exchange: other-correlation")
            whole(
                "answer of another exchange \(index)", [("/messages/1", other["/messages/1"])],
                "exchange: other-correlation")
        }
        func file(_ numbers: UInt16...) -> [JSONValue] {
            numbers.compactMap { try? StrictJSON.read(fixture.file($0).json())["/messages/0"] }
        }
        whole("two requests", [("/messages", .list(file(1, 2)))], "exchange: not-an-answer")
        whole("an outcome to a request", [("/messages", .list(file(1, 31)))], "exchange: not-an-answer")
        whole("an event and a reply", [("/messages", .list(file(41, 11)))], "exchange: not-an-answer")
        whole("a stranger's outcome", [("/messages", .list(file(21, 32)))], "exchange: other-correlation")
        for (name, number, word) in [
            ("the answer to another question of the same id", 15, "other-request-digest"),
            ("an answer with another question's digest", 16, "other-request-digest"),
            ("an answer without a digest", 13, "no-request-digest"),
        ] as [(String, UInt16, String)] {
            whole(name, [("/messages/1", file(number)[0])], "binding messages/1: \(word)")
            whole(
                "\(name), behind the right one",
                [
                    ("/messages", .list(file(1, 11, number)))
                ], "binding messages/2: \(word)")
        }
        whole(
            "an outcome with another command's digest", [("/messages", .list(file(21, 33)))],
            "binding messages/1: other-request-digest")
        // The expired command's outcome is the broker's own; a provider's cannot pass for one.
        let outcome = file(21, 31)
        whole(
            "a provider's outcome without proof",
            [
                (
                    "/messages",
                    .list([
                        outcome[0],
                        outcome[1].applying(.init(pointer: "/proof", value: nil))
                            .applying(.init(pointer: "/signedRoot", value: nil)),
                    ])
                )
            ], "signature messages/1: no-proof")
        let later = fixture.space(version: 8)
        let snapshot = JSONValue.text(Data(later.snapshot).base64EncodedString())
        let signature = JSONValue.text(Data(later.signature).base64EncodedString())
        whole("snapshot of version 8", [("/space/snapshot", snapshot)], "space: wrong-signature")
        whole("signature of version 8", [("/space/signature", signature)], "space: wrong-signature")
        whole(
            "space of version 8", [("/space/snapshot", snapshot), ("/space/signature", signature)],
            "space-in-log: path-misses-root")
        let early = fixture.checkpoint(8)
        whole(
            "an earlier checkpoint", [("/checkpoint", .text(early))], "space-in-log: wrong-path-length",
            "space-in-log: path-misses-root")
        whole(
            "a receipt of another size", [("/receipts/0/checkpoint", .text(early))],
            "receipt receipts/0: wrong-path-length", "receipt receipts/0: log-forked",
            "receipt receipts/0: path-misses-root")
        whole(
            "a receipt as checkpoint", [("/checkpoint", base["/receipts/1/checkpoint"])],
            "space-in-log: wrong-path-length", "space-in-log: path-misses-root")
        let forged = Checkpoint.sign(TreeHead(size: UInt64(size), root: testLeaf(1)), by: fixture.authority)
        whole("a checkpoint by another key", [("/checkpoint", .text(forged))], "checkpoint: note-not-signed")
        let record = Checkpoint.sign(TreeHead(size: 0, root: LogHash.empty), by: fixture.log)
        whole("a checkpoint of the empty log", [("/checkpoint", .text(record))], "space-in-log: outside-log")
        whole(
            "a receipt of the empty log", [("/receipts/0/checkpoint", .text(record))], "receipt receipts/0: wrong-order"
        )
        let other = Checkpoint.sign(
            TreeHead(size: 30, root: testLeaf(1)), by: fixture.log)
        whole("a receipt of a larger log", [("/receipts/1/checkpoint", .text(other))], "receipt receipts/1: log-shrank")
        let fork = Checkpoint.sign(TreeHead(size: 12, root: testLeaf(1)), by: fixture.log)
        whole("a receipt of a forked log", [("/receipts/1/checkpoint", .text(fork))], "receipt receipts/1: log-forked")
    }
}
