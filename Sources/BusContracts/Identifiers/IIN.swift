/// The individual identification number: YYMMDD, a digit for century and sex, four digits, a check digit.
package enum IIN {
    package enum Sex: Sendable, CaseIterable { case male, female }

    /// What an IIN says about its bearer.
    package struct Parts: Sendable, Hashable {
        package let year: Int
        package let month: Int
        package let day: Int
        package let sex: Sex
    }

    package static func isValid(_ text: String) -> Bool { text.withBytes { isValid($0) } }

    static func isValid(_ text: UnsafeBufferPointer<UInt8>) -> Bool { parts(text) != nil }

    /// Date and sex of a valid IIN; nil when the text is not one.
    package static func parts(of text: String) -> Parts? { text.withBytes { parts($0) } }

    private static func parts(_ text: UnsafeBufferPointer<UInt8>) -> Parts? {
        guard let text = CheckDigit.verified(text) else { return nil }
        let century = Int(text[6] & 0x0F)
        guard (1...6).contains(century), let shortYear = TimeFormats.digits(text[...], at: 0, count: 2),
            let month = TimeFormats.digits(text[...], at: 2, count: 2),
            let day = TimeFormats.digits(text[...], at: 4, count: 2)
        else { return nil }
        let year = 1_800 + (century - 1) / 2 * 100 + shortYear
        guard TimeFormats.exists(year: year, month: month, day: day) else { return nil }
        return Parts(year: year, month: month, day: day, sex: century % 2 == 1 ? .male : .female)
    }

    /// The IIN for a birth date from 1800 to 2099 and a serial of 0–9999; nil when the date does not exist or the first
    /// eleven digits have no check digit (then take the next serial).
    package static func make(year: Int, month: Int, day: Int, sex: Sex, serial: Int) -> String? {
        guard (1_800...2_099).contains(year), TimeFormats.exists(year: year, month: month, day: day),
            let date = CheckDigit.padded((year % 100) * 10_000 + month * 100 + day, 6),
            let serial = CheckDigit.padded(serial, 4)
        else { return nil }
        let century = (year / 100 - 18) * 2 + (sex == .male ? 1 : 2)
        return CheckDigit.completed("\(date)\(century)\(serial)")
    }
}
