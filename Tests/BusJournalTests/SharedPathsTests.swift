import BusEvidence
import BusProtocol
import Testing

@testable import BusJournal

/// Paths are written up to where they join that of the message before, and read back whole.
@Suite struct SharedPathsTests {
    private let portal = SigningKey()
    private let bank = SigningKey()

    /// Messages under one root, each with its proof in a frame of its own.
    private func signed(_ count: Int, by key: SigningKey, from first: UInt64) -> [JournalBatch.Message] {
        let body = Array("{}".utf8)
        let heads = (0..<count).map { header(.request, id(first + UInt64($0))).encoded() }
        let batch = BatchSigner(key).sign(heads.map { LogHash.messageLeaf(header: $0, body: body) }, at: noon / 1000)
        return heads.enumerated().map { index, head in
            let proof = Array(batch.proof(index))
            let ends = [head.count, head.count + proof.count, head.count + proof.count + batch.row.count]
            return JournalBatch.Message(
                frame: head + proof + batch.row + body, header: 0..<ends[0], proof: ends[0]..<ends[1],
                signedRoot: ends[1]..<ends[2], body: ends[2]..<ends[2] + body.count, receivedAt: noon)
        }
    }

    private func encoded(_ entries: [JournalBatch.Entry]) -> [UInt8] {
        var (batch, log) = (JournalBatch(), MerkleLog())
        for entry in entries { batch.append(entry) }
        return EncodedBatch(batch, appendingTo: &log).blob
    }

    private func read(_ blob: [UInt8]) throws(Fault) -> [MessageRecord] {
        let stored = StoredBatch(firstPosition: 1, committedAt: noon, records: blob)
        var found: [MessageRecord] = []
        try stored.forEach { _, type, payload throws(Fault) in
            guard type == RecordType.message.rawValue else { return }
            var record = try MessageRecord(&payload)
            record.signedRoot = stored.signedRoot(of: record.proof)
            found.append(record)
        }
        return found
    }

    /// The proof as it travelled; which row of a table it names is the table's.
    private func travelled(_ message: JournalBatch.Message) -> [UInt8] { Array(message.frame[message.proof]) }
    private func withoutRow(_ proof: [UInt8]) -> [UInt8] {
        proof.enumerated().map { [2, 3].contains($0.offset) ? 0 : $0.element }
    }

    @Test(arguments: [1, 2, 3, 7, 64, 129, 200]) func pathsComeBackWhole(size: Int) throws {
        let (own, others) = (signed(size, by: portal, from: 1), signed(5, by: bank, from: 1000))
        let bare = JournalBatch.Message(
            frame: own[0].frame, header: own[0].header, proof: 0..<0, body: own[0].body, receivedAt: noon)
        // In order, backwards, with others' and with unsigned ones between.
        let orders = [
            own + others, Array(own.reversed()), own.flatMap { [$0, others[2]] }, own.flatMap { [bare, $0] },
        ]
        for messages in orders {
            let entries = messages.flatMap { [.message($0), .finished(finished(id(7)))] as [JournalBatch.Entry] }
            let records = try read(encoded(entries))
            #expect(records.count == messages.count)
            for (record, message) in zip(records, messages) {
                #expect(withoutRow(record.proof) == travelled(message))
                #expect(record.signedRoot == Array(message.frame[message.signedRoot]))
                #expect(record.header == Array(message.frame[message.header]))
                #expect(record.bodySize == 2)
            }
        }
    }

    /// Two hashes a message instead of seven.
    @Test func messagesOfOneSignatureTakeLessRoom() {
        let own = signed(128, by: portal, from: 1)
        let whole = own.reduce(0) { $0 + encoded([.message($1)]).count }
        let together = encoded(own.map { .message($0) }).count
        let saved = 128 * 7 - 2 * 128
        #expect(whole - together >= saved * 32, "\(whole) bytes alone, \(together) together")
    }

    /// Their batch is of version 1, which has nothing but whole proofs.
    @Test func proofsWithoutASignedRootStayWhole() throws {
        let loose = signed(4, by: portal, from: 1).map {
            JournalBatch.Message(
                frame: $0.frame, header: $0.header, proof: $0.proof, body: $0.body, receivedAt: noon)
        }
        let blob = encoded(loose.map { .message($0) })
        #expect(blob[4] == 1)
        #expect(try read(blob).map(\.proof) == loose.map(travelled))
    }

    @Test func whereNothingIsSharedTheBatchIsOfVersionTwo() throws {
        let blob = encoded([.message(signed(4, by: portal, from: 1)[2])])
        #expect(blob[4] == 2)
        #expect(try read(blob)[0].proof.count == 8 + 2 * 32)
    }

    @Test func moreThanTheMessageBeforeHasIsRefused() throws {
        let own = signed(2, by: portal, from: 1) + signed(8, by: bank, from: 100)
        let good = encoded(own.map { .message($0) })
        #expect(good[4] == 3)
        // Behind the head and one root: the head of the first record, then the field of its payload.
        let field = EncodedBatch.headSize + 4 + 2 * SignedRoot.size + EncodedBatch.recordHead + 14
        for shared in [1, 2, 255] as [UInt8] {
            var bad = good
            bad[field] = shared
            #expect(throws: Fault.self, "there is none before it") { try read(bad) }
        }
        // Whatever is changed is refused or read: nothing is read from beside it.
        for place in good.indices {
            for change in [0x01, 0x80, 0xff] as [UInt8] {
                var bad = good
                bad[place] ^= change
                if let found = try? read(bad) { #expect(found.allSatisfy { $0.proof.count <= Limits.proof }) }
            }
        }
    }
}
