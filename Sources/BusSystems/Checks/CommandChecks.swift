package import BusAgent
import BusContracts

/// What registers ask of each other before they carry out a command, by the names that agents' files use under `before`.
package enum CommandChecks {
    package static let all: [String: CommandCheck] = [
        "founders": CommandCheck(FoundersCheck.run),
        "licence-holder": CommandCheck(LicenceHolderCheck.run),
    ]

    /// Asks a service about one record.
    /// - Returns: nil when it has none.
    static func record(
        _ service: String, _ request: JSONValue, _ ask: CommandCheck.Ask
    ) async throws -> Reply? {
        do {
            let value = try JSONValue.parse(try await ask(service, request.bytes()))
            return Reply(service: service, value: value)
        } catch let fault as BusFault {
            guard fault.isNothingFound else { throw fault }
            return nil
        }
    }

    /// The names of an activity, as parameters of a statement; nil when there is no such code.
    static func activity(_ code: String?) -> [JSONMember]? {
        guard let found = Population.activities.first(where: { $0.code == code }) else { return nil }
        return [
            JSONMember("activityKk", .string(found.name.kk)), JSONMember("activityRu", .string(found.name.ru)),
        ]
    }
}
