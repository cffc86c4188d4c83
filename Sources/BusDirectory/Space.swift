package import BusEvidence

/// The space: who is on the bus, what they offer, and who may use it. A value without identity; see `SpaceSnapshot`.
///
/// Every list is sorted by its identifier, so the order of files and of entries changes nothing.
package struct Space: Sendable, Codable, Equatable {
    package var id: String
    package var title: LocalizedName
    /// The space of a demonstration: its windows are shortened, and screens say so.
    package var isDemo: Bool
    /// One sentence shown beside the title.
    package var note: String?
    package var broker: BrokerFacts
    package var thresholds: Thresholds
    package var agencies: [Agency]
    package var systems: [InformationSystem]
    package var services: [OfferedService]
    package var integrations: [Integration]
    package var keys: [AgentKey]
    /// Keys to which messages for the systems are sealed. Absent in a snapshot without any, so that those of before there were
    /// seals keep their bytes.
    package var seals: [SystemSeal] {
        get { sealsIfAny ?? [] }
        set { sealsIfAny = newValue.isEmpty ? nil : newValue }
    }
    private var sealsIfAny: [SystemSeal]?

    private enum CodingKeys: String, CodingKey {
        case id, title, isDemo, note, broker, thresholds, agencies, systems, services, integrations, keys
        case sealsIfAny = "seals"
    }

    package init(
        id: String, title: LocalizedName, isDemo: Bool = false, note: String? = nil, broker: BrokerFacts,
        thresholds: Thresholds = .production, agencies: [Agency] = [], systems: [InformationSystem] = [],
        services: [OfferedService] = [], integrations: [Integration] = [], keys: [AgentKey] = [],
        seals: [SystemSeal] = []
    ) {
        self.id = id
        self.title = title
        self.isDemo = isDemo
        self.note = note
        self.broker = broker
        self.thresholds = thresholds
        self.agencies = agencies.sorted { $0.id < $1.id }
        self.systems = systems.sorted { $0.id < $1.id }
        self.services = services.sorted { $0.name < $1.name }
        self.integrations = integrations.sorted { $0.id < $1.id }
        self.keys = keys.sorted { ($0.agent, $0.curve) < ($1.agent, $1.curve) }
        self.seals = seals.sorted { ($0.system, $0.seal) < ($1.system, $1.seal) }
    }

    /// The same space with every list in order again, whatever was done to it.
    var inOrder: Space {
        Space(
            id: id, title: title, isDemo: isDemo, note: note, broker: broker, thresholds: thresholds,
            agencies: agencies,
            systems: systems, services: services, integrations: integrations,
            keys: keys.map {
                AgentKey(
                    agent: $0.agent, systems: $0.systems, curve: $0.curve, sign: $0.sign, validity: $0.validity,
                    roles: $0.roles, quota: $0.quota)
            }, seals: seals)
    }

    /// What files leave out stays as it is: the keys when they carry none, and what the space says of the broker's keys.
    /// - Returns: the whole, and whether the keys are those in force.
    package func completed(from inForce: Space) -> (space: Space, keysKept: Bool) {
        var space = self
        let keysKept = keys.isEmpty && seals.isEmpty && !inForce.keys.isEmpty
        if keysKept {
            let systems = Set(systems.map(\.id))
            // Keys that are kept speak only for systems that are still there.
            space.keys = inForce.keys.compactMap { key in
                var kept = key
                kept.systems = key.systems.filter(systems.contains)
                return kept.systems.isEmpty && !key.systems.isEmpty ? nil : kept
            }
            space.seals = inForce.seals.filter { systems.contains($0.system) }
        }
        if space.broker.curve == nil { space.broker.curve = inForce.broker.curve }
        if space.broker.sign == nil { space.broker.sign = inForce.broker.sign }
        return (space, keysKept)
    }
}

extension Space {
    /// The name of the broker's log: the origin of its checkpoints.
    package var logName: String { "\(id)/\(broker.id)" }
}

/// A name in Kazakh, Russian and English; what is nil has not been filled in.
package struct LocalizedName: Sendable, Codable, Equatable {
    package var kk: String?
    package var ru: String?
    package var en: String?

    package init(kk: String? = nil, ru: String? = nil, en: String? = nil) {
        self.kk = kk
        self.ru = ru
        self.en = en
    }

    /// The first that is filled: English, Russian, Kazakh.
    package var anything: String? { en ?? ru ?? kk }
}

/// What everybody may know about the broker.
package struct BrokerFacts: Sendable, Codable, Equatable {
    package var id: String
    /// Where agents connect, `tcp://host:port`.
    package var endpoint: String
    /// The page and admin API, `http://host:port`.
    package var console: String?
    /// CURVE public key in Z85; agents refuse a broker with another key.
    package var curve: String?
    /// Ed25519 public key with which the broker signs the roots of its log, 64 hexadecimal digits.
    package var sign: String?

    package init(
        id: String, endpoint: String, console: String? = nil, curve: String? = nil, sign: String? = nil
    ) {
        self.sign = sign
        self.id = id
        self.endpoint = endpoint
        self.console = console
        self.curve = curve
    }
}

/// An owner or operator of systems.
package struct Agency: Sendable, Codable, Equatable {
    package var id: String
    package var name: LocalizedName
    /// Business identification number, 12 digits, check digit verified.
    package var bin: String?

    package init(id: String, name: LocalizedName, bin: String? = nil) {
        self.id = id
        self.name = name
        self.bin = bin
    }
}

