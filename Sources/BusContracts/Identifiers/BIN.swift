/// The business identification number: YYMM of registration, type, sign, five digits, a check digit.
package enum BIN {
    package enum Kind: Int, Sendable, CaseIterable {
        case resident = 4, nonResident = 5, jointEntrepreneurship = 6
    }

    package enum Sign: Int, Sendable, CaseIterable {
        case head = 0, branch = 1, representativeOffice = 2, farm = 3
    }

    /// What a BIN says about its bearer; the year has two digits only.
    package struct Parts: Sendable, Hashable {
        package let shortYear: Int
        package let month: Int
        package let kind: Kind
        package let sign: Sign
    }

    package static func isValid(_ text: String) -> Bool { text.withBytes { isValid($0) } }

    static func isValid(_ text: UnsafeBufferPointer<UInt8>) -> Bool { parts(text) != nil }

    package static func parts(of text: String) -> Parts? { text.withBytes { parts($0) } }

    private static func parts(_ text: UnsafeBufferPointer<UInt8>) -> Parts? {
        guard let text = CheckDigit.verified(text), let shortYear = TimeFormats.digits(text[...], at: 0, count: 2),
            let month = TimeFormats.digits(text[...], at: 2, count: 2), (1...12).contains(month),
            let kind = Kind(rawValue: Int(text[4] & 0x0F)), let sign = Sign(rawValue: Int(text[5] & 0x0F))
        else { return nil }
        return Parts(shortYear: shortYear, month: month, kind: kind, sign: sign)
    }

    /// The BIN for a month of registration and a serial of 0–99999; nil when the month does not exist or the first
    /// eleven digits have no check digit (then take the next serial).
    package static func make(year: Int, month: Int, kind: Kind, sign: Sign, serial: Int) -> String? {
        guard year >= 0, (1...12).contains(month), let date = CheckDigit.padded((year % 100) * 100 + month, 4),
            let serial = CheckDigit.padded(serial, 5)
        else { return nil }
        return CheckDigit.completed("\(date)\(kind.rawValue)\(sign.rawValue)\(serial)")
    }
}
