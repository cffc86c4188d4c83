import ArgumentParser
import Foundation

/// Starts the processes, lets them work, and prints what came out.
struct Measure: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "measure", abstract: "Measure (the default).")

    @Option(help: "Requests under way at the same time.") var window = 64
    @Option(help: "Bytes of a body.") var payload = 1024
    @Option(help: "Seconds measured, after one second of warm-up.") var seconds = 4.0
    @Flag(help: "Bodies are bytes that nobody checks.") var opaque = false
    @Flag(help: "Without signatures and seals, to see what they cost.") var plain = false
    @Flag(help: "Print one JSON object.") var json = false
    @Option(help: "A running broker's address; its space must hold this benchmark's (see --print-space).") var broker:
        String?
    @Option(help: "The running broker's data folder, for keys.") var data: String?
    @Flag(help: "Print the space a running broker needs for this benchmark, and end.") var printSpace = false

    mutating func validate() throws {
        guard (1...4096).contains(window) else { throw ValidationError("--window is 1 to 4096") }
        guard (16...65_000).contains(payload) else { throw ValidationError("--payload is 16 to 65000 bytes") }
        guard seconds > 0, seconds <= 3600 else { throw ValidationError("--seconds is more than 0 and at most 3600") }
        if broker != nil, data == nil { throw ValidationError("--broker needs --data, the folder with its keys") }
    }

    mutating func run() async throws {
        if printSpace {
            print(BenchSpace.yaml)
            return
        }
        let bench = try BenchFolder(existing: data, plain: plain)
        defer { bench.remove() }
        let broker = try await bench.startBroker(at: broker)
        let responder = try bench.start("respond", shared(bench, broker.address))
        let before = broker.cost()
        let requester = try bench.start(
            "request",
            shared(bench, broker.address) + [
                "--window", "\(window)", "--payload", "\(payload)", "--seconds", "\(seconds)",
            ])
        let text = requester.waitForOutput()
        guard let result = try? JSONDecoder().decode(RequestResult.self, from: Data(text.utf8)) else {
            responder.stop()
            broker.stop()
            throw ValidationError("the requester gave no result:\n\(text)\n\(bench.logs())")
        }
        let after = broker.cost()
        let report = Report(
            checked: !opaque, proven: !plain && data == nil, window: window, payload: payload, result: result,
            brokerCPU: after.cpuSeconds - before.cpuSeconds, responderCPU: responder.cost().cpuSeconds,
            brokerPSS: after.pssMegabytes, idleBrokerPSS: before.pssMegabytes)
        responder.stop()
        broker.stop()
        print(json ? report.json : report.text)
    }

    private func shared(_ bench: BenchFolder, _ address: String) -> [String] {
        ["--broker", address, "--folder", bench.path] + (opaque ? ["--opaque"] : [])
    }
}

/// What is printed. Stable: scripts read the JSON form.
struct Report: Codable {
    var bodies: String
    var messages: String
    var window: Int
    var payload: Int
    var requests: Int
    var seconds: Double
    var requestsPerSecond: Double
    var failures: Int
    var p50Microseconds: Double
    var p99Microseconds: Double
    var p999Microseconds: Double
    var maxMicroseconds: Double
    var brokerCPUSeconds: Double
    var requesterCPUSeconds: Double
    var responderCPUSeconds: Double
    var brokerCPUMicrosecondsPerRequest: Double
    var brokerPSSMegabytes: Double
    var idleBrokerPSSMegabytes: Double

    init(
        checked: Bool, proven: Bool, window: Int, payload: Int, result: RequestResult, brokerCPU: Double,
        responderCPU: Double,
        brokerPSS: Double, idleBrokerPSS: Double
    ) {
        messages = proven ? "signed and sealed" : "plain"
        bodies = checked ? "json, checked against a contract at both edges" : "opaque"
        self.window = window
        self.payload = payload
        requests = result.requests
        seconds = result.seconds
        requestsPerSecond = Double(result.requests) / result.seconds
        failures = result.failures
        p50Microseconds = result.p50
        p99Microseconds = result.p99
        p999Microseconds = result.p999
        maxMicroseconds = result.max
        brokerCPUSeconds = brokerCPU
        requesterCPUSeconds = result.cpuSeconds
        responderCPUSeconds = responderCPU
        brokerCPUMicrosecondsPerRequest = result.all > 0 ? brokerCPU * 1e6 / Double(result.all) : 0
        brokerPSSMegabytes = brokerPSS
        idleBrokerPSSMegabytes = idleBrokerPSS
    }

    var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    var text: String {
        """
        \(bodies); \(messages); window \(window), \(payload) bytes, durable, CURVE
          \(Self.round(requestsPerSecond, 0)) requests/s   (\(requests) in \(Self.round(seconds, 1)) s, \(failures) failed)
          latency p50 \(Self.round(p50Microseconds, 0)) µs   p99 \(Self.round(p99Microseconds, 0)) µs   p99.9 \
        \(Self.round(p999Microseconds, 0)) µs   max \(Self.round(maxMicroseconds, 0)) µs
          CPU     broker \(Self.round(brokerCPUSeconds, 2)) s (\(Self.round(brokerCPUMicrosecondsPerRequest, 1)) µs/request)   \
        requester \(Self.round(requesterCPUSeconds, 2)) s   responder \(Self.round(responderCPUSeconds, 2)) s
          broker  \(Self.round(idleBrokerPSSMegabytes, 1)) MB at rest, \(Self.round(brokerPSSMegabytes, 1)) MB after (PSS)
        """
    }

    private static func round(_ value: Double, _ places: Int) -> String { String(format: "%.\(places)f", value) }
}
