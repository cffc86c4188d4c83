import BusDirectory
import Foundation

/// The little space of the benchmark: two systems, one service, one integration, one contract.
enum BenchSpace {
    static let consumer = "bench-consumer"
    static let provider = "bench-provider"
    static let service = "bench-provider.echo.v1"
    static let order = "bench-provider.order.v1"
    static let event = "bench-provider.changed.v1"

    static let yaml = """
        space:
          id: bench
          title: {en: Benchmark}
        broker:
          id: broker-bench
          endpoint: tcp://127.0.0.1:7400
        agencies:
          - id: bench
            name: {en: Benchmark}
        systems:
          - {id: bench-consumer, name: {en: Requester}, owner: bench, status: operation}
          - {id: bench-provider, name: {en: Responder}, owner: bench, status: operation}
        services:
          - {name: bench-provider.echo.v1, kind: request, deadline: 30s, promisedP95: 1s}
          - {name: bench-provider.order.v1, contract: bench-provider.echo.v1, kind: command, deadline: 30d}
          - {name: bench-provider.changed.v1, contract: bench-provider.echo.v1, kind: event}
        integrations:
          - {id: bench, consumer: bench-consumer, service: bench-provider.echo.v1, owner: bench, planYear: 2021, due: 2021-12-31, stage: approved, baseline: true}
          - {id: bench-order, consumer: bench-consumer, service: bench-provider.order.v1, owner: bench, planYear: 2021, due: 2021-12-31, stage: approved, baseline: true}
          - {id: bench-changed, consumer: bench-consumer, event: bench-provider.changed.v1, owner: bench, planYear: 2021, due: 2021-12-31, stage: approved, baseline: true}
        """

    static func subscriber(_ number: Int) -> String { "bench-subscriber-\(number)" }

    /// With so many more systems that subscribe to the event.
    static func yaml(subscribers: Int) -> String {
        let all = (0..<subscribers).map(subscriber)
        let systems = all.map { "  - {id: \($0), name: {en: Subscriber}, owner: bench, status: operation}\n" }.joined()
        let integrations = all.map {
            "\n  - {id: \($0), consumer: \($0), event: \(event), owner: bench, planYear: 2021, due: 2021-12-31, "
                + "stage: approved, baseline: true}"
        }.joined()
        return yaml.replacingOccurrences(of: "services:\n", with: systems + "services:\n") + integrations
    }

    /// The space as a value, without keys.
    static func value() throws -> Space {
        let reading = Space.load([SpaceFile(name: "space.yaml", text: yaml)])
        guard let space = reading.space else { throw Unreadable(why: reading.findings.map { "\($0)" }) }
        return space
    }

    struct Unreadable: Error { let why: [String] }

    /// A typical body: a person with an address and a list, patterns and formats on some members.
    static let contract = """
        {"contract":"bench-provider.echo.v1","kind":"request","title":{"kk":"Жаңғырық","ru":"Эхо","en":"Echo"},"summary":"Answers with the request.",
         "request":\(schema),"reply":\(schema),
         "examples":[{"request":\(sample(padding: 10)),"reply":\(sample(padding: 10))},
                     {"request":\(sample(padding: 200)),"reply":\(sample(padding: 200))}]}
        """

    private static let schema = """
        {"type":"object","additionalProperties":false,
         "required":["iin","surname","given","sex","born","status","address","documents","note"],
         "properties":{
          "iin":{"type":"string","format":"iin"},
          "surname":{"type":"string","minLength":1,"maxLength":100},
          "given":{"type":"string","minLength":1,"maxLength":100},
          "patronymic":{"type":["string","null"],"maxLength":100},
          "sex":{"enum":["male","female"]},
          "born":{"type":"string","format":"date"},
          "status":{"enum":["alive","dead","missing"]},
          "citizenship":{"type":"string","pattern":"^[A-Z]{3}$"},
          "verified":{"type":"boolean"},
          "changes":{"type":"integer","minimum":0,"maximum":1000000},
          "address":{"type":"object","additionalProperties":false,"required":["rka","kato","street"],
            "properties":{"rka":{"type":"string","pattern":"^[0-9]{16}$"},"kato":{"type":"string","format":"kato"},
              "street":{"type":"string","maxLength":200},"house":{"type":"string","maxLength":20},"flat":{"type":"integer","minimum":1}}},
          "documents":{"type":"array","maxItems":20,"items":{"type":"object","additionalProperties":false,
            "required":["kind","number","issued"],
            "properties":{"kind":{"enum":["passport","identity-card"]},"number":{"type":"string","pattern":"^[A-Z0-9]{9}$"},
              "issued":{"type":"string","format":"date"}}}},
          "note":{"type":"string","maxLength":70000}}}
        """

    /// A body of about so many bytes.
    static func body(bytes: Int) -> [UInt8] {
        let least = sample(padding: 0).utf8.count
        return Array(sample(padding: max(0, bytes - least)).utf8)
    }

    private static func sample(padding: Int) -> String {
        """
        {"iin":"990101500016","surname":"Серікқызы","given":"Айгерім","patronymic":null,"sex":"female","born":"1999-01-01",\
        "status":"alive","citizenship":"KAZ","verified":true,"changes":12,"address":{"rka":"0201300123456789","kato":"711210000",\
        "street":"Мәңгілік Ел даңғылы","house":"55/23","flat":118},"documents":[{"kind":"passport","number":"N12345678",\
        "issued":"2019-05-17"},{"kind":"identity-card","number":"041234567","issued":"2021-11-02"}],\
        "note":"\(String(repeating: "x", count: padding))"}
        """
    }
}
