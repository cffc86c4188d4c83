/// Every flow of the space, by the name that agents' files use.
package enum Flows {
    package static let all: [Flow] =
        portal + notary + counter + outside + registers + offices + citizens + ownWork

    /// The flow of this name; nil if there is none.
    package static func named(_ name: String) -> Flow? { byName[name] }

    /// Which system asks which service: the integrations that the flows need, each once, sorted.
    package static var integrations: [(consumer: String, service: String)] {
        var seen: Set<String> = []
        let pairs = all.flatMap { flow in flow.services.map { (consumer: flow.consumer, service: $0) } }
        return pairs.filter { seen.insert($0.consumer + " " + $0.service).inserted }
            .sorted { ($0.consumer, $0.service) < ($1.consumer, $1.service) }
    }

    private static let byName = Dictionary(all.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
}
