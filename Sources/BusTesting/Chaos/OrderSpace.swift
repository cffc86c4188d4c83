package import BusAgent
import Foundation
import Logging

/// The little space of crash tests, written to disk: `alpha` sends orders to `bravo`, and hears of its changes.
package struct OrderSpace {
    package static let order = "bravo.order.v1"
    package static let changed = "bravo.changed.v1"
    package let root: String

    /// - Parameters:
    ///   - extraAgents: agents of `alpha` beside the first, named by `extra`.
    ///   - hasRegisters: the agents' files name the databases of `OrderRegisters`.
    package init(extraAgents: Int = 0, hasRegisters: Bool = false) throws {
        root = NSTemporaryDirectory() + "kerege-campaign-" + UUID().uuidString.prefix(8).lowercased()
        for folder in ["/deploy/space", "/deploy/agents", "/Schemas/contracts"] {
            try FileManager.default.createDirectory(atPath: root + folder, withIntermediateDirectories: true)
        }
        try write("deploy/space/space.yaml", Self.space)
        try write("Schemas/contracts/\(Self.order).json", Self.orderContract)
        try write("Schemas/contracts/\(Self.changed).json", Self.changedContract)
        let extra = (0..<extraAgents).map { (Self.extra($0), "alpha") }
        for (agent, system) in [("alpha-1", "alpha"), ("bravo-1", "bravo"), ("bravo-2", "bravo")] + extra {
            let file = "agent: \(agent)\nsystems: [\(system)]\n"
            let sections = system == "alpha" ? OrderRegisters.alphaFile : OrderRegisters.bravoFile
            try write("deploy/agents/\(agent).yaml", hasRegisters ? file + sections : file)
        }
    }

    package static func extra(_ number: Int) -> String { "extra-\(number)" }

    package func remove() { try? FileManager.default.removeItem(atPath: root) }

    /// Body of an order or change.
    package static func body(_ count: Int, key: Int = 1, padding: Int = 0) -> [UInt8] {
        let note = padding > 0 ? #","note":"\#(String(repeating: "x", count: padding))""# : ""
        return Array(#"{"key":\#(key),"count":\#(count)\#(note)}"#.utf8)
    }

    /// An agent of this space, in this process.
    package func connect(
        _ mesh: Mesh, _ name: String, _ system: String, _ prepare: (Agent) -> Void = { _ in }
    ) async throws -> Agent {
        var configuration = AgentConfiguration(broker: mesh.brokerAddress, name: name, systems: [system])
        configuration.brokerKey = try mesh.folder.key("broker").publicKey
        configuration.keys = try mesh.folder.key(name)
        try configuration.pinAuthority(mesh.folder.authority)
        try configuration.loadSeals(from: mesh.folder.keys)
        configuration.contracts = try ContractLibrary.load(root + "/Schemas/contracts")
        configuration.logger.logLevel = .critical
        return try await Agent.connect(configuration, preparing: prepare)
    }

    private func write(_ path: String, _ text: String) throws {
        try text.write(toFile: root + "/" + path, atomically: true, encoding: .utf8)
    }

    private static let space = """
        space: {id: campaign, title: {en: Campaign}}
        broker: {id: broker-campaign, endpoint: 'tcp://127.0.0.1:7400'}
        thresholds:
          window: 4s
          minimumSample: 20
          noSuccessFor: 2s
          dormantAfter: 600s
          recovery: {successes: 3, holdFor: 1s}
          heartbeat: {interval: 250ms, missed: 4}
        agencies:
          - {id: agency, name: {en: Agency}}
        systems:
          - {id: alpha, name: {en: alpha}, owner: agency, status: operation}
          - {id: bravo, name: {en: bravo}, owner: agency, status: operation}
        services:
          - {name: bravo.order.v1, kind: command, deadline: 1d, retry: {attempts: 1000, first: 5ms, longest: 200ms}}
          - {name: bravo.changed.v1, kind: event, retry: {attempts: 1000, first: 5ms, longest: 200ms}}
        integrations:
          - {id: order, consumer: alpha, service: bravo.order.v1, owner: agency, planYear: 2026, due: 2026-12-31, stage: approved, baseline: true}
          - {id: changed, consumer: alpha, event: bravo.changed.v1, owner: agency, planYear: 2026, due: 2026-12-31, stage: approved, baseline: true}
        """

    private static let orderContract = """
        {"contract":"bravo.order.v1","kind":"command","title":{"kk":"Бұйрық","ru":"Приказ","en":"Order"},"summary":"Counts.",
         "request":\(object),"reply":{"type":"object","additionalProperties":false,"required":["count"],
                  "properties":{"count":{"type":"integer"}}},
         "x-order-key":"/key",
         "examples":[{"request":{"key":1,"count":1},"reply":{"count":1}},{"request":{"key":2,"count":1},"reply":{"count":1}}]}
        """
    private static let changedContract = """
        {"contract":"bravo.changed.v1","kind":"event","title":{"kk":"Өзгеріс","ru":"Изменение","en":"Change"},"summary":"Counts.",
         "event":\(object),"examples":[{"event":{"key":1,"count":1}},{"event":{"key":2,"count":1}}]}
        """
    private static let object = """
        {"type":"object","additionalProperties":false,"required":["key","count"],
         "properties":{"key":{"type":"integer"},"count":{"type":"integer"},"note":{"type":"string"}}}
        """
}
