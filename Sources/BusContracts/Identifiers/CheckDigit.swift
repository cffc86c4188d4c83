/// The check digit that IIN and BIN share: weights 1…11, and if that gives 10, weights 3…11, 1, 2.
package enum CheckDigit {
    /// Digits of a number with its check digit.
    package static let length = 12

    /// The twelfth digit for the first eleven (each 0–9), nil when both passes give 10 and the number cannot exist.
    package static func twelfth(_ digits: some RandomAccessCollection<UInt8>) -> UInt8? {
        guard digits.count == length - 1, digits.allSatisfy({ $0 < 10 }) else { return nil }
        for firstWeight in [1, 3] {
            var sum = 0
            for (index, digit) in digits.enumerated() { sum += Int(digit) * ((firstWeight - 1 + index) % 11 + 1) }
            if sum % 11 < 10 { return UInt8(sum % 11) }
        }
        return nil
    }

    /// The digits of twelve ASCII bytes whose last is the right check digit; nil for anything else.
    static func verified(_ text: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8>? {
        guard text.count == length else { return nil }
        var (first, sum) = (0, 0)
        for index in 0..<length - 1 {
            guard text[index].isDigit else { return nil }
            let digit = Int(text[index] & 0x0F)
            first = first &+ digit &* (index &+ 1)
            sum = sum &+ digit
        }
        // Each weight of the second pass is two above that of the first, modulo 11.
        let remainder = first % 11 < 10 ? first % 11 : (first + 2 * sum) % 11
        guard remainder < 10, text[length - 1] == Byte.zero + UInt8(remainder) else { return nil }
        return text
    }

    /// Whether twelve digits with their check digit stand in a text, and no digit beside them: perhaps somebody's IIN or BIN.
    package static func isNumber(in text: String) -> Bool {
        text.utf8.split { !$0.isDigit }.contains { run in run.withContiguousBytes { verified($0) != nil } }
    }

    /// Appends the check digit to eleven ASCII digits.
    static func completed(_ eleven: String) -> String? {
        twelfth(eleven.utf8.map { $0 &- Byte.zero }).map { eleven + String($0) }
    }

    /// `value` in exactly `width` digits, nil when it does not fit.
    static func padded(_ value: Int, _ width: Int) -> String? {
        guard value >= 0 else { return nil }
        let digits = String(value)
        guard digits.count <= width else { return nil }
        return String(repeating: "0", count: width - digits.count) + digits
    }
}

extension Substring.UTF8View {
    fileprivate func withContiguousBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        Array(self).withUnsafeBufferPointer(body)
    }
}

extension String {
    /// Calls `body` with the bytes of the text.
    func withBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        var copy = self
        return copy.withUTF8(body)
    }
}
