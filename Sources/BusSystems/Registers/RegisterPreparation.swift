import GRDB

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension RegisterGenerator {
    /// What `prepare` found to do.
    package enum Preparation: Equatable, Sendable { case generated, renewed }

    /// Has the register at `path` ready for an agent: generates it if there is none, else keeps its rows, with every
    /// change made since, and moves its times to the present moment.
    ///
    /// - Throws: `RegisterFault.notPossible` if the file is of another seed, scale or epoch: it is left as it is.
    @discardableResult
    package func prepare(
        _ register: Register, at path: String, progress: @escaping (Int, Int) -> Void = { _, _ in }
    ) throws -> Preparation {
        guard access(path, F_OK) == 0 else {
            try generate(register, into: path, progress: progress)
            return .generated
        }
        try renew(register, path)
        return .renewed
    }

    /// Moves `verified_at` and `updated_at` of every record forward by the time between the moment the register is of
    /// and `asOf`, none beyond `asOf`: an old register is then as fresh as it was when it was made.
    private func renew(_ register: Register, _ path: String) throws {
        let queue = try openRegister(path)
        try queue.write { database in
            let elapsed = asOf - (try momentOfRegister(database, path))
            try database.execute(sql: register.content.workTables)
            guard elapsed > 0 else { return }
            for (table, column) in try timeColumns(database) {
                try database.execute(
                    sql: "UPDATE \(table) SET \(column) = min(\(column) + ?, ?)", arguments: [elapsed, asOf])
            }
            try database.execute(sql: "UPDATE generation SET as_of = ?", arguments: [asOf])
        }
        try queue.close()
    }

    private func momentOfRegister(_ database: Database, _ path: String) throws -> Int64 {
        let made = try Row.fetchOne(database, sql: "SELECT * FROM generation")
        guard let made, made["seed"] == String(population.seed), made["people"] == population.scale.people,
            made["epoch"] == population.epoch.text
        else {
            throw RegisterFault.notPossible(
                "\(path) was made with another seed, scale or epoch; give the same ones, or remove the file to make it anew"
            )
        }
        return made["as_of"]
    }

    private func timeColumns(_ database: Database) throws -> [(table: String, column: String)] {
        let rows = try Row.fetchAll(
            database,
            sql: """
                SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c
                WHERE t.type = 'table' AND c.name IN ('verified_at', 'updated_at')
                """)
        return rows.map { (table: $0[0], column: $0[1]) }
    }
}
