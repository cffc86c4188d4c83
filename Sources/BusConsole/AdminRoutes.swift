import Foundation
import Hummingbird

/// Every route of the admin API. `Schemas/admin.openapi.yaml` describes the same ones; a test holds both together.
package enum AdminRoutes {
    /// Largest body of a request, bytes.
    package static let bodyLimit = 4 * 1024 * 1024

    typealias Context = BasicRequestContext
    typealias Handler = @Sendable (AdminAnswers, Request, Context) async throws -> Response

    struct Route: Sendable {
        let method: HTTPRequest.Method
        /// With parameters in braces, as OpenAPI writes them.
        let path: String
        var isOpen = false
        let handler: Handler
    }

    /// `GET /v1/status`, …, in the order of this list.
    package static var names: [String] { all.map { "\($0.method.rawValue) \($0.path)" } }

    static let all: [Route] = [
        Route(method: .get, path: "/v1/health", isOpen: true) { answers, _, _ in AdminJSON.response(answers.health) },
        Route(method: .get, path: "/v1/status") { answers, _, _ in AdminJSON.response(answers.status()) },
        Route(method: .get, path: "/v1/systems") { answers, _, _ in AdminJSON.response(answers.systems()) },
        Route(method: .get, path: "/v1/services") { answers, _, _ in AdminJSON.response(answers.services()) },
        Route(method: .get, path: "/v1/integrations") { answers, request, _ in
            let query = request.uri.queryParameters
            return AdminJSON.response(
                try answers.integrations(state: query["state"].map(String.init), stage: query["stage"].map(String.init))
            )
        },
        Route(method: .get, path: "/v1/agents") { answers, _, _ in AdminJSON.response(answers.agents()) },
        Route(method: .get, path: "/v1/messages/{id}") { answers, request, context in
            AdminJSON.response(try await answers.trace(try named(request, context)))
        },
        Route(method: .get, path: "/v1/messages/{id}/evidence") { answers, request, context in
            AdminJSON.response(bytes: try await answers.evidence(try named(request, context)))
        },
        Route(method: .get, path: "/v1/access") { answers, request, _ in
            let query = request.uri.queryParameters
            let wanted = try AccessQuery(now: answers.now) { name in query[Substring(name)].map(String.init) }
            return AdminJSON.response(try await answers.accesses(wanted))
        },
        Route(method: .get, path: "/v1/checkpoint") { answers, _, _ in
            AdminJSON.response(text: try await answers.checkpoint())
        },
        Route(method: .get, path: "/v1/checkpoint/consistency") { answers, request, _ in
            AdminJSON.response(
                try await answers.consistency(from: request.uri.queryParameters["from"].map(String.init)))
        },
        Route(method: .get, path: "/v1/queues") { answers, request, _ in
            let query = request.uri.queryParameters
            return AdminJSON.response(try await answers.queues(system: query["system"].map(String.init)))
        },
        Route(method: .get, path: "/v1/dead-letters") { answers, request, _ in
            let query = request.uri.queryParameters
            let filter = try AdminAnswers.LetterFilter { name in query[Substring(name)].map(String.init) }
            return AdminJSON.response(try await answers.deadLetters(filter))
        },
        Route(method: .post, path: "/v1/resend") { answers, request, _ in
            let example = #"{"letters": [{"id": "…", "receiver": "…"}]}"#
            return AdminJSON.response(
                try await answers.resend(try await body(ResendOrder.self, request, example: example)))
        },
        Route(method: .post, path: "/v1/replay") { answers, request, _ in
            let example = #"{"event": "…", "system": "…", "from": "beginning"}"#
            return AdminJSON.response(
                try await answers.replay(try await body(ReplayOrder.self, request, example: example)))
        },
        Route(method: .get, path: "/v1/journal") { answers, _, _ in AdminJSON.response(answers.journal()) },
        Route(method: .get, path: "/v1/space") { answers, _, _ in AdminJSON.response(bytes: answers.space()) },
        Route(method: .post, path: "/v1/space/check") { answers, request, _ in
            AdminJSON.response(answers.check(try await space(request)))
        },
        Route(method: .post, path: "/v1/space/diff") { answers, request, _ in
            AdminJSON.response(try answers.diff(try await space(request)))
        },
        Route(method: .post, path: "/v1/space/apply") { answers, request, _ in
            AdminJSON.response(try await answers.apply(try await space(request)))
        },
        Route(method: .get, path: "/v1/drain") { answers, _, _ in AdminJSON.response(await answers.drainPage()) },
        Route(method: .post, path: "/v1/drain") { answers, request, _ in
            let order = try await body(DrainOrder.self, request, example: #"{"stop": true}"#, orNone: DrainOrder())
            return AdminJSON.response(await answers.drain(order))
        },
    ]

    static func router(_ answers: AdminAnswers, _ token: AdminToken) -> Router<Context> {
        let router = Router(context: Context.self)
        router.add(middleware: Explainer(routes: names))
        router.add(middleware: Gate(token: token, openPaths: Set(all.filter(\.isOpen).map(\.path))))
        for route in all {
            router.on(RouterPath(route.path), method: route.method) { request, context in
                try await route.handler(answers, request, context)
            }
        }
        return router
    }

    /// The message of a path, and which of several under its id.
    private static func named(_ request: Request, _ context: Context) throws(AdminError) -> NamedMessage {
        try NamedMessage(
            context.parameters.get("id") ?? "", position: request.uri.queryParameters["position"].map(String.init))
    }

    /// The files of a space out of a request's body.
    private static func space(_ request: Request) async throws -> SpaceFiles {
        try await body(
            SpaceFiles.self, request, example: #"{"files": [{"name": "space.yaml", "text": "…"}]}"#)
    }

    /// - Parameters:
    ///   - example: what would be right.
    ///   - orNone: what an empty body means; nil: it is refused.
    private static func body<Value: Decodable>(
        _ type: Value.Type, _ request: Request, example: String, orNone: Value? = nil
    ) async throws -> Value {
        let bytes: ByteBuffer
        do { bytes = try await request.body.collect(upTo: bodyLimit) } catch {
            throw AdminError(
                413, "too-large", "the body is larger than \(bodyLimit) bytes", why: "every request fits into far less",
                next: "of a space, send only its YAML files")
        }
        if bytes.readableBytes == 0, let orNone { return orNone }
        do { return try AdminJSON.decode(type, from: Data(bytes.readableBytesView)) } catch {
            throw AdminError.badRequest("the body cannot be read", why: explain(error), next: "send \(example)")
        }
    }

    /// Where a body is wrong, without repeating it.
    private static func explain(_ error: any Error) -> String {
        guard let error = error as? DecodingError else { return "it is not JSON" }
        func place(_ path: [any CodingKey]) -> String {
            path.isEmpty
                ? "the whole" : path.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: "/")
        }
        return switch error {
        case .keyNotFound(let key, let context):
            "the member `\(key.stringValue)` is missing in \(place(context.codingPath))"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            "the wrong type stands in \(place(context.codingPath))"
        case .dataCorrupted: "it is not JSON"
        @unknown default: "it is not JSON"
        }
    }
}
