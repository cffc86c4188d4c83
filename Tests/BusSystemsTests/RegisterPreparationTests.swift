import BusSystems
import Foundation
import GRDB
import Testing

@Suite struct RegisterPreparationTests {
    let population = SmallCountry.population
    let day: Int64 = 86_400_000

    private func newPath() throws -> String { try SmallCountry.folder.get() + "/\(UUID().uuidString).sqlite" }

    private func newest(_ path: String) throws -> Int64 {
        try SmallCountry.open(path).read { try Int64.fetchOne($0, sql: "SELECT max(updated_at) FROM entity") } ?? 0
    }

    @Test func aMissingRegisterIsGenerated() throws {
        let path = try newPath()
        #expect(try SmallCountry.generator.prepare(.legalEntities, at: path) == .generated)
        #expect(try RowDigest.of(path) == RowDigest.of(SmallCountry.path(.legalEntities)))
    }

    @Test func anOldRegisterIsFreshAgainAndKeepsItsChanges() throws {
        let path = try SmallCountry.copy(of: .legalEntities)
        let before = try newest(path)
        try SmallCountry.open(path).write {
            try $0.execute(sql: "UPDATE entity SET director_deceased_since = '2026-01-05' WHERE id = 4")
        }
        let later = RegisterGenerator(population: population, asOf: SmallCountry.generator.asOf + 30 * day)
        #expect(try later.prepare(.legalEntities, at: path) == .renewed)
        #expect(try later.prepare(.legalEntities, at: path) == .renewed)
        #expect(try newest(path) == before + 30 * day)
        let deceased = try SmallCountry.open(path).read {
            try Int.fetchAll($0, sql: "SELECT id FROM entity WHERE director_deceased_since IS NOT NULL")
        }
        #expect(deceased == [4])
    }

    @Test func noRecordIsFromTheFuture() throws {
        let path = try SmallCountry.copy(of: .legalEntities)
        let asOf = SmallCountry.generator.asOf + 10 * day
        try SmallCountry.open(path).write {
            try $0.execute(sql: "UPDATE entity SET updated_at = ? WHERE id = 4", arguments: [asOf - 1000])
        }
        try RegisterGenerator(population: population, asOf: asOf).prepare(.legalEntities, at: path)
        #expect(try newest(path) == asOf)
    }

    @Test func aRegisterOfAnotherCountryIsLeftAlone() throws {
        let path = try SmallCountry.copy(of: .legalEntities)
        let other = RegisterGenerator(seed: 2, scale: population.scale, asOf: SmallCountry.generator.asOf + day)
        #expect(throws: RegisterFault.self) { try other.prepare(.legalEntities, at: path) }
        #expect(try RowDigest.of(path) == RowDigest.of(SmallCountry.path(.legalEntities)))
    }

    @Test func aFileThatIsNoRegisterIsToldApart() throws {
        let path = try newPath()
        _ = try DatabaseQueue(path: path).write { try $0.execute(sql: "CREATE TABLE x (y)") }
        #expect(throws: RegisterFault.self) { try SmallCountry.generator.prepare(.intranet, at: path) }
    }
}

@Suite struct WorkTableTests {
    /// A register made before these tables were thought of.
    @Test(arguments: [Register.realEstate, .payments, .eLicensing, .portal])
    func anEarlierRegisterGetsTheTablesOfCommands(_ register: Register) throws {
        let table = [Register.realEstate: "transfer", .payments: "invoice", .eLicensing: "application"][register]
        let name = table ?? "order_command"
        let path = try SmallCountry.copy(of: register)
        let database = try SmallCountry.open(path)
        try database.write { try $0.execute(sql: "DROP TABLE \(name)") }
        try database.close()
        #expect(try SmallCountry.generator.prepare(register, at: path) == .renewed)
        #expect(try SmallCountry.rows(in: name, of: path) == 0)
    }
}
