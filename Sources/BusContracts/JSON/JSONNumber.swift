/// A JSON number with its text kept exactly. Two numbers are equal when they are the same number: 1.0 == 1 == 10e-1.
package struct JSONNumber: Sendable, CustomStringConvertible {
    /// The text as it was written.
    package let text: String

    /// Nil unless `text` is a number by the grammar of RFC 8259 within the default limits.
    package init?(_ text: String) {
        guard case .number(let number)? = try? JSONValue.parse(Array(text.utf8)), number.text == text else {
            return nil
        }
        self = number
    }

    package init(_ value: some BinaryInteger) { text = String(value) }

    init(scanned text: String) { self.text = text }

    package var description: String { text }

    /// The value as a whole number of 64 bits, however it is written; nil when it is not one.
    package var int: Int? {
        if let plain = Int(text) { return plain }
        return withDecimal { decimal in
            if decimal.isZero { return 0 }
            guard decimal.isInteger, decimal.exponent + decimal.digitCount <= 19 else { return nil }
            var value = 0
            for digit in decimal.digits + Array(repeating: 0, count: decimal.exponent) {
                let (shifted, high) = value.multipliedReportingOverflow(by: 10)
                let (next, low) = shifted.subtractingReportingOverflow(Int(digit))
                if high || low { return nil }
                value = next
            }
            if decimal.isNegative { return value }
            return value == .min ? nil : -value
        }
    }

    /// The nearest Double; infinite for numbers beyond its range.
    package var double: Double { Double(text) ?? (text.hasPrefix("-") ? -.infinity : .infinity) }

    package var isInteger: Bool { withDecimal { $0.isInteger } }

    func withDecimal<Result>(_ body: (ExactDecimal) -> Result) -> Result {
        var copy = text
        return copy.withUTF8 { body(ExactDecimal($0)) }
    }
}

extension JSONNumber: Comparable, Hashable {
    private func compared(to other: JSONNumber) -> Int {
        withDecimal { left in other.withDecimal { right in ExactDecimal.compare(left, right) } }
    }

    package static func == (left: JSONNumber, right: JSONNumber) -> Bool { left.compared(to: right) == 0 }
    package static func < (left: JSONNumber, right: JSONNumber) -> Bool { left.compared(to: right) < 0 }
    package func hash(into hasher: inout Hasher) { hasher.combine(withDecimal { $0.hash }) }

    /// One text for every way to write the same number: plain digits up to 21 places, else d.ddde±n. Never −0.
    package var canonicalText: String {
        withDecimal { decimal in
            if decimal.isZero { return "0" }
            let digits = String(decoding: decimal.digits.map { $0 + Byte.zero }, as: UTF8.self)
            let sign = decimal.isNegative ? "-" : ""
            let top = decimal.exponent + digits.count
            if decimal.exponent >= 0, top <= 21 {
                return sign + digits + String(repeating: "0", count: decimal.exponent)
            }
            if decimal.exponent < 0, top > 0, digits.count <= 21 {
                return "\(sign)\(digits.prefix(top)).\(digits.dropFirst(top))"
            }
            if top <= 0, top > -6 { return "\(sign)0.\(String(repeating: "0", count: -top))\(digits)" }
            let rest = digits.count > 1 ? ".\(digits.dropFirst())" : ""
            return "\(sign)\(digits.prefix(1))\(rest)e\(top > 0 ? "+" : "")\(top - 1)"
        }
    }
}
