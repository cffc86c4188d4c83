/// ASCII bytes by name, so that scanners read like the grammar they follow.
enum Byte {
    static let tab = UInt8(ascii: "\t")
    static let lineFeed = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")
    static let space = UInt8(ascii: " ")
    static let quote = UInt8(ascii: "\"")
    static let backslash = UInt8(ascii: "\\")
    static let slash = UInt8(ascii: "/")
    static let comma = UInt8(ascii: ",")
    static let colon = UInt8(ascii: ":")
    static let point = UInt8(ascii: ".")
    static let plus = UInt8(ascii: "+")
    static let minus = UInt8(ascii: "-")
    static let zero = UInt8(ascii: "0")
    static let nine = UInt8(ascii: "9")
    static let openBrace = UInt8(ascii: "{")
    static let closeBrace = UInt8(ascii: "}")
    static let openBracket = UInt8(ascii: "[")
    static let closeBracket = UInt8(ascii: "]")
}

extension UInt8 {
    @inline(__always) var isDigit: Bool { self &- Byte.zero < 10 }
    @inline(__always) var isLetter: Bool { (self | 0x20) &- UInt8(ascii: "a") < 26 }
    @inline(__always) var isExponentMark: Bool { self | 0x20 == UInt8(ascii: "e") }

    /// The value of a hexadecimal digit, or nil.
    var hexValue: UInt32? {
        if isDigit { return UInt32(self - Byte.zero) }
        let lower = (self | 0x20) &- UInt8(ascii: "a")
        return lower < 6 ? UInt32(lower) + 10 : nil
    }
}
