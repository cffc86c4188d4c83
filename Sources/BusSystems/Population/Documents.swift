/// Documents with a number of their own, counted from 0 in each series.
package enum DocumentSeries: String, CaseIterable, Sendable {
    case deed = "D"
    case licence = "L"
    case certificate = "C"
    case application = "A"
    case order = "O"

    /// Deeds of notaries are fewer than what citizens ask the portal for.
    var perThousandPeople: Int {
        switch self {
        case .deed: 20
        case .licence: 30
        case .certificate, .application: 40
        case .order: 50
        }
    }
}

extension Population {
    /// How many documents of the series are in its system's database.
    package func documents(_ series: DocumentSeries) -> Int {
        max(scale.people * series.perThousandPeople / 1000, 5)
    }

    /// Series letter, a year and seven digits: `A-2025-0001234`.
    package func documentNumber(_ series: DocumentSeries, _ index: Int) -> String {
        "\(series.rawValue)-\(epoch.year - 1)-\(padded(scrambled(index, bound: 10_000_000, factor: 31_337), 7))"
    }

    /// The person of a document: for a given series and index always the same.
    package func applicant(_ series: DocumentSeries, _ index: Int) -> Person {
        var random = SeededRandom(seed: seed ^ UInt64(series.rawValue.utf8.first ?? 0), .smallRegister, index)
        return person(capablePerson(&random))
    }

    /// The child of a household that waits for a kindergarten: the youngest under seven, if there is one.
    package func kindergartenChild(ofHousehold number: Int) -> Person? {
        household(number)
            .filter { $0.mother != nil && $0.died == nil && (0..<7).contains($0.born.age(on: epoch)) }
            .max { $0.born < $1.born }
    }
}
