/// The routes of an agent by their names, so that each is made once.
struct KeptRoutes: Sendable {
    private var byName: [String: Route] = [:]
    /// The one that was taken last: calls come in runs of one name.
    private var last: Route?

    mutating func find(_ name: String) -> Route? {
        if let last, last.name == name { return last }
        guard let found = byName[name] else { return nil }
        last = found
        return found
    }

    /// In the place of the one with the same name.
    mutating func keep(_ route: Route) {
        if byName.count >= Agent.keptRoutes { byName.removeAll() }
        byName[route.name] = route
        last = route
    }
}