/// A service or an event type that a system offers to the bus.
package struct OfferedService: Sendable, Codable, Equatable {
    package enum Kind: String, Sendable, Codable, CaseIterable { case request, command, event }

    /// `system.name.vN`.
    package var name: String
    /// Name of the contract in the schema folder; the service's own name unless given.
    package var contract: String
    package var kind: Kind
    /// Provider: the first part of the name.
    package var system: String
    /// Request: the longest wait for a reply. Command: how long it stays deliverable. Nil for events.
    package var deadline: Milliseconds?
    /// Request: the 95th percentile its owner promises.
    package var promisedP95: Milliseconds?
    /// How old its data may be.
    package var freshness: Milliseconds?
    /// Commands and events: when they are tried again. Nil: `RetryTerms.standard`.
    package var retry: RetryTerms?
    /// Commands and events: how long bodies, of outcomes as well, are kept after the message is final for all its receivers. Nil:
    /// for ever.
    package var retention: Milliseconds?

    package init(
        name: String, contract: String? = nil, kind: Kind, system: String, deadline: Milliseconds? = nil,
        promisedP95: Milliseconds? = nil, freshness: Milliseconds? = nil, retry: RetryTerms? = nil,
        retention: Milliseconds? = nil
    ) {
        self.retry = retry
        self.retention = retention
        self.name = name
        self.contract = contract ?? name
        self.kind = kind
        self.system = system
        self.deadline = deadline
        self.promisedP95 = promisedP95
        self.freshness = freshness
    }
}

/// The right of a system to use a service or to receive an event type, and the plan it comes from.
package struct Integration: Sendable, Codable, Equatable {
    package enum Stage: String, Sendable, Codable, CaseIterable {
        case planned
        case inDevelopment = "in-development"
        case testing
        case approved
        case retired
        case cancelled

        /// Only these two open the way for messages.
        package var permitsTraffic: Bool { self == .testing || self == .approved }
    }

    package var id: String
    package var consumer: String
    /// Name of a service or event type.
    package var service: String
    /// Agency that answers for the integration being done.
    package var owner: String
    package var planYear: Int
    package var due: CalendarDate
    package var stage: Stage
    /// Day it was added to the plan after the baseline of its year was closed; nil: it is in the baseline.
    package var added: CalendarDate?
    /// Declared cost.
    package var manDays: Int?
    /// What its consumer may send through it; nil: what the broker can take.
    package var quota: TrafficQuota?
    /// Why the consumer asks: stands in the header of a call that names no purpose of its own.
    package var purpose: String?

    package var isBaseline: Bool { added == nil }

    package init(
        id: String, consumer: String, service: String, owner: String, planYear: Int, due: CalendarDate, stage: Stage,
        added: CalendarDate? = nil, manDays: Int? = nil, quota: TrafficQuota? = nil, purpose: String? = nil
    ) {
        self.quota = quota
        self.purpose = purpose
        self.id = id
        self.consumer = consumer
        self.service = service
        self.owner = owner
        self.planYear = planYear
        self.due = due
        self.stage = stage
        self.added = added
        self.manDays = manDays
    }
}

/// An agent or a person's tool: who holds the keys, and for which systems it may speak. An agent may have several entries whose
/// times overlap: that is how its keys are changed without a break.
package struct AgentKey: Sendable, Codable, Equatable {
    package enum Role: String, Sendable, Codable, CaseIterable {
        /// May call as any system for diagnosis, resend, and apply a space.
        case `operator`
        /// May read evidence.
        case auditor
    }

    package var agent: String
    /// Sorted.
    package var systems: [String]
    /// CURVE public key, Z85, 40 characters.
    package var curve: String
    /// Ed25519 public key, 64 lower-case hexadecimal digits. Who has one signs every message; nil: an agent of before.
    package var sign: String?
    /// First day; nil: from the beginning.
    package var from: CalendarDate?
    /// Last day; nil: without an end.
    package var until: CalendarDate?
    /// Lost or stolen: refused from the moment the space takes effect.
    package var revoked: CalendarDate?
    /// Sorted.
    package var roles: [Role]
    /// What it may send, over all its systems; nil: what the broker can take.
    package var quota: TrafficQuota?

    package init(
        agent: String, systems: [String], curve: String, sign: String? = nil, validity: KeyValidity = KeyValidity(),
        roles: [Role] = [], quota: TrafficQuota? = nil
    ) {
        self.quota = quota
        self.agent = agent
        self.systems = systems.sorted()
        self.curve = curve
        self.sign = sign
        from = validity.from
        until = validity.until
        revoked = validity.revoked
        self.roles = roles.sorted { $0.rawValue < $1.rawValue }
    }

    package var validity: KeyValidity { KeyValidity(from: from, until: until, revoked: revoked) }
    package var signingKey: VerifyingKey? { sign.flatMap { VerifyingKey($0) } }
}

/// The public key to which messages for a system are sealed. The system's agents share the secret half. Several may overlap.
package struct SystemSeal: Sendable, Codable, Equatable {
    package var system: String
    /// X-Wing public key, 1,622 characters of base64url.
    package var seal: String
    /// Id of the system's secret for order keys, 16 hexadecimal digits: its consumers take no other. Nil: they take what comes first.
    package var order: String?
    package var from: CalendarDate?
    package var until: CalendarDate?
    package var revoked: CalendarDate?

    package init(system: String, seal: String, order: String? = nil, validity: KeyValidity = KeyValidity()) {
        self.system = system
        self.seal = seal
        self.order = order
        from = validity.from
        until = validity.until
        revoked = validity.revoked
    }

    package var validity: KeyValidity { KeyValidity(from: from, until: until, revoked: revoked) }
    package var sealingKey: SystemPublicKey? { SystemPublicKey(seal) }
}
