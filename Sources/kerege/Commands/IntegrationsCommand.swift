import ArgumentParser
import BusConsole
import Foundation

/// `kerege integrations`
struct IntegrationsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "integrations",
        abstract: "Every integration: what is declared, what is observed, and why.",
        discussion: """
            EXAMPLES
              kerege integrations
              kerege integrations --state non-functional
              kerege integrations --stage approved --json | jq '.integrations[] | {id, observed}'
            """)

    @OptionGroup var admin: AdminOptions
    @Option(help: "Only this observed state: non-functional, degraded, dormant, implemented, testing, silent.")
    var state: String?
    @Option(help: "Only this declared stage: planned, in-development, testing, approved, retired, cancelled.")
    var stage: String?

    mutating func run() async throws {
        let (page, raw) = try admin.client().get(IntegrationsPage.self, "/v1/integrations" + query)
        if admin.json { return Output.write(raw + Data("\n".utf8)) }
        let style = Style.standardOutput
        let hasIDs = style.width.map { $0 >= Self.widthWithIDs } ?? true
        let table = Self.table(page, hasIDs: hasIDs, now: Int64(Date().timeIntervalSince1970 * 1000))
        Output.write(lines: table.lines(style))
    }

    /// Narrower terminals go without the ids, so that the observed state is still on the screen.
    private static let widthWithIDs = 180

    private var query: String {
        let parts = [("state", state), ("stage", stage)].compactMap { name, value in
            value?.addingPercentEncoding(withAllowedCharacters: .alphanumerics).map { "\(name)=\($0)" }
        }
        return parts.isEmpty ? "" : "?" + parts.joined(separator: "&")
    }

    private static func table(_ page: IntegrationsPage, hasIDs: Bool, now: Int64) -> Table {
        var table = Table(
            (hasIDs ? [.init("id")] : []) + [
                .init("consumer → service"), .init("declared"), .init("observed"), .init("for"),
                .init("ok", isNumber: true), .init("err", isNumber: true), .init("p95", isNumber: true), .init("why"),
            ])
        for item in page.integrations {
            table.rows.append(
                (hasIDs ? [Table.Cell(item.id)] : []) + [
                    Table.Cell("\(item.consumer) → \(item.service)"), Table.Cell(item.declared),
                    .state(item.observed), Table.Cell(item.sinceMs.map { Spans.text(milliseconds: now - $0) } ?? ""),
                    .count(item.window.successes), .count(item.window.errors, .bad),
                    Table.Cell(item.p95Us.map { Spans.text(microseconds: $0) } ?? "", isSlow(item) ? .warning : nil),
                    Table.Cell(item.why),
                ])
        }
        return table
    }

    private static func isSlow(_ item: IntegrationsPage.Item) -> Bool {
        guard let p95 = item.p95Us, let promised = item.promisedP95Us else { return false }
        return p95 > promised
    }
}
