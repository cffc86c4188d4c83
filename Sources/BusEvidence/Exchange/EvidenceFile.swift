import BusProtocol

/// Everything that is needed to prove one exchange without the bus: what was said, who signed it, that the broker's log holds it,
/// and which keys were whose. `docs/EVIDENCE.md` is its specification.
package struct EvidenceFile: Sendable, Equatable {
    package static let format = "kerege-evidence/1"

    /// Limits of the format; a reader refuses what is longer.
    package enum Limit {
        package static let file = 64 << 20
        package static let snapshot = 16 << 20
        package static let payload = 64 << 10
        package static let note = SignedNote.sizeLimit
        package static let path = 65
        package static let messages = 8
        package static let records = 16
        package static let receipts = 16
    }

    /// Where a record stands in the log, and the path from it to the checkpoint's root.
    package struct Place: Sendable, Equatable {
        /// From 1.
        package var position: UInt64
        package var inclusion: [Digest32]

        package init(position: UInt64, inclusion: [Digest32]) {
            self.position = position
            self.inclusion = inclusion
        }
    }

    /// The snapshot of the space that was in force: it states the keys of agents and of the log.
    package struct Space: Sendable, Equatable {
        /// Canonical bytes.
        package var snapshot: [UInt8]
        /// The authority's, 64 bytes: the same that brokers and agents check.
        package var signature: [UInt8]
        /// The log's record that the snapshot took effect, if that is to be proven too.
        package var place: Place?

        package init(snapshot: [UInt8], signature: [UInt8], place: Place? = nil) {
            self.snapshot = snapshot
            self.signature = signature
            self.place = place
        }
    }

    /// A message of the exchange. Without its body everything is proven as well, only not what the digest is of.
    package struct Message: Sendable, Equatable {
        package var header: [UInt8]
        package var bodyDigest: Digest32
        package var body: [UInt8]?
        /// 116 bytes; `nil` together with `proof` for what the broker made itself.
        package var signedRoot: [UInt8]?
        package var proof: [UInt8]?
        package var place: Place

        package init(
            header: [UInt8], bodyDigest: Digest32, body: [UInt8]? = nil, signedRoot: [UInt8]?, proof: [UInt8]?,
            place: Place
        ) {
            self.header = header
            self.bodyDigest = bodyDigest
            self.body = body
            self.signedRoot = signedRoot
            // Which row of a frame's table it named means nothing here.
            self.proof = proof.map { $0.count < 4 ? $0 : $0[..<2] + [0, 0] + $0[4...] }
            self.place = place
        }

        var leaf: Digest32 { header.withUnsafeBytes { LogHash.messageLeaf(header: $0, bodyDigest: bodyDigest) } }
    }

    /// Another record of the log about the exchange: its end, a delivery that was settled.
    package struct Record: Sendable, Equatable {
        package var type: UInt8
        package var payload: [UInt8]
        package var place: Place

        package init(type: UInt8, payload: [UInt8], place: Place) {
            self.type = type
            self.payload = payload
            self.place = place
        }
    }

    /// What somebody outside of the broker holds: an earlier checkpoint, and the proof that the log has only grown since.
    package struct Receipt: Sendable, Equatable {
        package var checkpoint: String
        package var consistency: [Digest32]

        package init(checkpoint: String, consistency: [Digest32]) {
            self.checkpoint = checkpoint
            self.consistency = consistency
        }
    }

    package var space: Space
    /// The log's signed checkpoint that all paths lead to.
    package var checkpoint: String
    /// In the order of their positions: what was asked, then its answers.
    package var messages: [Message]
    /// In the order of their positions.
    package var records: [Record]
    /// From the smallest to the largest.
    package var receipts: [Receipt]

    package init(
        space: Space, checkpoint: String, messages: [Message], records: [Record] = [], receipts: [Receipt] = []
    ) {
        self.space = space
        self.checkpoint = checkpoint
        self.messages = messages
        self.records = records
        self.receipts = receipts
    }
}
