import BusConsole
import Foundation

/// Asks the admin API of a broker on this machine.
struct AdminClient: Sendable {
    static let deadline = Duration.seconds(20)
    /// Code of an answer that did not come in time: there is a broker, and it has other work.
    static let tooSlow = "too-slow"

    private let exchange: HTTPExchange
    private let token: String?
    /// Why there is no token; nil when there is one.
    private let tokenProblem: ConsoleError?
    private let tokenPath: String

    /// - Parameters:
    ///   - address: `http://127.0.0.1:7480`, or without the scheme.
    ///   - data: The broker's data folder, where the token is.
    init(address: String, data: String) throws(Failure) {
        let plain = address.hasPrefix("http://") ? String(address.dropFirst(7)) : address
        let parts = plain.split(separator: "/", maxSplits: 1).first.map(String.init) ?? ""
        guard let colon = parts.lastIndex(of: ":"), let port = UInt16(parts[parts.index(after: colon)...]),
            let host = LoopbackAddress(String(parts[..<colon]))
        else {
            throw .wrongUse(
                "`\(address)` is no address of an admin API",
                why: "it listens on the loopback interface only, HOST:PORT",
                next: "use --http http://127.0.0.1:7480; from another machine: ssh -L 7480:127.0.0.1:7480 HOST")
        }
        exchange = HTTPExchange(host: host.host, port: port)
        tokenPath = AdminToken.path(in: data)
        do throws(ConsoleError) {
            token = try AdminToken.read(tokenPath).reveal()
            tokenProblem = nil
        } catch {
            token = nil
            tokenProblem = error
        }
    }

    /// The address as people write it.
    var address: String { "http://\(exchange.host):\(exchange.port)" }

    func get<Page: Decodable>(
        _ type: Page.Type, _ path: String, within deadline: Duration = Self.deadline
    ) throws(Failure) -> (page: Page, raw: Data) {
        try page(type, "GET", path, nil, deadline)
    }

    func post<Page: Decodable>(
        _ type: Page.Type, _ path: String, _ body: some Encodable, within deadline: Duration = Self.deadline
    ) throws(Failure) -> (page: Page, raw: Data) {
        let bytes: Data
        do { bytes = try AdminJSON.encode(body) } catch {
            throw .wrongUse("the request cannot be written", why: "\(error)", next: "check the arguments")
        }
        return try page(type, "POST", path, bytes, deadline)
    }

    private func page<Page: Decodable>(
        _ type: Page.Type, _ method: String, _ path: String, _ body: Data?, _ deadline: Duration
    ) throws(Failure) -> (page: Page, raw: Data) {
        let response: HTTPExchange.Response
        do throws(HTTPExchange.Problem) {
            response = try exchange.send(method, path, token: token, body: body, within: deadline)
        } catch {
            throw Failure(
                .unreachable, error.isLate ? Self.tooSlow : "unreachable",
                "the broker's admin API at \(address) does not answer",
                why: error.description,
                next: "start a broker with kerege up, name its address with --http, or look closer with kerege doctor")
        }
        guard response.status == 200 else { throw refusal(response) }
        do { return (try AdminJSON.decode(type, from: response.body), response.body) } catch {
            throw Failure(
                .unreachable, "foreign-answer", "\(address) gave an answer that is not the admin API's",
                why: "\(error)",
                next: "check with --version that kerege and the broker are of one version")
        }
    }

    private func refusal(_ response: HTTPExchange.Response) -> Failure {
        guard let error = try? AdminJSON.decode(AdminError.self, from: response.body) else {
            return Failure(
                .unreachable, "foreign-answer", "\(address) answered with HTTP \(response.status)",
                why: "this is not the admin API of a broker", next: "name its address with --http")
        }
        if response.status == 401 {
            return .wrongUse(
                "the broker at \(address) refuses the token",
                why: tokenProblem.map { "there is no token to show: \($0)" }
                    ?? "\(tokenPath) belongs to another broker",
                next: access(tokenPath, F_OK) == 0 && tokenProblem != nil
                    ? "do what it says there, then this again" : "name the broker's data folder with --data DIR")
        }
        var failure = Failure(
            response.status == 400 ? .wrongUse : .no, error.error.code, error.error.what, why: error.error.why,
            next: error.error.next)
        failure.findings = error.findings ?? []
        return failure
    }
}

extension SpaceFinding {
    /// In the shape editors and CI annotate from.
    var text: String { "\(file):\(line):\(column): \(severity): \(what) — \(right)" }
}
