import BusProtocol
import Testing

@Suite struct MessageIDTests {
    /// The example of RFC 9562, appendix A.6.
    @Test func theExampleOfTheStandardIsRead() throws {
        let id = try #require(MessageID("017F22E2-79B0-7CC3-98C4-DC0C0C07398F"))
        #expect(id.isVersion7)
        #expect(id.unixMilliseconds == 1_645_557_742_000)
        #expect(id.description == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f")
    }

    @Test func idsRiseWhateverTheClockDoes() {
        let seed = SeededGenerator.seed(for: "idsRiseWhateverTheClockDoes")
        var random = SeededGenerator(seed: seed)
        var source = MessageIDSource(random: SeededGenerator(seed: seed ^ 1))
        var clock: Int64 = 1_767_225_600_000
        var latest = Int64.min
        var previous = MessageID.none
        for _ in 0..<20_000 {
            clock += Int64.random(in: -3...3, using: &random)
            if Int.random(in: 0..<1000, using: &random) == 0 { clock -= 3_600_000 }
            if Int.random(in: 0..<1000, using: &random) == 0 { clock += 3_600_000 }
            latest = max(latest, clock)
            let id = source.next(unixMilliseconds: clock)
            #expect(id > previous && id.isVersion7 && id.unixMilliseconds == latest, "seed \(seed)")
            #expect(MessageID(id.description) == id, "seed \(seed)")
            #expect(id.description > previous.description, "the text sorts like the id, seed \(seed)")
            previous = id
        }
    }

    struct AllOnes: RandomNumberGenerator, Sendable { mutating func next() -> UInt64 { .max } }

    /// The counter of a millisecond runs over from the second random field into the first, never into the version.
    @Test func aStandingClockCarriesIntoTheUpperRandomBits() {
        var source = MessageIDSource(random: AllOnes())
        var previous = source.next(unixMilliseconds: 5)
        for _ in 0..<20_000 {
            let id = source.next(unixMilliseconds: 5)
            #expect(id > previous && id.isVersion7 && id.unixMilliseconds == 5)
            previous = id
        }
    }

    @Test(arguments: [Int64.min, -1, 0, 1, 0xffff_ffff_ffff] as [Int64])
    func clocksAtTheirEndsWork(clock: Int64) {
        var source = MessageIDSource()
        let first = source.next(unixMilliseconds: clock)
        #expect(first.unixMilliseconds == max(0, clock))
        #expect(source.next(unixMilliseconds: clock) > first)
    }

    /// A virtual clock may begin at 0; ids of two agents must differ there too.
    @Test func theFirstMillisecondIsRandom() {
        let ids = Set(
            (0..<100).map { _ in
                var source = MessageIDSource()
                return source.next(unixMilliseconds: 0).value >> 32
            })
        #expect(ids.count == 100)
    }

    @Test(arguments: [
        "", "017f22e2-79b0-7cc3-98c4-dc0c0c07398", "017f22e2-79b0-7cc3-98c4-dc0c0c07398ff",
        "017f22e279b0-7cc3-98c4-dc0c0c07398f0", "017f22e2-79b0-7cc3-98c4+dc0c0c07398f",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398g", "{17f22e2-79b0-7cc3-98c4-dc0c0c07398}",
    ])
    func otherTextsAreNoIds(text: String) {
        #expect(MessageID(text) == nil)
    }

    @Test(arguments: [
        "017f22e2-79b0-4cc3-98c4-dc0c0c07398f", "017f22e2-79b0-7cc3-58c4-dc0c0c07398f",
        "017f22e2-79b0-7cc3-d8c4-dc0c0c07398f", "00000000-0000-0000-0000-000000000000",
    ])
    func otherVersionsAreTold(text: String) throws {
        #expect(try #require(MessageID(text)).isVersion7 == false)
    }
}

@Suite struct NamesTests {
    @Test(arguments: ["individuals", "legal-entities", "a", "7", "a-1-b", String(repeating: "a", count: 48)])
    func systems(name: String) {
        #expect(Names.isSystem(name.utf8))
    }

    @Test(arguments: [
        "", "-a", "a-", "a--b", "A", "a_b", "a.b", "a b", "ә", "a\0", String(repeating: "a", count: 49),
    ])
    func noSystems(name: String) {
        #expect(!Names.isSystem(name.utf8))
    }

    @Test(arguments: [
        "individuals.person-get.v1", "a.b.v99999", "a.b.v10",
        String(repeating: "a", count: 48) + "." + String(repeating: "b", count: 68) + ".v1",
    ])
    func services(name: String) {
        #expect(Names.isService(name.utf8))
        #expect(Names.isSystem(Names.system(of: name).utf8))
    }

    @Test(arguments: [
        "", "a", "a.b", "a.b.c", "a.b.v", "a.b.v0", "a.b.v01", "a.b.v100000", "a.b.1", "a.b.V1", "a..v1", ".b.v1",
        "a.b.c.v1",
        "a.b.v1.", "a.-b.v1", "a.b.v1a", "a.b.v-1", "a.b.v٣", String(repeating: "a", count: 49) + ".b.v1",
        String(repeating: "a", count: 48) + "." + String(repeating: "b", count: 69) + ".v1",
    ])
    func noServices(name: String) {
        #expect(!Names.isService(name.utf8))
    }

    @Test func theSystemOfAServiceStandsBeforeTheDot() {
        #expect(Names.system(of: "legal-entities.entity-get.v2") == "legal-entities")
    }
}
