/// The declared stage of an integration: what the plan says about it.
///
/// planned → in-development → testing → approved → retired, or cancelled from any stage before approval.
package enum Stage: UInt8, Sendable, Codable, Hashable, CaseIterable {
    case planned, inDevelopment, testing, approved, retired, cancelled

    /// The stable name used in the space file, the console and the reports.
    package var name: String {
        switch self {
        case .planned: "planned"
        case .inDevelopment: "in-development"
        case .testing: "testing"
        case .approved: "approved"
        case .retired: "retired"
        case .cancelled: "cancelled"
        }
    }

    /// The stage of that stable name, or nil.
    package init?(name: String) {
        guard let stage = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = stage
    }

    /// A right to exchange exists in these stages only; in every other the bus refuses.
    package var carriesTraffic: Bool { self == .testing || self == .approved }

    /// Nothing more is expected from the integration.
    package var isClosed: Bool { self == .retired || self == .cancelled }
}

/// The observed state of an integration: what its traffic says about it.
///
/// The cases stand in the order of the rule (`StateRule`): the first that matches wins.
package enum ObservedState: UInt8, Sendable, Codable, Hashable, CaseIterable {
    case nonFunctional, degraded, dormant, implemented, testing, silent

    /// The stable name used in the journal, the console and the reports.
    package var name: String {
        switch self {
        case .nonFunctional: "non-functional"
        case .degraded: "degraded"
        case .dormant: "dormant"
        case .implemented: "implemented"
        case .testing: "testing"
        case .silent: "silent"
        }
    }

    /// How bad the state is: 2 non-functional, 1 degraded, 0 any other. Only a step down passes through `Recovery`.
    var severity: Int {
        switch self {
        case .nonFunctional: 2
        case .degraded: 1
        case .dormant, .implemented, .testing, .silent: 0
        }
    }
}
