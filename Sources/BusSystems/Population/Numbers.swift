import BusContracts

/// Makes identifiers by the rules of the registers, which BusContracts keeps.
enum Numbers {
    /// - Returns: nil if these digits have no check digit, so that the number cannot exist.
    static func iin(born: CivilDate, sex: Sex, serial: Int) -> String? {
        IIN.make(
            year: born.year, month: born.month, day: born.day, sex: sex == .male ? .male : .female, serial: serial)
    }

    /// - Returns: nil if these digits have no check digit.
    static func bin(registered: CivilDate, residency: Residency, sign: BIN.Sign, serial: Int) -> String? {
        BIN.make(
            year: registered.year, month: registered.month, kind: residency.kind, sign: sign, serial: serial)
    }
}

/// What the fifth digit of a BIN says.
package enum Residency: String, CaseIterable, Sendable {
    case resident
    case nonResident = "non-resident"
    case joint

    var kind: BIN.Kind {
        switch self {
        case .resident: .resident
        case .nonResident: .nonResident
        case .joint: .jointEntrepreneurship
        }
    }
}
