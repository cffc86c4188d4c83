import Foundation

/// A little space written to disk for one test: systems that each offer `SYSTEM.ping.v1`, and whatever integrations the test
/// wants. Thresholds are short, so that states change within seconds.
struct TestSpace {
    struct Way {
        var consumer: String
        var provider: String
        var stage = "approved"
        var id: String { "\(consumer)-to-\(provider)" }
    }

    let root: String
    let systems: [String]
    let ways: [Way]

    /// Windows of the thresholds, seconds.
    static let window = 4

    init(systems: [String], ways: [Way], delayMilliseconds: [String: Int] = [:]) throws {
        self.systems = systems
        self.ways = ways
        root = NSTemporaryDirectory() + "kerege-space-" + UUID().uuidString.prefix(8).lowercased()
        for folder in ["/deploy/space", "/deploy/agents", "/Schemas/contracts"] {
            try FileManager.default.createDirectory(atPath: root + folder, withIntermediateDirectories: true)
        }
        try write("deploy/space/space.yaml", Self.head + systems.map(Self.system).joined() + services + integrations)
        for system in systems {
            try write("Schemas/contracts/\(system).ping.v1.json", Self.contract(system))
            try write("deploy/agents/\(system).yaml", Self.agent(system, delayMilliseconds[system]))
        }
    }

    /// Another file of the space, or another text of one that was added.
    func add(_ name: String, _ text: String) throws { try write("deploy/space/\(name)", text) }

    /// A contract of a service or event whose bodies are any objects.
    func addContract(_ name: String, kind: String) throws {
        let object = #"{"type":"object","additionalProperties":{"type":["string","integer"]}}"#
        let parts = kind == "event" ? ["event"] : ["request", "reply"]
        let members = parts.map { #""\#($0)":\#(object)"# }.joined(separator: ",")
        let example = parts.map { #""\#($0)":{"a":1}"# }.joined(separator: ",")
        try write(
            "Schemas/contracts/\(name).json",
            """
            {"contract":"\(name)","kind":"\(kind)","title":{"kk":"А","ru":"А","en":"A"},"summary":"Anything.",\(members),
             "examples":[{\(example)},{\(example.replacing("1", with: "2"))}]}
            """)
    }

    func remove() { try? FileManager.default.removeItem(atPath: root) }

    private func write(_ path: String, _ text: String) throws {
        try text.write(toFile: root + "/" + path, atomically: true, encoding: .utf8)
    }

    private static let head = """
        space: {id: test, title: {en: Test}}
        broker: {id: broker-test, endpoint: 'tcp://127.0.0.1:7400'}
        thresholds:
          window: \(window)s
          minimumSample: 20
          noSuccessFor: 2s
          dormantAfter: 600s
          recovery: {successes: 3, holdFor: 1s}
          heartbeat: {interval: 250ms, missed: 3}
        agencies:
          - {id: agency, name: {en: Agency}}
        systems:

        """

    private static func system(_ id: String) -> String {
        "  - {id: \(id), name: {en: \(id)}, owner: agency, status: operation}\n"
    }

    private var services: String {
        "services:\n"
            + systems.map { "  - {name: \($0).ping.v1, kind: request, deadline: 5s, promisedP95: 2s}\n" }.joined()
    }

    private var integrations: String {
        "integrations:\n"
            + ways.map {
                "  - {id: \($0.id), consumer: \($0.consumer), service: \($0.provider).ping.v1, owner: agency, planYear: 2026, "
                    + "due: 2026-12-31, stage: \($0.stage), baseline: true}\n"
            }.joined()
    }

    private static func agent(_ system: String, _ delay: Int?) -> String {
        """
        agent: \(system)-1
        systems: [\(system)]
        database: \(system).sqlite
        register: chatbots
        services:
          - service: \(system).ping.v1
            sql: SELECT json_object('from', '\(system)', 'token', :token)
            answer: one
        \(delay.map { "    delay: \($0)ms\n" } ?? "")
        """
    }

    private static func contract(_ system: String) -> String {
        """
        {"contract":"\(system).ping.v1","kind":"request","title":{"kk":"Пинг","ru":"Пинг","en":"Ping"},"summary":"Answers with its own name.",
         "request":{"type":"object","additionalProperties":false,"required":["token"],"properties":{"token":{"type":"integer"}}},
         "reply":{"type":"object","additionalProperties":false,"required":["from","token"],
                  "properties":{"from":{"type":"string"},"token":{"type":"integer"}}},
         "examples":[{"request":{"token":1},"reply":{"from":"\(system)","token":1}},
                     {"request":{"token":2},"reply":{"from":"\(system)","token":2}}]}
        """
    }
}

/// The project's root, from where this file stands.
let projectRoot = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
