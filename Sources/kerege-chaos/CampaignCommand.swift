import ArgumentParser
import BusProtocol
import BusTesting
import Foundation

/// Faults done to real processes, a class of them a campaign.
struct CampaignCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "campaign", abstract: "Do faults to real processes under load, heal, and count.",
        discussion: """
            CAMPAIGNS
            \(Campaigns.all.map { "  \($0.name.padding(to: 14))\($0.fault): \($0.injector)" }.joined(separator: "\n"))

            Kills at the steps of the journal, of outbox and inbox need programs that can die there: a debug build, or one with
            KEREGE_MUTANTS=1. Damage and fuzz need the tests beside them. What cannot be made here is NOT RUN, with the reason.

            Exit code 1: something was lost, came twice, out of order, got stuck, or another promise was broken.
            """)

    @Argument(help: "Campaigns to run; all when none is named.") var names: [String] = []
    @Option(help: "Faults of each, instead of the usual number.") var runs: Int?
    @Option(help: "Draws the faults; without it one is drawn.") var seed: UInt64?
    @Flag(help: "As many faults as a long run has.") var long = false
    @Flag(help: "Results as JSON.") var json = false
    @Option(help: "Write the results into this file too, as JSON: kerege-chaos table reads it.") var output: String?

    func validate() throws {
        for name in names where Campaigns.named(name) == nil {
            throw ValidationError(
                "There is no campaign `\(name)`. Use \(Campaigns.all.map(\.name).joined(separator: ", ")).")
        }
        if let runs, runs < 1 { throw ValidationError("--runs \(runs): at least one.") }
    }

    func run() async throws {
        if !Failpoint.areCompiledIn {
            say("this build has no failpoints: kills at named steps are done at random moments instead\n")
        }
        var results: [CampaignResult] = []
        for campaign in names.isEmpty ? Campaigns.all : names.compactMap(Campaigns.named) {
            let result = await result(of: campaign)
            results.append(result)
            if !json { print(result.line) }
            for finding in result.findings { say("  \(finding)\n") }
            // What is done is kept, whatever the next one does.
            if let output { try encode(results).write(to: URL(fileURLWithPath: output)) }
        }
        if json { print(String(decoding: try encode(results), as: UTF8.self)) }
        let failed = results.filter { !$0.isClean }
        if !json { print(Self.closing(results, failed)) }
        if !failed.isEmpty { throw ExitCode.failure }
    }

    private func result(of campaign: any Campaign) async -> CampaignResult {
        let wanted = runs ?? (long ? campaign.runs.long : campaign.runs.usual)
        let order = CampaignOrder(
            runs: wanted, seed: seed ?? .random(in: 0...UInt64(UInt32.max)),
            progress: { done in say("\r\(campaign.name) \(done) of \(wanted) ") })
        say("\(campaign.name), \(wanted) runs, seed \(order.seed)\n")
        do {
            let result = try await campaign.run(order)
            say("\n")
            return result
        } catch {
            var result = CampaignResult()
            result.campaign = campaign.name
            result.fault = campaign.fault
            result.injector = campaign.injector
            result.seed = order.seed
            result.breakPromise(["it could not be run: \(error)"])
            return result
        }
    }

    private func encode(_ results: [CampaignResult]) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return try encoder.encode(results)
    }

    private static func closing(_ results: [CampaignResult], _ failed: [CampaignResult]) -> String {
        let faults = results.reduce(0) { $0 + $1.runs }
        let notRun = results.count { $0.notRun != nil }
        let verdict =
            failed.isEmpty
            ? "no promise was broken" : "\(failed.map(\.campaign).joined(separator: ", ")) broke a promise"
        return "campaigns \(results.count), NOT RUN \(notRun), faults \(faults): \(verdict)"
    }
}

/// Progress and reasons, beside the results.
private func say(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
