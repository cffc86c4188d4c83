/// How completely the passports of the systems are filled in.
package enum Passport {
    /// The mandatory fields, in the order of the passport. `contacts` wants a way to reach somebody: an address or a phone.
    package enum Field: String, Sendable, Codable, CaseIterable {
        case shortName
        case nameKk = "name.kk"
        case nameRu = "name.ru"
        case nameEn = "name.en"
        case uuid
        case owner
        case ownerBIN = "owner.bin"
        case `operator`
        case purpose
        case topics
        case contacts
        case legislation
        case storedData
        case functions
        /// Given or used: at least one service of its own or one integration.
        case services
        case securityClass = "security.class"
        case securityLevel = "security.level"
        case lastAudit = "security.lastAudit"
        case status
        case commissioned
        case hosting
        case freshness
    }

    package struct Filling: Sendable, Codable, Equatable {
        /// Valid mandatory fields that are filled in.
        package var filled: Int
        package var mandatory: Int
        /// Nil when there is nothing to fill.
        package var percent: Double? { mandatory == 0 ? nil : Double(filled) * 100 / Double(mandatory) }
        /// System → mandatory fields that are empty or not valid; only systems that have some.
        package var missing: [String: [Field]]

        package init(filled: Int, mandatory: Int, missing: [String: [Field]]) {
            self.filled = filled
            self.mandatory = mandatory
            self.missing = missing
        }
    }

    /// Filling of the architectural portal: filled valid mandatory fields over mandatory fields, of all systems that are
    /// not retired.
    ///
    /// - Parameter day: Today; an audit or commissioning later than that is not valid. Nil leaves days unchecked.
    package static func filling(of space: Space, on day: CalendarDate? = nil) -> Filling {
        var filling = Filling(filled: 0, mandatory: 0, missing: [:])
        let withBIN = Set(space.agencies.filter { $0.bin.map(Identifiers.isBIN) ?? false }.map(\.id))
        let agencies = Set(space.agencies.map(\.id))
        let connected = Set(space.services.map(\.system)).union(space.integrations.map(\.consumer))
        for system in space.systems where system.status != .retired {
            let missing = Field.allCases.filter { field in
                switch field {
                case .owner: !agencies.contains(system.owner)
                case .ownerBIN: !withBIN.contains(system.owner)
                case .operator: !(system.operator.map(agencies.contains) ?? false)
                case .services: !connected.contains(system.id)
                default: !isFilled(field, in: system, on: day)
                }
            }
            filling.mandatory += Field.allCases.count
            filling.filled += Field.allCases.count - missing.count
            if !missing.isEmpty { filling.missing[system.id] = missing }
        }
        return filling
    }

    /// The fields that need nothing but the system itself.
    private static func isFilled(_ field: Field, in system: InformationSystem, on day: CalendarDate?) -> Bool {
        func has(_ text: String?) -> Bool { text.map { !$0.isEmpty } ?? false }
        func isPast(_ date: CalendarDate?) -> Bool {
            guard let date else { return false }
            return day.map { date <= $0 } ?? true
        }
        return switch field {
        case .shortName: has(system.shortName)
        case .nameKk: has(system.name.kk)
        case .nameRu: has(system.name.ru)
        case .nameEn: has(system.name.en)
        case .uuid: system.uuid.map(Identifiers.isUUID) ?? false
        case .purpose: has(system.purpose)
        case .topics: !system.topics.isEmpty
        case .contacts: has(system.contacts?.email) || has(system.contacts?.phone)
        case .legislation: !system.legislation.isEmpty
        case .storedData: !system.storedData.isEmpty
        case .functions: !system.functions.isEmpty
        case .securityClass: system.security?.class.map { (1...3).contains($0) } ?? false
        case .securityLevel: system.security?.level != nil
        case .lastAudit: isPast(system.security?.lastAudit)
        case .commissioned: isPast(system.commissioned)
        case .hosting: has(system.hosting)
        case .freshness: system.freshness != nil
        case .status: true
        case .owner, .ownerBIN, .operator, .services: false
        }
    }
}
