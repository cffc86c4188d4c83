import BusSystems
import Foundation
import GRDB
import Testing

@Suite struct RegisterGeneratorTests {
    /// What the rows of the small country add up to. They change only with the generator's rules: then run this test,
    /// take the new figures from its message, and renew the examples of the contracts as well.
    static let digests: [Register: String] = [
        .individuals: "f565ccea931715b5",
        .legalEntities: "49c67a04f35875f",
        .realEstate: "31c39e32d5988e7a",
    ]

    @Test(arguments: Register.allCases)
    func theSameSeedAndScaleGiveTheSameRows(_ register: Register) throws {
        let again = try SmallCountry.folder.get() + "/again-\(register.rawValue).sqlite"
        try SmallCountry.generator.generate(register, into: again)
        let digest = try RowDigest.of(SmallCountry.path(register))
        #expect(try RowDigest.of(again) == digest)
    }

    /// Two runs of one process share their hash seed; the figures of another process do not.
    @Test(arguments: [Register.individuals, .legalEntities, .realEstate])
    func theRowsAreTheSameInEveryProcess(_ register: Register) throws {
        let digest = try RowDigest.of(SmallCountry.path(register))
        #expect(digest == RegisterGeneratorTests.digests[register])
    }

    @Test func anotherSeedGivesOtherRows() throws {
        let other = try SmallCountry.folder.get() + "/other.sqlite"
        let scale = SmallCountry.population.scale
        try RegisterGenerator(seed: 99, scale: scale).generate(.individuals, into: other)
        #expect(try RowDigest.of(other) != RowDigest.of(SmallCountry.path(.individuals)))
    }

    @Test func registersSpeakOfTheSamePeople() throws {
        let iins = try SmallCountry.open(SmallCountry.path(.individuals)).read {
            try Set(String.fetchAll($0, sql: "SELECT iin FROM person"))
        }
        let named = try SmallCountry.open(SmallCountry.path(.legalEntities)).read {
            try String.fetchAll(
                $0, sql: "SELECT director_iin FROM entity UNION SELECT iin FROM founder WHERE iin IS NOT NULL")
        }
        let owners = try SmallCountry.open(SmallCountry.path(.realEstate)).read {
            try String.fetchAll($0, sql: "SELECT DISTINCT iin FROM ownership WHERE iin IS NOT NULL")
        }
        #expect(iins.count == SmallCountry.population.scale.people)
        #expect(named.count > 100 && named.allSatisfy(iins.contains))
        #expect(owners.count > 100 && owners.allSatisfy(iins.contains))
    }

    @Test func registersSpeakOfTheSameAddresses() throws {
        let addresses = try SmallCountry.open(SmallCountry.path(.individuals)).read {
            try Set(String.fetchAll($0, sql: "SELECT rka || kato FROM address"))
        }
        let properties = try SmallCountry.open(SmallCountry.path(.realEstate)).read {
            try Set(String.fetchAll($0, sql: "SELECT rka || kato FROM property"))
        }
        #expect(addresses == properties)
        let homeless = try SmallCountry.open(SmallCountry.path(.individuals)).read {
            try Int.fetchOne($0, sql: "SELECT count(*) FROM person WHERE rka NOT IN (SELECT rka FROM address)")
        }
        #expect(homeless == 0)
    }

    @Test func mostRecordsKeepTheFreshnessPromise() throws {
        let asOf = SmallCountry.generator.asOf
        let row = try SmallCountry.open(SmallCountry.path(.individuals)).read {
            try #require(
                try Row.fetchOne(
                    $0, sql: "SELECT avg(verified_at > ?), max(verified_at), max(updated_at) FROM person",
                    arguments: [asOf - 86_400_000]))
        }
        #expect((0.88...0.97).contains(row[0] as Double))
        #expect((row[1] as Int64) <= asOf)
        #expect((row[2] as Int64) > asOf - 86_400_000)
    }

    @Test func aFileThatCannotBeFinishedIsNotThere() throws {
        let path = try SmallCountry.folder.get() + "/no-such-folder/individuals.sqlite"
        #expect(throws: (any Error).self) { try SmallCountry.generator.generate(.individuals, into: path) }
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func theNameAppearsOnlyWhenTheRegisterIsWhole() throws {
        let path = try SmallCountry.folder.get() + "/watched.sqlite"
        var seen: [(done: Int, total: Int, exists: Bool)] = []
        try SmallCountry.generator.generate(.legalEntities, into: path) { done, total in
            seen.append((done, total, FileManager.default.fileExists(atPath: path)))
        }
        #expect(seen.count >= 50 && seen.count <= 101)
        #expect(seen.allSatisfy { !$0.exists })
        #expect(seen.last.map { $0.done == $0.total } == true)
        #expect(FileManager.default.fileExists(atPath: path))
        #expect(!FileManager.default.fileExists(atPath: path + ".unfinished"))
    }

    @Test func aHalfMadeFileOfAnEarlierRunIsReplaced() throws {
        let path = try SmallCountry.folder.get() + "/interrupted.sqlite"
        try Data("half a register".utf8).write(to: URL(filePath: path + ".unfinished"))
        try Data("an old register".utf8).write(to: URL(filePath: path))
        try SmallCountry.generator.generate(.architecture, into: path)
        #expect(try RowDigest.of(path) == RowDigest.of(SmallCountry.path(.architecture)))
    }
}

/// FNV-1a over every value of every table, in the order of rows.
enum RowDigest {
    static func of(_ path: String) throws -> String {
        try SmallCountry.open(path).read { database in
            var hash: UInt64 = 0xCBF2_9CE4_8422_2325
            func add(_ text: String) {
                for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
                hash = (hash ^ 0xFF) &* 0x100_0000_01B3
            }
            let tables = try String.fetchAll(
                database,
                sql: "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name")
            for table in tables {
                add(table)
                let rows = try Row.fetchCursor(database, sql: "SELECT * FROM \(table) ORDER BY rowid")
                while let row = try rows.next() {
                    for value in row.databaseValues { add(value.description) }
                }
            }
            return String(hash, radix: 16)
        }
    }
}
