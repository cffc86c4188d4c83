/// GET /v1/services
package struct ServicesPage: Codable, Sendable {
    package var services: [Item]

    package struct Item: Codable, Sendable {
        package var name: String
        /// request, command, event.
        package var kind: String
        package var system: String
        package var contract: String
        package var deadlineMs: Int64?
        package var promisedP95Ms: Int64?
        package var freshnessMs: Int64?
        /// Health of the system that offers it.
        package var health: String
        /// Systems with an integration that is not retired or cancelled.
        package var consumers: [String]
        /// How many of those integrations are observed as implemented.
        package var implemented: Int
        package var window: WindowPart
    }
}
