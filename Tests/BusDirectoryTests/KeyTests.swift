import BusDirectory
import BusEvidence
import Testing

@Suite("Keys in a space")
struct KeyTests {
    static let day: Int64 = 86_400_000

    private static func date(_ text: String) throws -> CalendarDate { try #require(CalendarDate(text)) }

    @Test func base64WithoutPaddingHasOneTextForEveryValue() {
        #expect(Base64URL.encode([UInt8]()) == "")
        #expect(Base64URL.encode([0xfb, 0xff]) == "-_8")
        for count in 0..<40 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 201) }
            #expect(Base64URL.decode(Base64URL.encode(bytes)) == bytes)
        }
        for wrong in ["A", "AA==", "A+A/", "AB", "AAB", "A A", "Ä"] {
            #expect(Base64URL.decode(wrong) == nil, "\(wrong)")
        }
    }

    @Test func aKeyCountsFromItsFirstDayToItsLast() throws {
        let validity = KeyValidity(from: try Self.date("2026-03-01"), until: try Self.date("2026-03-31"))
        let start = try Self.date("2026-03-01").startOfDayMilliseconds
        #expect(start == 1_772_305_200_000, "the first of March at UTC+5")
        #expect(validity.state(at: start - 1) == .notYet(try Self.date("2026-03-01")))
        #expect(validity.state(at: start) == .valid)
        #expect(validity.state(at: start + 31 * Self.day - 1) == .valid)
        #expect(validity.state(at: start + 31 * Self.day) == .expired(try Self.date("2026-03-31")))
        #expect(KeyValidity().state(at: 0) == .valid)
    }

    @Test func aRevocationNeverWaits() throws {
        let revoked = KeyValidity(revoked: try Self.date("2199-12-31"))
        #expect(revoked.state(at: 0) == .revoked(try Self.date("2199-12-31")))
    }

    @Test func anAgentMayHaveTwoKeysAndASystemTwoSeals() throws {
        let (old, new) = (SigningKey().publicKey, SigningKey().publicKey)
        let (first, second) = (try SystemKey().publicKey, try SystemKey().publicKey)
        let text =
            SpaceFixture.text + """

                    sign: \(Base64URL.encode(old.bytes))
                    until: 2026-12-31
                  - agent: portal-1
                    systems: [portal]
                    curve: "Zne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
                    sign: \(new)
                    from: 2026-12-01
                  - system: register
                    seal: "\(first)"
                  - {system: register, seal: "\(second)", from: 2026-12-01}
                """
        let reading = SpaceFixture.read(text)
        let space = try #require(reading.space, "\(reading.findings)")
        #expect(space.keys.filter { $0.agent == "portal-1" }.count == 2)
        #expect(space.seals.count == 2)
        let snapshot = try SpaceSnapshot(space)
        #expect(try SpaceSnapshot(canonical: snapshot.canonical).space == space)
        let directory = Directory(snapshot)
        #expect(directory.signer(old.id)?.agent == "portal-1" && directory.signer(new.id)?.agent == "portal-1")
        #expect(directory.signer(old.id)?.systems == ["portal"])
        let november = try Self.date("2026-11-30").endOfDayMilliseconds
        #expect(directory.seal(of: "register", at: november)?.key == first)
        #expect(directory.seal(of: "register", at: november + 1)?.key == second, "the newer one of two that count")
        #expect(directory.seal(first.id, of: "register") != nil, "what is sealed to the older one is still opened")
        #expect(directory.seal(of: "portal", at: november) == nil)
        #expect(directory.subscribers(of: "register.record-changed.v1") == ["portal"])
        #expect(directory.subscribers(of: "register.record-get.v1") == [])
    }

    /// What nobody signs has its days as well; an entry with a signing key opens nothing, whatever its days.
    @Test func entriesWithoutASigningKeyHaveTheirDays() throws {
        var space = try SpaceFixture.space()
        let entry = space.keys[0]
        let system = try #require(entry.systems.first)
        let start = try Self.date("2026-03-01").startOfDayMilliseconds
        let march = KeyValidity(from: try Self.date("2026-03-01"), until: try Self.date("2026-03-31"))
        func isOpen(_ validity: KeyValidity, sign: String? = nil, at times: ClosedRange<Int64>) throws -> Bool {
            space.keys = [
                AgentKey(agent: "a-1", systems: [system], curve: entry.curve, sign: sign, validity: validity)
            ]
            return Directory(try SpaceSnapshot(space)).maySendUnsigned(system, at: times)
        }
        #expect(try isOpen(KeyValidity(), at: 0...0))
        #expect(try !isOpen(march, at: start - 1...start - 1))
        #expect(try isOpen(march, at: start...start))
        let end = start + 31 * Self.day
        #expect(try isOpen(march, at: end - 1...end - 1))
        #expect(try !isOpen(march, at: end...end))
        #expect(try isOpen(march, at: end - 1...end + 1), "a clock may be a little off")
        #expect(try !isOpen(KeyValidity(revoked: try Self.date("2199-12-31")), at: 0...0))
        let key = "\(SigningKey().publicKey)"
        #expect(try !isOpen(march, sign: key, at: start...start))
        let never = KeyValidity(from: march.until, until: march.from)
        #expect(try !isOpen(never, sign: key, at: start...start))
        #expect(try !isOpen(never, at: start...start))
    }

    @Test func whatIsRevokedIsNotInTheDirectory() throws {
        let key = SigningKey().publicKey
        let seal = try SystemKey().publicKey
        var space = try SpaceFixture.space()
        space.keys[0].sign = "\(key)"
        space.seals = [SystemSeal(system: "register", seal: "\(seal)")]
        #expect(Directory(try SpaceSnapshot(space)).signer(key.id) != nil)
        space.keys[0].revoked = CalendarDate("2026-11-27")
        space.seals[0].revoked = CalendarDate("2026-11-27")
        let directory = Directory(try SpaceSnapshot(space))
        #expect(directory.signer(key.id) == nil && directory.seal(seal.id, of: "register") == nil)
        #expect(Routes(try SpaceSnapshot(space)).agent(key: space.keys[0].curve) == nil)
    }

    /// Old snapshots are in journals and under signatures: their bytes must not change.
    @Test func aSpaceWithoutSealsIsWrittenAsBefore() throws {
        let text = String(decoding: try SpaceSnapshot(SpaceFixture.space()).canonical, as: UTF8.self)
        #expect(!text.contains("seals") && !text.contains("sign") && !text.contains("revoked"))
    }

    /// Whoever writes it in another language gets the same number.
    @Test func keysAreNamedAsThePageOfTheWireSays() throws {
        let key = try #require(VerifyingKey([UInt8](0..<32)))
        #expect("\(key.id)" == "58c5543693126696")
        #expect(VerifyingKey("\(key)") == key && VerifyingKey(Base64URL.encode(key.bytes)) == key)
        #expect(VerifyingKey("ab") == nil)
    }

    @Test func secretsDoNotShow() throws {
        let signing = SigningKey()
        let sealing = try SystemKey()
        for text in ["\(signing)", String(reflecting: signing), "\(sealing)", String(reflecting: sealing)] {
            #expect(!text.contains(signing.reveal()) && !text.contains(sealing.reveal()))
        }
        #expect(SigningKey(secret: signing.reveal())?.publicKey == signing.publicKey)
        #expect(SystemKey(secret: sealing.reveal())?.publicKey == sealing.publicKey)
    }
}
