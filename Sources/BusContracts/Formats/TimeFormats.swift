/// date, time, date-time and duration (RFC 3339, with its Appendix A for durations).
enum TimeFormats {
    /// The value of `count` decimal digits at `offset`, or nil.
    @inline(__always)
    static func digits(_ text: TextSlice, at offset: Int, count: Int) -> Int? {
        guard offset + count <= text.endIndex else { return nil }
        var value = 0
        for index in offset..<offset + count {
            guard text[index].isDigit else { return nil }
            value = value * 10 + Int(text[index] - Byte.zero)
        }
        return value
    }

    static func daysInMonth(_ month: Int, year: Int) -> Int {
        switch month {
        case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    static func exists(year: Int, month: Int, day: Int) -> Bool {
        (1...12).contains(month) && day >= 1 && day <= daysInMonth(month, year: year)
    }

    static func isDate(_ text: TextSlice) -> Bool {
        let start = text.startIndex
        guard text.count == 10, text[start + 4] == Byte.minus, text[start + 7] == Byte.minus,
            let year = digits(text, at: start, count: 4), let month = digits(text, at: start + 5, count: 2),
            let day = digits(text, at: start + 8, count: 2)
        else { return false }
        return exists(year: year, month: month, day: day)
    }

    static func isDateTime(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        text.count > 11 && text[10] | 0x20 == UInt8(ascii: "t") && isDate(text[0..<10]) && isTime(text[11...])
    }

    /// hh:mm:ss with an optional fraction and an offset. Second 60 is a leap second, which falls on 23:59 UTC only.
    static func isTime(_ text: TextSlice) -> Bool {
        let start = text.startIndex
        guard text.count >= 9, text[start + 2] == Byte.colon, text[start + 5] == Byte.colon,
            let hour = digits(text, at: start, count: 2), let minute = digits(text, at: start + 3, count: 2),
            let second = digits(text, at: start + 6, count: 2), hour < 24, minute < 60, second <= 60
        else { return false }
        var at = start + 8
        if text[at] == Byte.point {
            let fraction = text[(at + 1)...].prefix(while: \.isDigit)
            guard !fraction.isEmpty else { return false }
            at = fraction.endIndex
        }
        guard let offset = offsetMinutes(text[at...]) else { return false }
        guard second == 60 else { return true }
        let utc = ((hour * 60 + minute - offset) % 1_440 + 1_440) % 1_440
        return utc == 23 * 60 + 59
    }

    private static func offsetMinutes(_ text: TextSlice) -> Int? {
        let start = text.startIndex
        if text.count == 1, text[start] | 0x20 == UInt8(ascii: "z") { return 0 }
        guard text.count == 6, text[start] == Byte.plus || text[start] == Byte.minus, text[start + 3] == Byte.colon,
            let hours = digits(text, at: start + 1, count: 2), let minutes = digits(text, at: start + 4, count: 2),
            hours < 24, minutes < 60
        else { return nil }
        return (text[start] == Byte.minus ? -1 : 1) * (hours * 60 + minutes)
    }

    /// P[n]Y[n]M[n]DT[n]H[n]M[n]S without gaps between units, or P[n]W.
    static func isDuration(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard text.first == UInt8(ascii: "P") else { return false }
        var at = 1
        if let unit = element(text, &at), unit == UInt8(ascii: "W") { return at == text.count }
        at = 1
        let hasDate = units("YMD", text, &at)
        guard let hasDate else { return false }
        guard at < text.count else { return hasDate }
        guard text[at] == UInt8(ascii: "T") else { return false }
        at += 1
        return units("HMS", text, &at) == true && at == text.count
    }

    /// Reads digits and their unit.
    private static func element(_ text: UnsafeBufferPointer<UInt8>, _ at: inout Int) -> UInt8? {
        let from = at
        while at < text.count, text[at].isDigit { at += 1 }
        guard at > from, at < text.count else { return nil }
        at += 1
        return text[at - 1]
    }

    /// Whether any unit was read; nil when the units are out of order or have gaps.
    private static func units(_ order: String, _ text: UnsafeBufferPointer<UInt8>, _ at: inout Int) -> Bool? {
        let units = Array(order.utf8)
        var last: Int?
        while at < text.count, text[at].isDigit {
            guard let unit = element(text, &at), let position = units.firstIndex(of: unit),
                last.map({ position == $0 + 1 }) ?? true
            else { return nil }
            last = position
        }
        return last != nil
    }
}
