import BusContracts

extension Flows {
    /// What a system does in its own register; its agent then publishes the outbox.
    static let ownWork: [Flow] = [
        Flow(
            "civil-deaths", consumer: "individuals", "A registry office enters a death", services: [],
            events: ["individuals.person-died.v1"]
        ) { bus, random, population in
            let registry = try CivilRegistry(path: bus.ownRegister("civil-deaths"))
            try registry.recordDeath(iin: population.iin(population.capablePerson(&random)), at: bus.now)
        },
        Flow(
            "civil-births", consumer: "individuals", "A registry office enters a birth", services: [],
            events: ["individuals.person-born.v1"], run: birth),
        Flow(
            "civil-address-changes", consumer: "individuals", "A service centre registers a person at a new address",
            services: [], events: ["individuals.address-changed.v1"]
        ) { bus, random, population in
            let registry = try CivilRegistry(path: bus.ownRegister("civil-address-changes"))
            let person = population.capablePerson(&random)
            let address = population.address(random.below(population.scale.properties))
            try registry.recordAddressChange(iin: population.iin(person), rka: address.rka, at: bus.now)
        },
        Flow(
            "property-registrations", consumer: "real-estate", "A registrar enters the right of a buyer", services: [],
            events: ["real-estate.property-registered.v1"]
        ) { bus, random, population in
            let registry = try LandRegistry(path: bus.ownRegister("property-registrations"))
            let property = population.cadastralNumber(random.below(population.scale.properties))
            let buyer = population.iin(population.capablePerson(&random))
            try registry.registerRight(cadastralNumber: property, ownerIin: buyer, at: bus.now)
        },
        Flow(
            "payments-fees", consumer: "payments", "Somebody pays a fee that a system asked for", services: [],
            events: ["payments.payment-confirmed.v1"]
        ) { bus, _, _ in
            try PaymentDesk(path: bus.ownRegister("payments-fees")).payNext(at: bus.now)
        },
    ]

    @Sendable private static func birth(
        _ bus: any FlowBus, _ random: inout SeededRandom, _ population: Population
    ) async throws {
        let registry = try CivilRegistry(path: bus.ownRegister("civil-births"))
        let sex: Sex = random.chance(percent: 51) ? .male : .female
        let given = Names.given(.kazakh, sex, &random)
        let mother = mother(&random, population)
        // A mother who died since the epoch has no more children: the office turns to the next family.
        do {
            _ = try registry.recordBirth(
                motherIin: mother, sex: sex, given: given, at: bus.now, in: population)
        } catch RegisterFault.notPossible {
            return
        }
    }

    /// The wife of a household's young couple, who is of an age to have children if any household has such a one.
    private static func mother(_ random: inout SeededRandom, _ population: Population) -> String {
        let households = population.scale.people / Population.householdSize
        let start = random.below(households)
        for offset in 0..<households {
            let wife = population.person((start + offset) % households * Population.householdSize + 3)
            if wife.isCapable(on: population.epoch), wife.born.age(on: population.epoch) < 42 { return wife.iin }
        }
        return population.person(3).iin
    }
}
