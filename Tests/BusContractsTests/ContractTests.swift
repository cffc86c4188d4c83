import BusContracts
import Testing

@Suite("contract documents")
struct ContractTests {
    static let personGet = #"""
        {"contract":"individuals.person-get.v1","kind":"request",
         "title":{"kk":"Жеке тұлға","ru":"Физическое лицо","en":"Individual"},"summary":"Gives the record of a person by IIN.",
         "request":{"type":"object","required":["iin"],"properties":{"iin":{"$ref":"#/$defs/iin"}},"additionalProperties":false},
         "reply":{"type":"object","required":["iin","name"],"properties":{"iin":{"$ref":"#/$defs/iin"},"name":{"type":"string"}}},
         "$defs":{"iin":{"type":"string","format":"iin"}},
         "x-order-key":"/iin",
         "examples":[{"request":{"iin":"990101500016"},"reply":{"iin":"990101500016","name":"Айгүл"}}]}
        """#

    @Test("a contract reads, compiles and checks")
    func reading() throws {
        let contract = try Contract.parse(Array(Self.personGet.utf8))
        #expect(contract.name.base == "individuals.person-get")
        #expect(contract.version == 1)
        #expect(contract.kind == .request)
        #expect(contract.title["kk"] == "Жеке тұлға")
        #expect(contract.orderKey?.description == "/iin")
        #expect(contract.checkRequest(Array(#"{"iin":"990101500016"}"#.utf8)).isEmpty)
        #expect(contract.checkRequest(Array(#"{"iin":"990101500017"}"#.utf8)).map(\.rule) == ["format"])
        #expect(contract.checkReply(Array(#"{"iin":"990101500016"}"#.utf8)).map(\.rule) == ["required"])
        #expect(contract.checkEvent(Array("{}".utf8)).map(\.rule) == ["contract"])
    }

    @Test("canonical bytes do not depend on the order of members or white space")
    func canonical() throws {
        let contract = try Contract.parse(Array(Self.personGet.utf8))
        let members = try #require(contract.document.object)
        let reversed = try Contract(.object(members.reversed()))
        #expect(contract.canonicalBytes == reversed.canonicalBytes)
        #expect(try Contract.parse(contract.canonicalBytes).canonicalBytes == contract.canonicalBytes)
        #expect(try Contract.parse(contract.document.bytes(.pretty)).canonicalBytes == contract.canonicalBytes)
        let other = Self.personGet.replacing("Айгүл", with: "Асел")
        #expect(try Contract.parse(Array(other.utf8)).canonicalBytes != contract.canonicalBytes)
    }

    @Test(
        "what is wrong is told with its place",
        arguments: [
            ("individuals.person-get.v1", "individuals.person-get", "/contract"),
            ("individuals.person-get.v1", "person.v0", "/contract"),
            ("\"kind\":\"request\"", "\"kind\":\"query\"", "/kind"), ("\"kk\":\"Жеке тұлға\",", "", "/title/kk"),
            ("\"summary\"", "\"sumary\"", "/sumary"),
            ("\"kind\":\"request\"", "\"kind\":\"event\"", "/request"),
            ("\"reply\":{\"type\"", "\"x-reply\":{\"type\"", "/reply"),
            ("\"type\":\"string\",\"format\":\"iin\"", "\"type\":\"string\",\"format\":\"iinn\"", "/re"),
            ("additionalProperties", "additionalProps", "/request"),
            ("#/$defs/iin\"}},\"add", "#/$defs/bin\"}},\"add", "/request"), ("\"/iin\"", "\"iin\"", "/x-order-key"),
            ("\"iin\":\"990101500016\"}", "\"iin\":\"1\"}", "/examples/0/request/iin"),
            ("\"examples\":[{\"request\"", "\"examples\":[{\"event\"", "/examples/0"),
            ("{\"contract\"", "[{\"contract\"", ""),
        ])
    func wrong(_ original: String, _ replacement: String, _ pointer: String) throws {
        let text = Self.personGet.replacing(original, with: replacement)
        try #require(text != Self.personGet)
        let error = #expect(throws: ContractError.self) { try Contract.parse(Array(text.utf8)) }
        #expect(error?.pointer.description.hasPrefix(pointer) == true, "\(error.map(String.init(describing:)) ?? "")")
    }

    @Test(
        "names",
        arguments: [
            ("a.b.v1", true), ("a.v1", false), ("a.b.v01", false), ("a.b.v0", false), ("A.b.v1", false),
            ("a..v1", false), ("a.-b.v1", false), ("a.b-.v1", false), ("justice.civil-acts.birth-registered.v12", true),
            ("a.b.1", false),
        ])
    func names(_ text: String, _ isValid: Bool) {
        #expect((ContractName(text) != nil) == isValid)
    }
}
