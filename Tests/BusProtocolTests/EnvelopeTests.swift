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
