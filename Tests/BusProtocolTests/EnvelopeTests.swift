import BusProtocol
import Testing

@Suite struct EnvelopeTests {
    private func request(_ number: UInt128) -> Header {
        Header(kind: .request, id: MessageID(value: 7 << 76 | 0b10 << 62 | number), created: 1)
    }

    /// Decodes and returns bodies by index, faults by index, and the cost.
    private func read(_ frame: [UInt8]) throws -> (bodies: [Int: [UInt8]], faults: [Int: FaultCode], cost: Int) {
        try frame.withUnsafeBytes { raw in
            var bodies: [Int: [UInt8]] = [:]
            var faults: [Int: FaultCode] = [:]
            let cost = try EnvelopeFrame.decode(raw, FrameHead(raw)) { index, result in
                switch result {
                case .success(let view): bodies[index] = Array(raw[view.body])
                case .failure(let fault): faults[index] = fault.code
                }
            }
            return (bodies, faults, cost)
        }
    }

    @Test func aFullFrameKeepsOrderAndBodies() throws {
        let envelopes = (0..<Limits.envelopesPerFrame).map { index in
            OutgoingEnvelope(
                header: request(UInt128(index)).encoded()[...],
                body: [UInt8](repeating: UInt8(index & 0xff), count: index % 7)[...])
        }
        let found = try read(EnvelopeFrame.encode(FrameHead(.submit), envelopes))
        #expect(found.faults.isEmpty && found.bodies.count == Limits.envelopesPerFrame)
        for (index, envelope) in envelopes.enumerated() { #expect(found.bodies[index] == Array(envelope.body)) }
        #expect(found.cost == envelopes.reduce(0) { $0 + $1.cost })
    }

    @Test func aBadNeighbourSpoilsNothingAndCosts() throws {
        var broken = request(2).encoded()
        broken[2] = 10
        let envelopes = [request(1).encoded(), broken, request(3).encoded()].enumerated().map { index, header in
            OutgoingEnvelope(header: header[...], body: [UInt8(index)][...])
        }
        let found = try read(EnvelopeFrame.encode(FrameHead(.submit), envelopes))
        #expect(found.bodies == [0: [0], 2: [2]])
        #expect(found.faults == [1: .badHeader])
        #expect(found.cost == 3 * (Header.fixedSize + 1), "the bad one counts against credit like the others")
    }

    @Test func headersArePassedOnUntouched() throws {
        for vector in try Vectors.headers() {
            let frame = EnvelopeFrame.encode(
                FrameHead(.deliver),
                [OutgoingEnvelope(header: vector.hex.bytes[...], body: [1, 2][...], annotations: Annotations())])
            let header = try frame.withUnsafeBytes { raw in
                var header: [UInt8] = []
                try EnvelopeFrame.decode(raw, FrameHead(raw)) { _, result in
                    if case .success(let view) = result { header = Array(raw[view.header.range]) }
                }
                return header
            }
            #expect(header == vector.hex.bytes, "\(vector.name)")
        }
    }

    @Test func fieldsOfAWrongSizeAreNotMarkedPresent() throws {
        var header = request(1)
        header.contractDigest = [1, 2, 3]
        header.traceparent = []
        #expect(header.encoded() == request(1).encoded())
    }

    @Test func longTextsAreCutBetweenCharacters() throws {
        var header = request(1)
        header.purpose = String(repeating: "қ", count: 200)
        // One grapheme of 601 bytes: cutting at graphemes would leave nothing and a presence bit.
        header.user = "e" + String(repeating: "\u{301}", count: 300)
        let read = try header.encoded().readHeader().get()
        #expect(read.purpose == String(repeating: "қ", count: 127))
        #expect(read.user.utf8.count == 255 && header.user.utf8.starts(with: read.user.utf8))
    }
}

@Suite struct RootTableTests {
    private func header(_ number: UInt128) -> [UInt8] {
        Header(kind: .request, id: MessageID(value: 7 << 76 | 0b10 << 62 | number), created: 1).encoded()
    }

    private func root(_ number: UInt8) -> [UInt8] { [UInt8](repeating: number, count: SignedRoot.size) }

    /// A proof for leaf `leaf` with one hash, which names row `row` of some other frame.
    private func proof(_ leaf: UInt8, row: UInt16) -> [UInt8] {
        [1, 1, UInt8(row & 255), UInt8(row >> 8), leaf, 0, 0, 0] + [UInt8](repeating: leaf, count: 32)
    }

    private func envelope(_ number: UInt8, root: [UInt8], row: UInt16 = 9) -> OutgoingEnvelope {
        var made = OutgoingEnvelope(header: header(UInt128(number))[...], body: [number][...])
        made.proof = proof(number, row: row)[...]
        made.signedRoot = root[...]
        return made
    }

    private struct Read: Equatable {
        var proof: [UInt8]
        var root: [UInt8]
    }

    private func read(_ frame: [UInt8]) throws -> [Read] {
        try frame.withUnsafeBytes { raw in
            var read: [Read] = []
            try EnvelopeFrame.decode(raw, FrameHead(raw)) { _, result in
                if case .success(let view) = result {
                    read.append(Read(proof: Array(raw[view.proof]), root: Array(raw[view.signedRoot])))
                }
            }
            return read
        }
    }

