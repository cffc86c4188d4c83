/// A system of the space and its passport. Only identity, owner and status are needed to run; what else is nil or empty
/// has not been filled in, and `Passport` counts it.
package struct InformationSystem: Sendable, Codable, Equatable {
    package enum Status: String, Sendable, Codable, CaseIterable {
        case development, trial, operation, retired
    }

    /// `real-estate`; the first part of its services' names.
    package var id: String
    package var shortName: String?
    package var name: LocalizedName
    package var uuid: String?
    /// Agency.
    package var owner: String
    /// Agency.
    package var `operator`: String?
    package var purpose: String?
    package var topics: [String]
    package var contacts: Contacts?
    package var legislation: [String]
    package var storedData: [String]
    package var functions: [Function]
    package var security: Security?
    package var status: Status
    package var commissioned: CalendarDate?
    package var hosting: String?
    /// How old its data may be before the system counts as non-functional.
    package var freshness: Milliseconds?

    package struct Contacts: Sendable, Codable, Equatable {
        package var office: String?
        package var email: String?
        package var phone: String?

        package init(office: String? = nil, email: String? = nil, phone: String? = nil) {
            self.office = office
            self.email = email
            self.phone = phone
        }
    }

    /// A function of the system. It is automated when every operation was seen on the bus; one without operations is not.
    package struct Function: Sendable, Codable, Equatable {
        package var name: String
        /// Names of the system's own services and event types.
        package var operations: [String]

        package init(name: String, operations: [String]) {
            self.name = name
            self.operations = operations
        }
    }

    package struct Security: Sendable, Codable, Equatable {
        package enum Level: String, Sendable, Codable, CaseIterable { case low, medium, high }

        /// Class of the informatisation object, 1 (highest) to 3.
        package var `class`: Int?
        package var level: Level?
        package var lastAudit: CalendarDate?

        package init(class: Int? = nil, level: Level? = nil, lastAudit: CalendarDate? = nil) {
            self.class = `class`
            self.level = level
            self.lastAudit = lastAudit
        }
    }

    package init(
        id: String, shortName: String? = nil, name: LocalizedName = LocalizedName(), uuid: String? = nil, owner: String,
        operator: String? = nil, purpose: String? = nil, topics: [String] = [], contacts: Contacts? = nil,
        legislation: [String] = [], storedData: [String] = [], functions: [Function] = [], security: Security? = nil,
        status: Status, commissioned: CalendarDate? = nil, hosting: String? = nil, freshness: Milliseconds? = nil
    ) {
        self.id = id
        self.shortName = shortName
        self.name = name
        self.uuid = uuid
        self.owner = owner
        self.operator = `operator`
        self.purpose = purpose
        self.topics = topics
        self.contacts = contacts
        self.legislation = legislation
        self.storedData = storedData
        self.functions = functions
        self.security = security
        self.status = status
        self.commissioned = commissioned
        self.hosting = hosting
        self.freshness = freshness
    }
}
