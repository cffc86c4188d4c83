/// The cadastral number of a permanent plot, a building on it or a unit of the building:
/// oblast(2):district(3):quarter(3):plot(1–4)[:building(1–4)[:unit(1–5)]]. It is not a KATO code.
package enum CadastralNumber {
    /// Least and most digits of each part.
    private static let widths: [ClosedRange<Int>] = [2...2, 3...3, 3...3, 1...4, 1...4, 1...5]

    package static func isValid(_ text: String) -> Bool { text.withBytes { isValid($0) } }

    static func isValid(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        var (part, digits) = (0, 0)
        for byte in text {
            if byte == Byte.colon {
                guard part < widths.count - 1, widths[part].contains(digits) else { return false }
                (part, digits) = (part + 1, 0)
            } else {
                guard byte.isDigit, digits < widths[part].upperBound else { return false }
                digits += 1
            }
        }
        return part >= 3 && widths[part].contains(digits)
    }

    /// The number of a plot, a building or a unit; nil when a part does not fit its width or a unit has no building.
    package static func make(
        oblast: Int, district: Int, quarter: Int, plot: Int, building: Int? = nil, unit: Int? = nil
    ) -> String? {
        guard unit == nil || building != nil, let oblast = CheckDigit.padded(oblast, 2),
            let district = CheckDigit.padded(district, 3), let quarter = CheckDigit.padded(quarter, 3)
        else { return nil }
        let parts = [oblast, district, quarter, String(plot)] + [building, unit].compactMap { $0.map(String.init) }
        let number = parts.joined(separator: ":")
        return isValid(number) ? number : nil
    }
}
