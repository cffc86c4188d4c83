/// Unix milliseconds and the civil calendar, by arithmetic alone (H. Hinnant, "chrono-compatible low-level date
/// algorithms").
package enum UnixTime {
    /// The last millisecond of the year 9999. A time after it, or before 1970, is taken as that bound.
    package static let latest: Int64 = 253_402_300_799_999

    static func clamped(_ time: Int64) -> Int64 { min(max(time, 0), latest) }

    /// The calendar year of a time, where the year begins `offset` milliseconds before it does in UTC.
    package static func year(of time: Int64, offset: Int64) -> Int {
        civil(days: Self.days(of: clamped(time) + offset)).year
    }

    /// The first millisecond of a year, Unix milliseconds.
    package static func start(ofYear year: Int, offset: Int64) -> Int64 {
        daysBeforeYear(min(max(year, 1970), 10_000)) * Thresholds.day - offset
    }

    /// `2021-03-04 10:00:00Z`.
    package static func text(_ time: Int64) -> String {
        let time = clamped(time)
        let date = civil(days: days(of: time))
        let second = (time % Thresholds.day) / 1000
        let clock = [second / 3600, second / 60 % 60, second % 60].map { padded(Int($0)) }.joined(separator: ":")
        return "\(date.year)-\(padded(date.month))-\(padded(date.day)) \(clock)Z"
    }

    private static func padded(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }

    /// Whole days since 1970-01-01, rounded down.
    private static func days(of time: Int64) -> Int64 {
        let (days, rest) = time.quotientAndRemainder(dividingBy: Thresholds.day)
        return rest < 0 ? days - 1 : days
    }

    private static func daysBeforeYear(_ year: Int) -> Int64 {
        let past = Int64(year) - 1
        return past * 365 + past / 4 - past / 100 + past / 400 - 719_162
    }

    private static func civil(days: Int64) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let civilMonth = month < 10 ? month + 3 : month - 9
        let year = yearOfEra + era * 400 + (civilMonth <= 2 ? 1 : 0)
        return (Int(year), Int(civilMonth), Int(dayOfYear - (153 * month + 2) / 5 + 1))
    }
}
