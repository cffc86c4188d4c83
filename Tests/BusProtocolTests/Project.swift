import Foundation

/// Files of the project, found from this file's own place.
enum Project {
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static func data(_ path: String) throws -> Data { try Data(contentsOf: root.appendingPathComponent(path)) }

    static func text(_ path: String) throws -> String { String(decoding: try data(path), as: UTF8.self) }

    /// The rows of the tables in one section of `Schemas/wire.md` whose first cell is `first`: cells without back-ticks.
    static func wireTable(section: Int, where first: (String) -> Bool) throws -> [[String]] {
        let page = try text("Schemas/wire.md")
        var inside = false
        var rows: [[String]] = []
        for line in page.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("## ") { inside = line.hasPrefix("## \(section). ") }
            guard inside, line.hasPrefix("|") else { continue }
            let cells = line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast()
                .map { $0.filter { $0 != "`" }.trimmingCharacters(in: .whitespaces) }
            if let cell = cells.first, first(cell) { rows.append(cells) }
        }
        return rows
    }
}

/// A small generator with a seed (SplitMix64), so that a failure can be run again.
struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// The seed of this run: `KEREGE_SEED`, or a new one; printed, so that it can be given back.
    static func seed(for test: String) -> UInt64 {
        let seed =
            ProcessInfo.processInfo.environment["KEREGE_SEED"].flatMap { UInt64($0) }
            ?? UInt64.random(in: .min ... .max)
        print("\(test): KEREGE_SEED=\(seed)")
        return seed
    }
}
