import BusAgent
import BusBroker
import BusConsole
import BusDirectory
import Foundation
import Logging

/// HTTP to the console of a broker in this process: every input is a connection of its own.
final class AdminFuzz: Sendable {
    private let folder: String
    private let broker: Broker
    private let serving: Task<Void, any Error>
    private let port: UInt16
    private let mutator: Mutator

    init() async throws {
        let silent = Logger(label: "fuzz", factory: { _ in SwiftLogNoOpLogHandler() })
        folder = NSTemporaryDirectory() + "/kerege-fuzz-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        guard let space = Space.load([SpaceFile(name: "s.yaml", text: SmallSpace.text)]).space else {
            throw Broken(what: "the small space is broken")
        }
        let key = try KeyFile.create(name: "broker", in: folder + "/keys")
        broker = try Broker(
            BrokerConfiguration(
                listen: "tcp://127.0.0.1:*", data: folder, name: "broker-1", secretKey: key.curveSecret, space: space),
            logger: silent)
        let console = try Console(broker: broker, journalFolder: folder, port: 0, dataFolder: folder, logger: silent)
        serving = Task { try await console.run() }
        port = UInt16(await console.boundPort ?? 0)
        let token = try AdminToken.read(AdminToken.path(in: folder)).reveal()
        mutator = Mutator(
            vectors: Self.valid(token),
            words: ["/v1/status", "%00", "%ff", "..", "?state=", "&stage=", "Content-Length: 0\r\n", "\r\n\r\n"]
                .map { Array($0.utf8) }
                + ["Transfer-Encoding: chunked\r\n", "{}", "[]", "\"files\"", "\\u0000", "null"].map { Array($0.utf8) },
            mend: { bytes, random in Self.mend(&bytes, token) })
    }

    func stop() async {
        serving.cancel()
        _ = try? await serving.value
        await broker.stop()
        try? FileManager.default.removeItem(atPath: folder)
    }

    var target: FuzzTarget {
        FuzzTarget(name: "admin", fewInputs: 300) { [mutator] in
            $0.below(3) == 0 ? Self.otherPath(mutator.vectors, &$0) : mutator.grow(&$0)
        } judge: {
            try self.judge($0)
        }
    }

    /// A request HTTP can read, with another path: what the console's own routes are asked.
    private static func otherPath(_ vectors: [[UInt8]], _ random: inout SplitMix) -> [UInt8] {
        let request = random.one(of: vectors)
        let parts = request.split(separator: UInt8(ascii: " "), maxSplits: 2)
        guard parts.count == 3 else { return request }
        let tails = [
            "", "/", "/x", "%00", "%ff", "?state=", "?since=-1", "?limit=99999999999", "/../v1/status", "?%", "//",
        ]
        return Array(parts[0]) + [0x20] + Array(parts[1]) + Array(random.one(of: tails).utf8) + [0x20] + Array(parts[2])
    }

    private func judge(_ request: [UInt8]) throws -> Verdict {
        let answer = try exchange(request)
        guard let first = answer.split(separator: UInt8(ascii: "\r"), maxSplits: 1).first else {
            // An unfinished request: the server waits for the rest, which never comes, and closes.
            return Verdict(isPastHead: false, outcomes: ["closed"])
        }
        let line = String(decoding: first, as: UTF8.self).split(separator: " ")
        guard line.count > 1, line[0] == "HTTP/1.1", let status = Int(line[1]) else {
            throw Broken(what: "no HTTP: \(String(decoding: answer.prefix(80), as: UTF8.self))")
        }
        guard status < 500 else { throw Broken(what: String(decoding: answer.suffix(600), as: UTF8.self)) }
        let text = String(decoding: answer, as: UTF8.self)
        let code = text.firstRange(of: "\"code\":\"").map { text[$0.upperBound...].prefix { $0 != "\"" } } ?? ""
        // 400 without words of ours is the parser of HTTP.
        return Verdict(isPastHead: status != 401 && (status != 400 || !code.isEmpty), outcomes: ["\(status) \(code)"])
    }

    /// Sends, says that nothing more comes, and reads to the end.
    private func exchange(_ request: [UInt8]) throws -> [UInt8] {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var wait = timeval(tv_sec: 15, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw Broken(what: "the console does not listen any more: \(errno)") }
        // The server may have refused and closed before everything is sent.
        _ = send(descriptor, request, request.count, Int32(MSG_NOSIGNAL))
        shutdown(descriptor, Int32(SHUT_WR))
        var answer: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 16 * 1024)
        while true {
            let size = recv(descriptor, &part, part.count, 0)
            if size > 0 {
                answer += part[0..<size]
            } else if size == 0 || errno == ECONNRESET {
                return answer
            } else {
                throw Broken(what: "no answer within 15 s")
            }
        }
    }

    // MARK: - Valid requests

    private static func valid(_ token: String) -> [[UInt8]] {
        func get(_ path: String) -> [UInt8] {
            Array("GET \(path) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\n\r\n".utf8)
        }
        func post(_ path: String, _ body: String) -> [UInt8] {
            let head = "POST \(path) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\n"
            return Array((head + "Content-Length: \(body.utf8.count)\r\n\r\n" + body).utf8)
        }
        let text = (try? JSONEncoder().encode(SmallSpace.text)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let files = #"{"files":[{"name":"s.yaml","text":\#(text)}]}"#
        return [
            get("/v1/health"), get("/v1/status"), get("/v1/systems"), get("/v1/services"), get("/v1/agents"),
            get("/v1/integrations?state=silent&stage=approved"), get("/v1/integrations?stage=testing"),
            get("/v1/messages/01900000-0000-7000-8000-000000000001"), get("/v1/journal"), get("/v1/space"),
            post("/v1/space/check", files), post("/v1/space/diff", files), post("/v1/space/check", #"{"files":[]}"#),
            post("/v1/space/apply", #"{"files":[{"name":"s.yaml","text":"space: {id: x}"}]}"#),
        ]
    }

    /// The token and the length of the body as they should be.
    private static func mend(_ bytes: inout [UInt8], _ token: String) {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = text.firstRange(of: "\r\n\r\n") else { return }
        let body = text[end.upperBound...]
        let lines = text[..<end.lowerBound].components(separatedBy: "\r\n").filter {
            !$0.hasPrefix("Authorization") && !$0.hasPrefix("Content-Length") && $0.contains(":")
                || $0.contains(" HTTP/")
        }
        let head = lines + ["Authorization: Bearer \(token)", "Content-Length: \(body.utf8.count)"]
        bytes = Array((head.joined(separator: "\r\n") + "\r\n\r\n" + body).utf8)
    }
}
