/// The forms of names and numbers in a space. Pure checks on text.
package enum Identifiers {
    /// `real-estate`: lower-case letters, digits and single hyphens, starts with a letter, at most 64 bytes.
    package static func isIdentifier(_ text: some StringProtocol) -> Bool {
        var previous = UInt8(ascii: "-")
        var count = 0
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): break
            case UInt8(ascii: "0")...UInt8(ascii: "9"): guard count > 0 else { return false }
            case UInt8(ascii: "-"): guard previous != byte else { return false }
            default: return false
            }
            previous = byte
            count += 1
        }
        return count > 0 && count <= SpaceLimits.identifierLength && previous != UInt8(ascii: "-")
    }

    /// The three parts of `individuals.person-get.v1`; nil when the name has another form.
    package static func serviceName(_ text: String) -> (system: String, name: String, version: Int)? {
        guard text.utf8.count <= SpaceLimits.serviceNameLength else { return nil }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, isIdentifier(parts[0]), isIdentifier(parts[1]) else { return nil }
        let digits = parts[2].dropFirst()
        guard parts[2].first == "v", let first = digits.first, first != "0", digits.count <= 4,
            digits.allSatisfy({ $0.isASCII && $0.isNumber }), let version = Int(digits)
        else { return nil }
        return (String(parts[0]), String(parts[1]), version)
    }

    /// A business identification number: YYMM, type 4–6, sign 0–3, serial, check digit (see the two-pass rule below).
    package static func isBIN(_ text: String) -> Bool {
        let digits = text.utf8.compactMap { (48...57).contains($0) ? Int($0) - 48 : nil }
        guard digits.count == 12, text.utf8.count == 12 else { return false }
        guard (1...12).contains(digits[2] * 10 + digits[3]), (4...6).contains(digits[4]), (0...3).contains(digits[5])
        else { return false }
        return checkDigit(Array(digits.prefix(11))) == digits[11]
    }

    /// Digit 12 of an IIN or BIN: Σ dᵢ·wᵢ mod 11 with w = 1…11; if 10, once more with w = 3…11, 1, 2; if 10 again the
    /// number cannot exist.
    package static func checkDigit(_ digits: [Int]) -> Int? {
        for weights in [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], [3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2]] {
            let rest = zip(digits, weights).reduce(0) { $0 + $1.0 * $1.1 } % 11
            if rest < 10 { return rest }
        }
        return nil
    }

    /// RFC 9562 text form in lower case, not the nil UUID.
    package static func isUUID(_ text: String) -> Bool {
        let groups = text.split(separator: "-", omittingEmptySubsequences: false)
        guard groups.map(\.utf8.count) == [8, 4, 4, 4, 12] else { return false }
        let hex = groups.joined().utf8
        return hex.allSatisfy { (48...57).contains($0) || (97...102).contains($0) } && !hex.allSatisfy { $0 == 48 }
    }

    /// A 32-byte CURVE public key as 40 characters of Z85 (ZeroMQ RFC 32), not all zero.
    package static func isCurveKey(_ text: String) -> Bool {
        guard text.utf8.count == 40 else { return false }
        var group: UInt64 = 0
        var position = 0
        var isZero = true
        for byte in text.utf8 {
            guard let digit = z85Digits[byte] else { return false }
            group = group * 85 + digit
            position += 1
            if position % 5 == 0 {
                guard group <= UInt64(UInt32.max) else { return false }
                if group != 0 { isZero = false }
                group = 0
            }
        }
        return !isZero
    }

    private static let z85Digits: [UInt8: UInt64] = {
        let alphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
        var digits: [UInt8: UInt64] = [:]
        for (value, byte) in alphabet.utf8.enumerated() { digits[byte] = UInt64(value) }
        return digits
    }()

    /// 32 bytes as 64 lower-case hexadecimal digits.
    package static func isHex32(_ text: String) -> Bool {
        text.utf8.count == 64 && text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }
}
