import BusEvidence
import BusProtocol
import Foundation
import Testing

@testable import BusJournal

/// What somebody did to a file.
struct Damage: Sendable, CustomStringConvertible {
    enum File: Sendable { case database, wal }
    enum What: Sendable { case flip(bit: Int), cut }
    var file: File
    var at: Int
    var what: What

    var description: String {
        let name = file == .wal ? "journal.sqlite-wal" : "journal.sqlite"
        return switch what {
        case .flip(let bit): "bit \(bit) of byte \(at) of \(name) flipped"
        case .cut: "\(name) cut to \(at) bytes"
        }
    }
}

/// What became of a damaged journal.
enum Outcome: String, CaseIterable {
    /// Nothing of it shows: the place holds nothing that is read.
    case identical
    /// The log ends earlier, at a commit; a receipt from outside finds it.
    case prefix
    case found
    case refused
}

/// Damages a journal's files in place, looks, and mends them.
final class DamageBench {
    let fixture: DamageFixture
    private let folder = TemporaryFolder()
    private var outcomes: [Outcome: Int] = [:]

    init(_ fixture: DamageFixture) throws {
        self.fixture = fixture
        try folder.makeFolder()
        try write(fixture.database, to: folder.file)
        if !fixture.wal.isEmpty { try write(fixture.wal, to: walPath) }
    }

    private var walPath: String { folder.file + "-wal" }
    func count(_ outcome: Outcome) -> Int { outcomes[outcome] ?? 0 }
    var summary: String { Outcome.allCases.map { "\($0.rawValue) \(count($0))" }.joined(separator: ", ") }

    private func write(_ bytes: [UInt8], to path: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }

    private func path(_ damage: Damage) -> String { damage.file == .wal ? walPath : folder.file }
    private func bytes(_ damage: Damage) -> [UInt8] { damage.file == .wal ? fixture.wal : fixture.database }

    /// Puts the damage into the file, or takes it away.
    private func put(_ damage: Damage, undo: Bool) throws {
        let descriptor = open(path(damage), O_RDWR | O_CLOEXEC)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        let bytes = bytes(damage)
        switch damage.what {
        case .flip(let bit):
            var byte = bytes[damage.at] ^ (undo ? 0 : 1 << UInt8(bit))
            try #require(pwrite(descriptor, &byte, 1, off_t(damage.at)) == 1)
        case .cut:
            if undo {
                let tail = Array(bytes[damage.at...])
                try #require(tail.isEmpty || pwrite(descriptor, tail, tail.count, off_t(damage.at)) == tail.count)
            } else {
                try #require(ftruncate(descriptor, off_t(damage.at)) == 0)
            }
        }
    }

    /// Verifier and reader on the damaged files. Records an issue for every answer that is not allowed.
    func look(_ damage: Damage) throws {
        try put(damage, undo: false)
        defer { #expect(throws: Never.self) { try put(damage, undo: true) } }
        let before = listing()
        let outcome = judge("\(fixture.name): \(damage)")
        outcomes[outcome, default: 0] += 1
        #expect(listing() == before, "verifying \(fixture.name) with \(damage) changed the folder")
    }

    private func listing() -> [String: FileState] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.reduce(into: [:]) { $0[$1] = FileState(folder.path + "/" + $1) }
    }

    private func judge(_ what: String) -> Outcome {
        let report: JournalVerifier.Report
        do throws(JournalError) { report = try JournalVerifier.verify(folder: folder.path) } catch {
            #expect(error.detail.contains("journal.sqlite"), "\(what): no place in \(error)")
            expectTrueOrRefused(what)
            return .refused
        }
        guard report.isSound else {
            for finding in report.findings {
                #expect(finding.position > 0 || finding.what.contains("journal.sqlite"), "\(what): \(finding)")
            }
            expectTrueOrRefused(what)
            return .found
        }
        return expectSound(report, what)
    }

