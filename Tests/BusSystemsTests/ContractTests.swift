import BusContracts
import BusSystems
import Testing

@Suite struct ContractTests {
    @Test func everyFileIsAContractOfItsName() throws {
        let contracts = try Contracts.all.get()
        #expect(contracts.count >= 30)
        for (file, contract) in contracts {
            #expect(contract.name.description == file)
            let system = try #require(file.split(separator: ".").first)
            #expect(Register(rawValue: String(system)) != nil, "\(file)")
            #expect(contract.title.count == 3)
        }
    }

    @Test func everyContractHasTwoExamplesThatKeepIt() throws {
        for (name, contract) in try Contracts.all.get() {
            #expect(contract.examples.count >= 2, "\(name)")
            for example in contract.examples {
                #expect(Set(example.keys) == (contract.kind == .event ? [.event] : [.request, .reply]), "\(name)")
                for (part, body) in example {
                    #expect(throws: Never.self) { try Contracts.check(name, part, body.bytes()) }
                }
            }
        }
    }

    /// The examples say what the wrong side would look like: a number with another check digit must be refused.
    @Test func aWrongCheckDigitBreaksTheContract() {
        let wrong = Array(#"{"iin":"990101500017"}"#.utf8)
        let right = Array(#"{"iin":"990101500016"}"#.utf8)
        #expect(throws: Contracts.Broken.self) { try Contracts.check("individuals.person-get.v1", .request, wrong) }
        #expect(throws: Never.self) { try Contracts.check("individuals.person-get.v1", .request, right) }
    }

    /// Whoever asks by somebody's number leaves a trace that the provider's agent can find again.
    @Test func requestsByANumberSayWhomTheyAreAbout() throws {
        for (name, contract) in try Contracts.all.get() where contract.kind == .request {
            let members = Set(contract.schemas[.request]?["properties"]?.object?.map(\.name) ?? [])
            let numbers = members.intersection(["iin", "bin", "subject"])
            #expect(numbers.isEmpty == (contract.subject == nil), "\(name)")
            if let pointer = contract.subject { #expect(numbers.contains(pointer.tokens[0]), "\(name)") }
        }
    }

    /// Objects are closed, texts and lists have an end: a reply that grows is found here and not in production.
    @Test func schemasAreStrictEverywhere() throws {
        for (name, contract) in try Contracts.all.get() {
            for (part, schema) in contract.schemas { walk(schema, at: "\(name) \(part)") }
        }
    }

    /// What the examples ask is in the full registers of the demonstration's seed, so a reader can try them.
    @Test func examplesAreOfTheDemonstration() throws {
        let population = Population(seed: Population.demonstrationSeed)
        let people = Set((0..<100).map(population.iin))
        for example in try Contracts.contract("individuals.person-get.v1").examples {
            let iin = try #require(example[.request]?["iin"]?.string)
            #expect(people.contains(iin))
        }
        let company = try Contracts.contract("legal-entities.entity-get.v1").examples[0][.reply]
        let first = population.company(0)
        #expect(company?["bin"]?.string == first.bin)
        #expect(company?["directorIin"]?.string == population.iin(first.director))
        let property = try Contracts.contract("real-estate.rights-get.v1").examples[0][.reply]
        #expect(property?["cadastralNumber"]?.string == population.cadastralNumber(0))
    }

    private func walk(_ schema: JSONValue, at place: String) {
        let types = schema["type"]?.array?.compactMap(\.string) ?? [schema["type"]?.string].compactMap(\.self)
        if types.contains("object") {
            #expect(schema["additionalProperties"]?.bool == false, "\(place)")
            for member in schema["properties"]?.object ?? [] { walk(member.value, at: "\(place)/\(member.name)") }
        }
        if types.contains("array") {
            #expect(schema["maxItems"]?.int != nil, "\(place)")
            if let items = schema["items"] { walk(items, at: place + "/items") }
        }
        if types.contains("string") {
            let bounded = ["maxLength", "format", "pattern", "enum"].contains { schema[$0] != nil }
            #expect(bounded, "\(place)")
        }
        if types.contains("integer") { #expect(schema["maximum"] != nil && schema["minimum"] != nil, "\(place)") }
    }
}
