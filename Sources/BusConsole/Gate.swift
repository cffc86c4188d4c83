import Hummingbird
import Logging

/// Lets nobody in without the token, but for the routes that say so.
struct Gate<Context: RequestContext>: RouterMiddleware {
    let token: AdminToken
    let openPaths: Set<String>

    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        if openPaths.contains(request.uri.path) { return try await next(request, context) }
        let scheme = "Bearer "
        guard let offered = request.headers[.authorization], offered.hasPrefix(scheme) else {
            throw refusal(
                "the request carries no token", "every route but /v1/health needs `Authorization: Bearer TOKEN`")
        }
        guard token.matches(offered.utf8.dropFirst(scheme.utf8.count)) else {
            throw refusal("the token is not this broker's", "it was made for another data folder, or mistyped")
        }
        return try await next(request, context)
    }

    private func refusal(_ what: String, _ why: String) -> AdminError {
        AdminError(
            401, "no-token", what, why: why,
            next: "take the token from DATA/\(AdminToken.fileName); with the command line: kerege status --data DATA")
    }
}

/// Turns everything that goes wrong into the one shape of errors.
struct Explainer<Context: RequestContext>: RouterMiddleware {
    let routes: [String]

    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as AdminError {
            return error.response
        } catch let error as HTTPError where error.status == .notFound {
            return unknownRoute(request).response
        } catch let error as HTTPError {
            return AdminError(
                error.status.code, "http", "the request cannot be served: \(error.body ?? error.status.reasonPhrase)",
                why: "HTTP says \(error.status.code)", next: "compare it with Schemas/admin.openapi.yaml"
            ).response
        } catch {
            context.logger.error(
                "an admin request failed", metadata: ["path": "\(request.uri.path)", "why": "\(error)"])
            return AdminError(
                500, "internal", "the broker failed while answering", why: "\(error)",
                next: "look into the broker's log"
            ).response
        }
    }

    private func unknownRoute(_ request: Request) -> AdminError {
        var error = AdminError(
            404, "no-such-route", "there is no \(request.method.rawValue) \(request.uri.path)",
            why: "the path or the method is not one of the admin API",
            next: "use one of `routes`; GET /v1/status is the first")
        error.routes = routes
        return error
    }
}
