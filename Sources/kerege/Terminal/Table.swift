/// Rows under headings, aligned by display width. Only the last column is cut to the terminal; nothing wraps.
struct Table {
    struct Column {
        var title: String
        var isNumber = false
        init(_ title: String, isNumber: Bool = false) {
            self.title = title
            self.isNumber = isNumber
        }
    }

    struct Cell: ExpressibleByStringLiteral {
        var text: String
        var tint: Style.Tint?
        init(_ text: String, _ tint: Style.Tint? = nil) {
            // A control character of a name must not steer the terminal.
            self.text = String(
                text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : Character($0) })
            self.tint = tint
        }
        init(stringLiteral value: String) { self.init(value) }
        /// In the colour of its state.
        static func state(_ name: String) -> Cell { Cell(name, Style.tint(of: name)) }
        /// A number; zero is quiet.
        static func count(_ number: some BinaryInteger, _ tint: Style.Tint? = nil) -> Cell {
            Cell(String(number), number == 0 ? .quiet : tint)
        }
    }

    private static let gap = 2
    let columns: [Column]
    var rows: [[Cell]] = []

    init(_ columns: [Column]) { self.columns = columns }

    func lines(_ style: Style) -> [String] {
        let widths = columns.indices.map { index in
            rows.reduce(DisplayWidth.of(columns[index].title)) { max($0, DisplayWidth.of($1[index].text)) }
        }
        let head = columns.map { Cell($0.title, .strong) }
        return ([head] + rows).map { line($0, widths, style) }
    }

    private func line(_ cells: [Cell], _ widths: [Int], _ style: Style) -> String {
        var line = ""
        var used = 0
        for (index, cell) in cells.enumerated() {
            let left = style.width.map { $0 - used } ?? .max
            guard left > 0 else { break }
            let isLast = index == cells.count - 1
            let full =
                isLast && !columns[index].isNumber
                ? cell.text : DisplayWidth.padded(cell.text, to: widths[index], toRight: columns[index].isNumber)
            let shown = DisplayWidth.of(full) > left ? DisplayWidth.cut(full, to: left) : full
            line += style.paint(shown, cell.tint)
            used += DisplayWidth.of(shown)
            if !isLast {
                line += String(repeating: " ", count: min(Self.gap, max(0, left - DisplayWidth.of(shown))))
                used += Self.gap
            }
        }
        return line
    }
}
