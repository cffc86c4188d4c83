import GRDB

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Makes the databases of the simulated state registers. The same seed, scale and moment give the same rows.
package struct RegisterGenerator: Sendable {
    package let population: Population
    /// Unix milliseconds: records are fresh as of this moment. Give the present one when the bus will watch freshness.
    package let asOf: Int64

    package init(seed: UInt64, scale: Scale = .full, asOf: Int64? = nil) {
        self.init(population: Population(seed: seed, scale: scale), asOf: asOf)
    }

    /// - Parameter asOf: nil is nine in the morning of the population's epoch.
    package init(population: Population, asOf: Int64? = nil) {
        self.population = population
        self.asOf = asOf ?? population.epoch.milliseconds + 9 * Moment.millisecondsPerHour
    }

    /// Writes a new database at `path`, replacing a file that is there.
    ///
    /// It is made beside `path` and renamed at the end, so an interrupted run never leaves a half-made register under
    /// the right name. The finished file is flushed to disk before the rename.
    ///
    /// - Parameter progress: hears steps done and steps in total, about a hundred times.
    /// - Throws: `RegisterFault`, or GRDB's `DatabaseError` (disk full, no such folder).
    package func generate(
        _ register: Register, into path: String, progress: @escaping (Int, Int) -> Void = { _, _ in }
    ) throws {
        let unfinished = path + ".unfinished"
        try removeFile(unfinished)
        do {
            try write(register.content, into: unfinished, progress: progress)
            try flush(unfinished)
        } catch {
            try? removeFile(unfinished)
            throw error
        }
        guard rename(unfinished, path) == 0 else { throw RegisterFault.file(path, "rename", code: errno) }
    }

    private func write(_ content: any RegisterContent, into path: String, progress: @escaping (Int, Int) -> Void) throws
    {
        var configuration = Configuration()
        configuration.prepareDatabase { database in
            // Nothing to recover: a file that was not finished is thrown away.
            try database.execute(sql: "PRAGMA journal_mode = OFF")
            try database.execute(sql: "PRAGMA synchronous = OFF")
            try database.execute(sql: "PRAGMA cache_size = -65536")
        }
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.inDatabase { database in
            try database.execute(sql: "BEGIN")
            try database.execute(sql: RegisterGenerator.commonTables + content.tables)
            let writer = RegisterWriter(
                database: database, population: population, asOf: asOf, total: content.steps(population),
                progress: progress)
            try writer.insert(
                "generation", [String(population.seed), population.scale.people, population.epoch.text, asOf])
            try content.fill(writer)
            try database.execute(sql: content.indexes)
            try database.execute(sql: content.workTables)
            try database.execute(sql: "ANALYZE")
            try database.execute(sql: "COMMIT")
        }
        try queue.close()
    }

    /// Every register says how it was made and keeps an outbox: rows that agents publish as events.
    private static let commonTables = """
        CREATE TABLE generation (
            seed TEXT NOT NULL, people INTEGER NOT NULL, epoch TEXT NOT NULL, as_of INTEGER NOT NULL
        );
        CREATE TABLE outbox (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            kind TEXT NOT NULL,
            body TEXT NOT NULL,
            recorded_at INTEGER NOT NULL
        );
        CREATE INDEX outbox_kind ON outbox (kind, id);

        """

    private func removeFile(_ path: String) throws {
        guard unlink(path) == 0 || errno == ENOENT else { throw RegisterFault.file(path, "remove", code: errno) }
    }

    private func flush(_ path: String) throws {
        let descriptor = open(path, O_RDONLY)
        guard descriptor >= 0 else { throw RegisterFault.file(path, "open", code: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw RegisterFault.file(path, "flush", code: errno) }
    }
}

/// What can go wrong with a register's file or with a record of it.
package enum RegisterFault: Error, Equatable, CustomStringConvertible {
    case file(String, String, code: Int32)
    case noSuchRecord(register: String, key: String)
    case notPossible(String)

    package var description: String {
        switch self {
        case .file(let path, let action, let code):
            "cannot \(action) the register file \(path): \(String(cString: strerror(code))); check the folder and its free space"
        case .noSuchRecord(let register, let key):
            "the register \(register) has no record \(key); check the number, or generate the register with the same seed and scale"
        case .notPossible(let reason):
            reason
        }
    }
}
