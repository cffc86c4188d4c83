import BusProtocol
import Testing

/// Random damage to the vectors. Nothing may crash or read behind the end (the bytes stand before a guard page), and
/// what is accepted must mean the same when it is written again.
@Suite struct FuzzTests {
    #if DEBUG
        static let rounds = 20_000
    #else
        static let rounds = 200_000
    #endif
    /// Larger vectors would make every round a copy of their body.
    static let largest = 8 * 1024

    @Test(.timeLimit(.minutes(5))) func damagedFramesAreRefusedOrUnderstood() throws {
        let seed = SeededGenerator.seed(for: "damagedFramesAreRefusedOrUnderstood")
        var random = SeededGenerator(seed: seed)
        let vectors =
            try Vectors.frames().map(\.hex.bytes) + Vectors.lenient().map(\.hex.bytes)
            + Vectors.bad().filter { $0.of == .frame }.map(\.hex.bytes)
        let corpus = vectors.filter { $0.count <= Self.largest }
        let memory = try GuardedBytes(capacity: 4 * Self.largest)
        var accepted = 0
        for round in 0..<Self.rounds {
            var bytes = corpus[Int.random(in: 0..<corpus.count, using: &random)]
            Damage.some(&bytes, corpus, &random)
            if Int.random(in: 0..<4, using: &random) > 0 { Damage.mendHead(&bytes, &random) }
            let read = memory.hold(bytes) { raw -> Result<WholeFrame, Fault> in
                Self.checkRanges(raw)
                do throws(Fault) { return .success(try WholeFrame(raw)) } catch { return .failure(error) }
            }
            switch read {
            case .success(let frame):
                accepted += 1
                guard frame.faults.isEmpty else { continue }
                let again = try frame.encoded().readFrame().get()
                guard again.withCanonicalProofs == frame.withCanonicalProofs else {
                    Issue.record("round \(round) of seed \(seed) changed its meaning: \(bytes.hex)")
                    return
                }
            case .failure(let fault):
                guard [.badFrame, .badVersion, .unknownCommand].contains(fault.code) else {
                    Issue.record("round \(round) of seed \(seed): \(fault) of a whole frame: \(bytes.hex)")
                    return
                }
            }
        }
        print("frames: \(accepted) of \(Self.rounds) accepted")
        #expect(
            accepted > Self.rounds / 20 && accepted < Self.rounds * 19 / 20,
            "the damage is too small or too great, seed \(seed)")
    }

    @Test(.timeLimit(.minutes(5))) func damagedHeadersAreRefusedOrUnderstood() throws {
        let seed = SeededGenerator.seed(for: "damagedHeadersAreRefusedOrUnderstood")
        var random = SeededGenerator(seed: seed)
        let vectors =
            try Vectors.headers().map(\.hex.bytes) + Vectors.bad().filter { $0.of == .header }.map(\.hex.bytes)
        let corpus = vectors.filter { $0.count <= Self.largest }
        let memory = try GuardedBytes(capacity: 4 * Self.largest)
        var accepted = 0
        for round in 0..<Self.rounds {
            var bytes = corpus[Int.random(in: 0..<corpus.count, using: &random)]
            Damage.some(&bytes, corpus, &random)
            let (view, header) = memory.hold(bytes) { raw in (Self.view(raw), Self.header(raw)) }
            guard view.fault == header.fault else {
                Issue.record("round \(round) of seed \(seed): the two readers differ: \(bytes.hex)")
                return
            }
            guard case .success(let header) = header else { continue }
            accepted += 1
            guard header.encoded() == bytes else {
                Issue.record("round \(round) of seed \(seed) has a second encoding: \(bytes.hex)")
                return
            }
        }
        print("headers: \(accepted) of \(Self.rounds) accepted")
        #expect(
            accepted > Self.rounds / 20 && accepted < Self.rounds * 19 / 20,
            "the damage is too small or too great, seed \(seed)")
    }

    private static func view(_ raw: UnsafeRawBufferPointer) -> Result<HeaderView, Fault> {
        do throws(Fault) { return .success(try HeaderView(raw, in: 0..<raw.count)) } catch { return .failure(error) }
    }

    private static func header(_ raw: UnsafeRawBufferPointer) -> Result<Header, Fault> {
        do throws(Fault) { return .success(try Header(decoding: raw, in: 0..<raw.count)) } catch {
            return .failure(error)
        }
    }

    /// Every range that a reader gives out lies in the frame.
    private static func checkRanges(_ raw: UnsafeRawBufferPointer) {
        guard let head = try? FrameHead(raw), head.command == .submit || head.command == .deliver else { return }
        let whole = 0..<raw.count
        var index = 0
        _ = try? EnvelopeFrame.decode(raw, head) { number, result in
            #expect(number == index, "every envelope is told once, in order")
            index += 1
            guard case .success(let view) = result else { return }
            let header = view.header
            for range in [header.range, view.proof, view.signedRoot, view.annotations, view.body] {
                #expect(whole.contains(range) && range.upperBound <= raw.count)
            }
            for range in [header.target, header.consumer, header.provider] where !range.isEmpty {
                #expect(header.range.contains(range))
            }
        }
    }
}

