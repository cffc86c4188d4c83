/// The table of docs/RELIABILITY.md.
package enum CampaignTable {
    package static func markdown(_ results: [CampaignResult]) -> String {
        let head = """
            | fault | injector | runs | under way | lost | twice | out of order | stuck | otherwise broken | recovery p50, max | again |
            |---|---|---:|---|---:|---:|---:|---:|---:|---|---|
            """
        return ([head] + results.map(row)).joined(separator: "\n")
    }

    private static func row(_ result: CampaignResult) -> String {
        let cells: [String]
        if let reason = result.notRun {
            cells = [result.fault, result.injector, "NOT RUN", reason, "", "", "", "", "", ""]
        } else {
            let recovery = result.recovery.map {
                "\(grouped($0.p50Milliseconds)) ms, \(grouped($0.maxMilliseconds)) ms"
            }
            cells =
                [result.fault, result.injector, grouped(result.runs), result.load]
                + [result.lost, result.duplicated, result.outOfOrder, result.stuck, result.broken].map(grouped)
                + [recovery ?? "–"]
        }
        return "| " + (cells + [again(result)]).joined(separator: " | ") + " |"
    }

    private static func again(_ result: CampaignResult) -> String {
        guard result.notRun == nil else { return "`campaign \(result.campaign)`" }
        return "`campaign \(result.campaign) --runs \(result.ordered) --seed \(result.seed)`"
    }

    package static func grouped(_ number: Int) -> String {
        var text = ""
        for (place, digit) in "\(number)".reversed().enumerated() {
            if place > 0, place % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return String(text.reversed())
    }
}
