import BusJournal
import BusProtocol

/// What a durable message is made of, copied out of the frame it came in: what waits may pin only its own bytes.
package struct MessageBytes: Sendable {
    package let header: [UInt8]
    package let body: [UInt8]
    /// As its sender made it; empty where it was not signed.
    package let proof: [UInt8]
    /// The signed root of the proof.
    package let signedRoot: [UInt8]

    package init(header: [UInt8], body: [UInt8], proof: [UInt8] = [], signedRoot: [UInt8] = []) {
        self.header = header
        self.body = body
        self.proof = proof
        self.signedRoot = signedRoot
    }

    init(_ message: JournalBatch.Message) {
        self.init(
            header: Array(message.frame[message.header]), body: Array(message.frame[message.body]),
            proof: Array(message.frame[message.proof]), signedRoot: Array(message.frame[message.signedRoot]))
    }

    /// The same without its body.
    var withoutBody: MessageBytes { MessageBytes(header: header, body: [], proof: proof, signedRoot: signedRoot) }
    var size: Int { header.count + body.count }
}

extension OutgoingEnvelope {
    /// As it arrived, in slices of its frame.
    init(_ message: JournalBatch.Message) {
        self.init(header: message.frame[message.header], body: message.frame[message.body])
        proof = message.frame[message.proof]
        signedRoot = message.frame[message.signedRoot]
    }

    init(_ bytes: MessageBytes) {
        self.init(header: bytes.header[...], body: bytes.body[...])
        proof = bytes.proof[...]
        signedRoot = bytes.signedRoot[...]
    }
}