    /// A sound report: everything must be as it was written, up to a commit.
    private func expectSound(_ report: JournalVerifier.Report, _ what: String) -> Outcome {
        let content: Content
        do throws(JournalError) { content = try Content(folder.path) } catch {
            Issue.record("\(what): verified as sound, but cannot be read: \(error)")
            return .found
        }
        let size = UInt64(content.records.count)
        #expect(report.treeSize == size && report.root == fixture.commits[size]?.hex, "\(what): no commit ends there")
        expectTrue(content, what)
        let wanted = fixture.bodies.keys.count { $0 <= size }
        #expect(content.bodies.count == wanted && report.bodiesGone == 0, "\(what): bodies are missing and not found")
        if size == fixture.size { return .identical }
        let receipt = JournalVerifier.Receipt(treeSize: fixture.size, root: fixture.root)
        let held = try? JournalVerifier.verify(folder: folder.path, receipt: receipt)
        #expect(held?.isSound != true, "\(what): the cut is not found with a receipt")
        return .prefix
    }

    /// A reader on a damaged journal throws, or gives what was written.
    private func expectTrueOrRefused(_ what: String) {
        guard let content = try? Content(folder.path) else { return }
        expectTrue(content, what)
    }

    private func expectTrue(_ content: Content, _ what: String) {
        #expect(content.records.elementsEqual(fixture.records.prefix(content.records.count)), "\(what): other records")
        for (position, body) in content.bodies {
            #expect(fixture.bodies[position] == body, "\(what): another body at \(position)")
        }
        #expect(content.views.isSubset(of: fixture.savedViews), "\(what): another view")
    }

    /// The writer on a copy of the damaged files: it is refused with the place, or goes on from a commit that was.
    func start(_ damage: Damage) throws {
        let copy = TemporaryFolder()
        try copy.makeFolder()
        let what = "\(fixture.name): \(damage)"
        for (file, path) in [(Damage.File.database, copy.file), (.wal, copy.file + "-wal")] {
            var bytes = file == .wal ? fixture.wal : fixture.database
            if file == damage.file {
                switch damage.what {
                case .flip(let bit): bytes[damage.at] ^= 1 << UInt8(bit)
                case .cut: bytes.removeLast(bytes.count - damage.at)
                }
            }
            if file == .database || !bytes.isEmpty { try write(bytes, to: path) }
        }
        let journal: Journal
        do throws(JournalError) { journal = try Journal(folder: copy.path, prefilling: 0) } catch {
            #expect(error.detail.contains("journal.sqlite") || error.detail.contains("position"), "\(what): \(error)")
            outcomes[.refused, default: 0] += 1
            return
        }
        defer { journal.close() }
        let head = journal.head
        #expect(fixture.commits[head.treeSize] == head.root.bytes, "\(what): goes on from a log that never was")
        outcomes[head.treeSize == fixture.size ? .identical : .prefix, default: 0] += 1
        if let content = try? Content(copy.path) { expectTrue(content, what) }
        // What is added is read back, or refused; never something else.
        do throws(JournalError) {
            let added = try journal.commit(batch(message(header(.request, id(777)))), at: noon + 100_000_000)
            if let content = try? Content(copy.path), content.records.count == Int(added.treeSize) {
                #expect(content.records.dropLast().elementsEqual(fixture.records.prefix(Int(head.treeSize))), "\(what)")
            }
        } catch { #expect(error.kind == .damaged || error.kind == .failed, "\(what): \(error)") }
    }
}

/// Seed, and how much is tried.
enum Effort {
    /// `make chaos`: every byte, and ten thousand flips.
    static let isLong = ProcessInfo.processInfo.environment["KEREGE_LONG"] == "1"

    static func random(_ test: String) -> SeededNumbers {
        let seed =
            ProcessInfo.processInfo.environment["KEREGE_SEED"].flatMap { UInt64($0) } ?? .random(in: .min ... .max)
        print("\(test): KEREGE_SEED=\(seed)")
        return SeededNumbers(state: seed)
    }
}

/// SplitMix64: the same numbers for the same seed.
struct SeededNumbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
