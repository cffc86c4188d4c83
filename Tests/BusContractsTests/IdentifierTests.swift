import BusContracts
import Testing

// Synthetic numbers: birth years 2099 and 1899, registration in 2070; none belongs to anybody.
@Suite("identifiers")
struct IdentifierTests {
    @Test(
        "IIN",
        arguments: [
            ("990101500016", true), ("990101500026", true), ("991231600012", true), ("990101100010", true),
            // These needed the second pass of weights.
            ("991231500707", true), ("991231500719", true), ("991231500720", true),
            ("990101500017", false),
            // Right check digit, wrong structure: month 13, 29 February 2097, seventh digit 7.
            ("991301500016", false), ("970229500019", false), ("990101700019", false),
            ("700140000019", false), ("", false), ("99010150001", false), ("9901015000160", false),
            ("99010150001a", false),
            ("٩٩٠١٠١٥٠٠٠١٦", false),
        ])
    func iin(_ text: String, _ isValid: Bool) throws {
        #expect(IIN.isValid(text) == isValid)
        #expect(
            try ContractChecker.compile(schema: ["format": "iin"]).isValid(JSONValue.string(text).bytes()) == isValid)
    }

    @Test("no twelfth digit saves these", arguments: ["99123150077", "99123150158", "99123150239"])
    func unusable(_ eleven: String) {
        #expect(CheckDigit.twelfth(eleven.utf8.map { $0 - 48 }) == nil)
        for digit in 0...9 { #expect(!IIN.isValid("\(eleven)\(digit)")) }
    }

    @Test(
        "BIN",
        arguments: [
            ("700140000019", BIN.Kind.resident, BIN.Sign.head), ("700141000014", .resident, .branch),
            ("700142000017", .resident, .representativeOffice), ("700150000013", .nonResident, .head),
            ("700160000018", .jointEntrepreneurship, .head), ("700163000014", .jointEntrepreneurship, .farm),
        ])
    func bin(_ text: String, _ kind: BIN.Kind, _ sign: BIN.Sign) throws {
        let parts = try #require(BIN.parts(of: text))
        #expect(parts.kind == kind)
        #expect(parts.sign == sign)
        #expect(parts.month == 1)
        #expect(!IIN.isValid(text))
        #expect(!BIN.isValid(String(text.dropLast()) + (text.hasSuffix("9") ? "8" : "9")))
    }

    @Test("a BIN's month, type and sign are held to")
    func wrongBIN() throws {
        for eleven in ["70134000001", "70003000001", "70013000001", "70017000001", "70014400001"] {
            guard let digit = CheckDigit.twelfth(eleven.utf8.map { $0 - 48 }) else { continue }
            #expect(!BIN.isValid("\(eleven)\(digit)"), "\(eleven)\(digit)")
        }
    }

    @Test("made numbers are valid and say what they were made from")
    func making() throws {
        for serial in 0..<300 {
            if let iin = IIN.make(year: 2_096, month: 2, day: 29, sex: .female, serial: serial) {
                let parts = try #require(IIN.parts(of: iin))
                #expect(
                    parts == IIN.parts(of: iin) && parts.year == 2_096 && parts.month == 2 && parts.day == 29
                        && parts.sex == .female)
            }
            if let bin = BIN.make(year: 2_070, month: 12, kind: .resident, sign: .branch, serial: serial) {
                #expect(BIN.parts(of: bin)?.month == 12)
                #expect(BIN.isValid(bin))
            }
        }
        #expect(IIN.make(year: 2_099, month: 1, day: 1, sex: .male, serial: 1) == "990101500016")
        #expect(IIN.make(year: 2_097, month: 2, day: 29, sex: .male, serial: 1) == nil)
        #expect(IIN.make(year: 2_100, month: 1, day: 1, sex: .male, serial: 1) == nil)
        #expect(IIN.make(year: 2_099, month: 1, day: 1, sex: .male, serial: 10_000) == nil)
        #expect(BIN.make(year: 2_070, month: 1, kind: .resident, sign: .head, serial: 1) == "700140000019")
        #expect(BIN.make(year: 2_070, month: 13, kind: .resident, sign: .head, serial: 1) == nil)
    }

    @Test(
        "cadastral numbers",
        arguments: [
            ("20:015:004:165", true), ("20:015:004:165:1", true), ("21:320:135:0722:1:106", true),
            // A temporary plot has another form.
            ("20:015:004:000:(123:12А:4/53687):37", false),
            ("20:015:004", false), ("2:015:004:165", false), ("20:15:004:165", false), ("20:015:004:16555", false),
            ("20:015:004:165:1:2:3", false), ("20:015:004:165:", false), ("20:015:004::1", false),
            ("20:015:004:165:1:123456", false),
        ])
    func cadastral(_ text: String, _ isValid: Bool) {
        #expect(CadastralNumber.isValid(text) == isValid)
    }

    @Test("made cadastral numbers and KATO codes")
    func makingPlaces() {
        #expect(CadastralNumber.make(oblast: 20, district: 15, quarter: 4, plot: 165) == "20:015:004:165")
        #expect(
            CadastralNumber.make(oblast: 20, district: 15, quarter: 4, plot: 165, building: 1, unit: 7)
                == "20:015:004:165:1:7")
        #expect(CadastralNumber.make(oblast: 20, district: 15, quarter: 4, plot: 165, unit: 7) == nil)
        #expect(CadastralNumber.make(oblast: 200, district: 15, quarter: 4, plot: 165) == nil)
        #expect(CadastralNumber.make(oblast: 20, district: 15, quarter: 4, plot: 10_000) == nil)
        #expect(KATO.regions.count == 20)
        #expect(KATO.make(region: 75, rest: 1_110_000) == "751110000")
        #expect(KATO.make(region: 70, rest: 0) == nil)
        #expect(KATO.isValid("710000000"))
        #expect(!KATO.isValid("720000000"))
        #expect(!KATO.isValid("7100000000"))
        #expect(!KATO.isValid("71000000x"))
    }
}
