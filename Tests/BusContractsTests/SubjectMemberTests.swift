import BusContracts
import Testing

@Suite("whom a request is about")
struct SubjectMemberTests {
    private static func contract(_ more: String, kind: String = "request") -> String {
        let body =
            kind == "event"
            ? #""event":{"type":"object","properties":{"iin":{"type":"string"}}}"#
            : #"""
            "request":{"type":"object","properties":{
              "iin":{"$ref":"#/$defs/iin"},"count":{"type":"integer"},"owner":{"$ref":"#/$defs/owner"},
              "either":{"type":["string","null"]}}},
            "reply":{"type":"object"},
            "$defs":{"iin":{"type":"string","format":"iin"},
              "owner":{"type":"object","properties":{"iin":{"$ref":"#/$defs/iin"}}}}
            """#
        return #"{"contract":"a.b.v1","kind":"\#(kind)","title":{"kk":"а","ru":"б","en":"c"},"summary":"s","# + body
            + more + "}"
    }

    private func parse(_ text: String) throws -> Contract { try Contract.parse(Array(text.utf8)) }

    @Test("is found under `properties`, through references", arguments: ["/iin", "/owner/iin", "/either"])
    func found(_ pointer: String) throws {
        let contract = try parse(Self.contract(#","x-subject":"\#(pointer)""#))
        #expect(contract.subject?.description == pointer)
    }

    @Test func mayBeNobody() throws { #expect(try parse(Self.contract("")).subject == nil) }

    @Test(
        "is refused where it cannot be a person's number",
        arguments: [
            (#","x-subject":"iin""#, "request"), (#","x-subject":"""#, "request"), (#","x-subject":1"#, "request"),
            (#","x-subject":"/nin""#, "request"), (#","x-subject":"/count""#, "request"),
            (#","x-subject":"/owner""#, "request"), (#","x-subject":"/owner/nin""#, "request"),
            (#","x-subject":"/iin""#, "command"), (#","x-subject":"/iin""#, "event"),
        ])
    func refused(_ more: String, _ kind: String) throws {
        let error = #expect(throws: ContractError.self) { try parse(Self.contract(more, kind: kind)) }
        #expect(error?.pointer.description == "/x-subject", "\(error.map(String.init(describing:)) ?? "")")
    }

    @Test("is not looked for in circles")
    func circle() throws {
        let text = Self.contract(#","x-subject":"/iin""#).replacing(
            #""iin":{"type":"string","format":"iin"}"#, with: ##""iin":{"$ref":"#/$defs/iin"}"##)
        let error = #expect(throws: ContractError.self) { try parse(text) }
        #expect(error?.pointer.description == "/x-subject")
    }

    @Test("a change of it is told by the comparison of versions")
    func compared() throws {
        let about = try parse(Self.contract(#","x-subject":"/iin""#))
        let nobody = try parse(Self.contract(""))
        let other = try parse(Self.contract(#","x-subject":"/owner/iin""#))
        #expect(ContractCompatibility.compare(old: about, new: about).isFullyCompatible)
        #expect(ContractCompatibility.compare(old: nobody, new: about).level == "backward")
        #expect(ContractCompatibility.compare(old: about, new: nobody).level == "none")
        let report = ContractCompatibility.compare(old: about, new: other)
        #expect(report.level == "none" && report.findings.allSatisfy { $0.rule == "x-subject" })
    }

    @Test(
        "what looks like somebody's number",
        arguments: [
            ("990101500016", true), ("iin:990101500016", true), ("080540000011", true), ("990101500017", false),
            ("9901015000160", false), ("clerk-204", false), ("", false), ("99010150001", false),
        ])
    func numbers(_ text: String, _ isNumber: Bool) { #expect(CheckDigit.isNumber(in: text) == isNumber) }
}
