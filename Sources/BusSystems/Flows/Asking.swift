import BusContracts

/// A reply, with the name of the service that an error should mention.
struct Reply: Sendable {
    let service: String
    let value: JSONValue

    func string(_ member: String) throws -> String {
        guard let text = value[member]?.string else { throw FlowFault.missing(service: service, member: member) }
        return text
    }

    func bool(_ member: String) throws -> Bool {
        guard let flag = value[member]?.bool else { throw FlowFault.missing(service: service, member: member) }
        return flag
    }

    func array(_ member: String) throws -> [JSONValue] {
        guard let list = value[member]?.array else { throw FlowFault.missing(service: service, member: member) }
        return list
    }
}

extension FlowBus {
    /// Asks with a JSON value and reads the reply as one.
    func ask(_ service: String, _ request: JSONValue) async throws -> Reply {
        let bytes = try await ask(service, request.bytes())
        guard let value = try? JSONValue.parse(bytes), value.object != nil else {
            throw FlowFault.unreadable(service: service)
        }
        return Reply(service: service, value: value)
    }
}

extension Flow {
    /// A flow that asks one service with a request drawn from the population, and reads the reply.
    static func asking(
        _ service: String, as name: String, consumer: String, _ summary: String,
        request: @escaping @Sendable (inout SeededRandom, Population) -> JSONValue
    ) -> Flow {
        Flow(name, consumer: consumer, summary, services: [service]) { bus, random, population in
            _ = try await bus.ask(service, request(&random, population))
        }
    }
}

/// Requests of the shapes that the contracts share, for something drawn from the population.
enum Drawn {
    static func person(_ random: inout SeededRandom, _ population: Population) -> JSONValue {
        ["iin": .string(population.iin(random.below(population.scale.people)))]
    }

    static func company(_ random: inout SeededRandom, _ population: Population) -> JSONValue {
        ["bin": .string(population.bin(random.below(population.scale.companies)))]
    }

    static func property(_ random: inout SeededRandom, _ population: Population) -> JSONValue {
        ["cadastralNumber": .string(population.cadastralNumber(random.below(population.scale.properties)))]
    }

    static func document(
        _ series: DocumentSeries
    ) -> @Sendable (inout SeededRandom, Population) -> JSONValue {
        { random, population in
            ["number": .string(population.documentNumber(series, random.below(population.documents(series))))]
        }
    }

    /// A child that waits for a kindergarten. About one household in ten has one; in a country without any the request
    /// names an adult, and the queue rightly answers that it knows nobody of that number.
    static func child(_ random: inout SeededRandom, _ population: Population) -> JSONValue {
        let households = population.scale.people / Population.householdSize
        let start = random.below(households)
        for offset in 0..<households {
            if let child = population.kindergartenChild(ofHousehold: (start + offset) % households) {
                return ["iin": .string(child.iin)]
            }
        }
        return person(&random, population)
    }
}