    @Test func equalRootsStandOnceAndProofsNameTheirRow() throws {
        let bare = OutgoingEnvelope(header: header(8)[...], body: [])
        let frame = EnvelopeFrame.encode(
            FrameHead(.deliver),
            [
                envelope(1, root: root(7)), envelope(2, root: root(7)), bare, envelope(3, root: root(5)),
                envelope(4, root: root(7)),
            ])
        #expect(Array(frame[48..<52]) == [2, 0, 0, 0], "two different roots")
        #expect(Array(frame[52..<52 + 232]) == root(7) + root(5), "in the order of their first use")
        #expect(
            try read(frame) == [
                Read(proof: proof(1, row: 0), root: root(7)), Read(proof: proof(2, row: 0), root: root(7)),
                Read(proof: [], root: []), Read(proof: proof(3, row: 1), root: root(5)),
                Read(proof: proof(4, row: 0), root: root(7)),
            ])
    }

    /// What a broker does: envelopes of several received frames go out in one, in another order.
    @Test func proofsKeepTheirRootsWhenMessagesAreBatchedAnew() throws {
        let first = EnvelopeFrame.encode(
            FrameHead(.submit), [envelope(1, root: root(7)), envelope(2, root: root(5))])
        let second = EnvelopeFrame.encode(
            FrameHead(.submit), [envelope(3, root: root(5)), envelope(4, root: root(6))])
        var again: [OutgoingEnvelope] = []
        for frame in [second, first] {
            _ = try frame.withUnsafeBytes { raw in
                try EnvelopeFrame.decode(raw, FrameHead(raw)) { _, result in
                    guard case .success(let view) = result else { return }
                    var out = OutgoingEnvelope(
                        header: frame[view.header.range], body: frame[view.body], annotations: Annotations())
                    out.proof = frame[view.proof]
                    out.signedRoot = frame[view.signedRoot]
                    again.append(out)
                }
            }
        }
        let frame = EnvelopeFrame.encode(FrameHead(.deliver), again)
        #expect(Array(frame[48..<52]) == [3, 0, 0, 0])
        #expect(try read(frame).map(\.root) == [root(5), root(6), root(7), root(5)])
        #expect(
            try read(frame).map(\.proof) == [
                proof(3, row: 0), proof(4, row: 1), proof(1, row: 2), proof(2, row: 0),
            ])
    }

    @Test func aProofWithoutItsRootIsLeftOut() throws {
        var cut = envelope(1, root: root(7))
        cut.signedRoot = root(7)[1...]
        var short = envelope(2, root: root(7))
        short.proof = short.proof.prefix(7)
        let frame = EnvelopeFrame.encode(FrameHead(.submit), [cut, short, envelope(3, root: [])])
        #expect(frame.count == 48 + 4 + 3 * (16 + 40 + 1))
        #expect(try read(frame) == [Read](repeating: Read(proof: [], root: []), count: 3))
    }

    @Test func aFullFrameOfDifferentRootsIsWritten() throws {
        let envelopes = (0..<Limits.envelopesPerFrame).map { index in
            envelope(UInt8(index & 255), root: [UInt8(index & 255), UInt8(index >> 8)] + root(3).dropFirst(2))
        }
        let read = try read(EnvelopeFrame.encode(FrameHead(.submit), envelopes))
        #expect(read.map(\.root) == envelopes.map { Array($0.signedRoot) })
    }

    @Test func aSignedRootGoesBothWays() throws {
        let bytes = (0..<116).map { UInt8($0) }
        let read = try bytes.reading { raw throws(Fault) in
            var reader = ByteReader(raw)
            return try SignedRoot(&reader)
        }
        #expect(read.encoded() == bytes)
        #expect(read.keyID == 0x2726_2524_2322_2120 && read.batchSize == 0x2b2a_2928)
        #expect(read.signedAt == 0x3332_3130_2f2e_2d2c)
    }
}

@Suite struct BytesTests {
    @Test func hexadecimalGoesBothWays() {
        let bytes: [UInt8] = [0, 0x0f, 0xa5, 0xff]
        #expect(bytes.hex == "000fa5ff")
        #expect([UInt8](hex: "000FA5ff") == bytes)
        #expect([UInt8](hex: "") == [])
    }

    @Test(arguments: ["0", "0g", "+f", "-1", " 1", "0x", "ңң", "00 11"])
    func otherTextsAreNoHexadecimal(text: String) {
        #expect([UInt8](hex: text) == nil)
    }

    @Test func numbersAreLittleEndianAndIdsBigEndian() {
        var out = ByteWriter()
        out.put(UInt32(0x0102_0304))
        out.put(Int64(-2))
        out.put(id: 0x0102)
        #expect(out.bytes.hex == "04030201" + "feffffffffffffff" + "00000000000000000000000000000102")
    }

    @Test func aReaderStopsAtItsEndAndNotAtTheBuffers() {
        let bytes: [UInt8] = [1, 0, 2, 0, 3, 0]
        let found: [UInt16] = bytes.withUnsafeBytes { raw in
            var reader = ByteReader(raw, from: 2, to: 5)
            var numbers: [UInt16] = []
            do throws(Fault) { while true { numbers.append(try reader.take()) } } catch { return numbers }
        }
        #expect(found == [2])
    }
}
