import GRDB

/// Writes rows into a database that is being generated, with one prepared statement a table.
final class RegisterWriter {
    let population: Population
    /// Unix milliseconds of the moment the register is generated for.
    let asOf: Int64
    private let database: Database
    private var statements: [String: Statement] = [:]
    private let total: Int
    private var done = 0
    private let progress: (Int, Int) -> Void

    init(
        database: Database, population: Population, asOf: Int64, total: Int, progress: @escaping (Int, Int) -> Void
    ) {
        self.database = database
        self.population = population
        self.asOf = asOf
        self.total = total
        self.progress = progress
    }

    /// Inserts one row; values in the order of the table's columns.
    func insert(_ table: String, _ values: [(any DatabaseValueConvertible)?]) throws {
        let statement = try statement(table, columns: values.count)
        try statement.execute(arguments: StatementArguments(values))
    }

    /// Counts a finished step; the caller hears of every hundredth part.
    func step() {
        done += 1
        if done % max(total / 100, 1) == 0 || done == total { progress(done, total) }
    }

    /// When record `index` was last verified and last changed, Unix milliseconds.
    ///
    /// Most records keep the promise of one working day; a few were forgotten, so that the indicator of relevance has
    /// something to measure.
    func freshness(_ index: Int) -> (verified: Int64, updated: Int64) {
        var random = population.random(.freshness, index)
        let drawn = random.below(100)
        let ageHours =
            drawn < 93 ? random.below(20) : drawn < 98 ? 24 + random.below(29 * 24) : 720 + random.below(16_000)
        let verified = asOf - Int64(ageHours) * Moment.millisecondsPerHour - Int64(random.below(3_600_000))
        let changedLately = index == 0 || random.chance(percent: 2)
        let updated = changedLately ? verified : verified - Int64(random.below(2_000)) * Moment.millisecondsPerDay
        return (verified, updated)
    }

    private func statement(_ table: String, columns: Int) throws -> Statement {
        if let known = statements[table] { return known }
        let marks = Array(repeating: "?", count: columns).joined(separator: ", ")
        let statement = try database.makeStatement(sql: "INSERT INTO \(table) VALUES (\(marks))")
        statements[table] = statement
        return statement
    }
}
