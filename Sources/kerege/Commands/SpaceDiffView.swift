import BusConsole

/// The difference of two spaces as lines of text.
struct SpaceDiffView {
    let page: SpaceDiffPage
    let style: Style

    func lines() -> [String] {
        guard !page.changes.isEmpty else { return ["nothing changes: version \(page.fromVersion) says the same"] }
        var lines = page.findings.map { style.fit($0.text) }
        for change in page.changes {
            let name = change.id.isEmpty ? change.kind : "\(change.kind) \(change.id)"
            switch change.change {
            case "added": lines.append(style.paint(style.fit("+ \(name)"), .good))
            case "removed": lines.append(style.paint(style.fit("- \(name)"), .bad))
            default: lines.append(style.paint(style.fit("~ \(name)"), .warning))
            }
            for field in change.fields {
                lines.append(style.fit("    \(field.path): \(field.before ?? "(none)") → \(field.after ?? "(none)")"))
            }
        }
        return lines + page.breaking.map { style.paint(style.fit("! breaking: \($0)"), .bad) }
    }
}