/// The kinds of damage.
enum Damage {
    static let numbers: [UInt64] = [
        0, 1, 2, 4, 15, 16, 39, 40, 48, 63, 64, 65, 127, 128, 255, 256, 512, 513, 1024, 1025, 4096, 4097, 32767, 32768,
        65535,
        65536, 65537, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 1 << 32, 1 << 63, .max,
    ]

    static func some(_ bytes: inout [UInt8], _ corpus: [[UInt8]], _ random: inout SeededGenerator) {
        for _ in 0..<Int.random(in: 1...3, using: &random) { one(&bytes, corpus, &random) }
        if bytes.count > 2 * FuzzTests.largest { bytes.removeLast(bytes.count - 2 * FuzzTests.largest) }
    }

    private static func one(_ bytes: inout [UInt8], _ corpus: [[UInt8]], _ random: inout SeededGenerator) {
        let at = Int.random(in: 0...bytes.count, using: &random)
        let length = min(Int.random(in: 1...20, using: &random), bytes.count - at)
        switch Int.random(in: 0..<10, using: &random) {
        case 0, 1, 2: if at < bytes.count { bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random) }
        case 3: if at < bytes.count { bytes[at] = UInt8.random(in: .min ... .max, using: &random) }
        case 4, 5:
            let number = numbers[Int.random(in: 0..<numbers.count, using: &random)]
            for (index, shift) in zip(at..<bytes.count, stride(from: 0, to: [8, 16, 32, 64][at % 4], by: 8)) {
                bytes[index] = UInt8(truncatingIfNeeded: number >> UInt64(shift))
            }
        case 6: bytes.removeSubrange(at..<at + length)
        case 7: bytes.insert(contentsOf: bytes[at..<at + length], at: at)
        case 8: bytes.removeLast(bytes.count - at)
        default:
            let other = corpus[Int.random(in: 0..<corpus.count, using: &random)]
            bytes = Array(bytes[..<at]) + other.dropFirst(at)
        }
    }

    /// Makes the sizes of the head fit again, so that what lies behind it is reached.
    static func mendHead(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
        guard bytes.count >= FrameHead.size else { return }
        let behind = bytes.count - FrameHead.size
        var out = ByteWriter()
        out.put(raw: bytes)
        out.overwrite(FrameHead.magic, at: 0)
        // The newest version has every command.
        out.overwrite(FrameHead.newestVersion, at: 4)
        let bodies = bytes.withUnsafeBytes {
            Int(UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: 40, as: UInt32.self)))
        }
        let kept = bodies <= behind ? bodies : Int.random(in: 0...behind, using: &random)
        out.overwrite(UInt32(behind - kept), at: 36)
        out.overwrite(UInt32(kept), at: 40)
        bytes = out.bytes
    }
}

extension Range<Int> {
    fileprivate func contains(_ other: Range<Int>) -> Bool {
        other.lowerBound >= lowerBound && other.upperBound <= upperBound
    }
}
