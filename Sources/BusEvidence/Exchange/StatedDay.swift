/// A day on which a key begins or ends to count, `2026-03-01`, at UTC+5: the one time zone of Kazakhstan since 2024.
enum StatedDay {
    private static let years: ClosedRange<Int64> = 1900...2199
    static let milliseconds: Int64 = 86_400_000
    private static let offset: Int64 = 5 * 3_600_000

    /// Its first millisecond, Unix time; `nil` unless the text is exactly an existing day.
    static func start(of text: String) -> Int64? {
        let bytes = Array(text.utf8)
        let hyphen = UInt8(ascii: "-")
        guard bytes.count == 10, bytes[4] == hyphen, bytes[7] == hyphen, let year = number(bytes[0..<4]),
            let month = number(bytes[5..<7]), let day = number(bytes[8..<10]), years.contains(year),
            (1...12).contains(month), (1...days(of: month, year)).contains(day)
        else { return nil }
        // Days since 1970-01-01, with the year beginning in March.
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let ofEra = shifted - era * 400
        let ofYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return (era * 146_097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719_468) * milliseconds - offset
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        var number: Int64 = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            number = number * 10 + Int64(digit - UInt8(ascii: "0"))
        }
        return number
    }

    private static func days(of month: Int64, _ year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}
