import ArgumentParser
import BusTesting
import Foundation

/// Results of several runs as the table of docs/RELIABILITY.md.
struct TableCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "table", abstract: "Show results of campaigns as a table in Markdown.")

    @Argument(help: "Files that `campaign --output` wrote.") var files: [String]

    func run() throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let results = try files.flatMap { file in
            try decoder.decode([CampaignResult].self, from: Data(contentsOf: URL(fileURLWithPath: file)))
        }
        print(CampaignTable.markdown(results))
        guard results.allSatisfy(\.isClean) else { throw ExitCode.failure }
    }
}
