import BusAgent
import BusContracts

/// Before a licence: the company is active and applies through its director, and the responsible person is alive.
enum LicenceHolderCheck {
    @Sendable static func run(
        _ question: CommandCheck.Question, _ ask: CommandCheck.Ask
    ) async throws -> CommandCheck.Verdict {
        guard let names = CommandChecks.activity(question.body["activity"]?.string) else {
            return .refuse("there is no activity of this code")
        }
        let company = try await CommandChecks.record(
            "legal-entities.entity-get.v1", ["bin": question.body["bin"] ?? .null], ask)
        guard let company else { return .refuse("the company is not in the register of legal entities") }
        guard try company.string("status") == "active" else { return .refuse("the company is not active") }
        guard company.value["directorDeceasedSince"]?.isNull == true,
            try company.string("directorIin") == question.body["applicantIin"]?.string
        else { return .refuse("the applicant is not the company's living director") }
        let person = try await CommandChecks.record(
            "individuals.person-get.v1", ["iin": question.body["responsibleIin"] ?? .null], ask)
        guard let person else { return .refuse("the responsible person is not in the register of individuals") }
        guard person.value["died"]?.isNull == true else { return .refuse("the responsible person is dead") }
        return .proceed(with: names)
    }
}
