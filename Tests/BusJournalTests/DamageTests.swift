import Foundation
import Testing

@testable import BusJournal

/// Files with any byte damaged: what is read from them is true, or it is not given out.
///
/// A short run tries a sample; `KEREGE_LONG=1` tries every byte of both tails and ten thousand flips.
@Suite("Damaged journals", .timeLimit(.minutes(60)))
struct DamageTests {
    static let tail = 8192
    static let ends: [DamageFixture.End] = [.killed, .killedAfterCheckpoint, .closed]

    @Test("Every byte of the tails of both files, cut off and flipped", arguments: ends)
    func tails(_ end: DamageFixture.End) throws {
        var random = Effort.random("tails of \(end)")
        let bench = try DamageBench(try DamageFixture(end))
        let stride = Effort.isLong ? 1 : 97
        for (file, size) in [(Damage.File.wal, bench.fixture.wal.count), (.database, bench.fixture.database.count)] {
            let last = min(Self.tail, size)
            for back in Swift.stride(from: Int.random(in: 1...stride, using: &random), through: last, by: stride) {
                try bench.look(Damage(file: file, at: size - back, what: .cut))
                let bit = Int.random(in: 0..<8, using: &random)
                try bench.look(Damage(file: file, at: size - back, what: .flip(bit: bit)))
            }
        }
        print("tails of \(end): \(bench.summary)")
        // What a write-ahead log still holds a second time is cut back to a clean commit; in a closed file damage is found.
        if end == .closed {
            #expect(bench.count(.found) + bench.count(.refused) > 0)
        } else {
            #expect(bench.count(.prefix) > 0)
        }
    }

    @Test("Random bits of both files", arguments: ends)
    func flips(_ end: DamageFixture.End) throws {
        var random = Effort.random("flips in \(end)")
        let bench = try DamageBench(try DamageFixture(end))
        for damage in Self.flips(bench.fixture, Effort.isLong ? 10_000 : 200, &random) { try bench.look(damage) }
        print("flips in \(end): \(bench.summary)")
        #expect(bench.count(.found) > 0)
    }

    @Test("A broker starts on damaged files with what is true, or not at all", arguments: ends)
    func starts(_ end: DamageFixture.End) throws {
        var random = Effort.random("starts of \(end)")
        let bench = try DamageBench(try DamageFixture(end))
        for damage in Self.flips(bench.fixture, Effort.isLong ? 10_000 : 100, &random) { try bench.start(damage) }
        let stride = Effort.isLong ? 8 : 331
        for (file, size) in [(Damage.File.wal, bench.fixture.wal.count), (.database, bench.fixture.database.count)] {
            for back in Swift.stride(from: stride, through: min(Self.tail, size), by: stride) {
                try bench.start(Damage(file: file, at: size - back, what: .cut))
            }
        }
        print("starts of \(end): \(bench.summary)")
        #expect(end == .closed ? bench.count(.refused) > 0 : bench.count(.prefix) > 0)
    }

    /// Found by a long campaign: SQLite reads such a file, never writes it, and says that the folder is not writable.
    @Test("The versions in the file's header", arguments: [18, 19], 0..<8)
    func versions(_ byte: Int, _ bit: Int) throws {
        let bench = try DamageBench(try DamageFixture(.closed))
        let damage = Damage(file: .database, at: byte, what: .flip(bit: bit))
        try bench.look(damage)
        try bench.start(damage)
        #expect(bench.count(.refused) == 2)
    }

    @Test("A WAL filled with old blocks, damaged around the end of the newest commit")
    func filled() throws {
        var random = Effort.random("filled WAL")
        let bench = try DamageBench(try DamageFixture(.killedWithFilledWAL))
        let end = bench.fixture.liveEnd
        #expect(end > Self.tail && end < bench.fixture.wal.count)
        for _ in 0..<(Effort.isLong ? 2000 : 60) {
            let at = Int.random(in: end - Self.tail..<end + 2 * 4120, using: &random)
            try bench.look(Damage(file: .wal, at: at, what: .flip(bit: Int.random(in: 0..<8, using: &random))))
        }
        print("filled WAL: \(bench.summary)")
        #expect(bench.count(.prefix) > 0 && bench.count(.identical) > 0)
    }

    private static func flips(_ fixture: DamageFixture, _ count: Int, _ random: inout SeededNumbers) -> [Damage] {
        (0..<count).map { _ in
            let at = Int.random(in: 0..<fixture.database.count + fixture.wal.count, using: &random)
            let bit = Int.random(in: 0..<8, using: &random)
            return at < fixture.database.count
                ? Damage(file: .database, at: at, what: .flip(bit: bit))
                : Damage(file: .wal, at: at - fixture.database.count, what: .flip(bit: bit))
        }
    }
}
