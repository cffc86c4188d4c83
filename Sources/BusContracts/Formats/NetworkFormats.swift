/// email (RFC 5321), hostname (RFC 1123), ipv4 (RFC 2673), ipv6 (RFC 4291), uuid (RFC 4122), relative-json-pointer.
enum NetworkFormats {
    static func isUUID(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard text.count == 36 else { return false }
        for (index, byte) in text.enumerated() {
            let isDash = index == 8 || index == 13 || index == 18 || index == 23
            guard isDash ? byte == Byte.minus : byte.hexValue != nil else { return false }
        }
        return true
    }

    static func isIPv4(_ text: TextSlice) -> Bool {
        var (parts, value, digits) = (0, 0, 0)
        for byte in text {
            if byte == Byte.point {
                guard digits > 0 else { return false }
                (parts, value, digits) = (parts + 1, 0, 0)
            } else {
                guard byte.isDigit, digits == 0 || value > 0 else { return false }
                (value, digits) = (value * 10 + Int(byte - Byte.zero), digits + 1)
                guard value <= 255 else { return false }
            }
        }
        return parts == 3 && digits > 0
    }

    static func isIPv6(_ text: TextSlice) -> Bool {
        var (groups, at, hasGap) = (0, text.startIndex, false)
        if text.starts(with: "::".utf8) { (at, hasGap) = (at + 2, true) }
        while at < text.endIndex {
            let group = text[at...].prefix { $0.hexValue != nil }
            guard !group.isEmpty, group.count <= 4 else { return false }
            if group.endIndex < text.endIndex, text[group.endIndex] == Byte.point {
                return isIPv4(text[at...]) && (hasGap ? groups + 2 < 8 : groups + 2 == 8)
            }
            groups += 1
            at = group.endIndex
            guard at < text.endIndex else { break }
            guard text[at] == Byte.colon, at + 1 < text.endIndex else { return false }
            at += 1
            if text[at] == Byte.colon {
                guard !hasGap else { return false }
                (at, hasGap) = (at + 1, true)
            }
        }
        return hasGap ? groups < 8 : groups == 8
    }

    static func isHostname(_ text: TextSlice) -> Bool {
        guard !text.isEmpty, text.count <= 253 else { return false }
        return text.split(separator: Byte.point, omittingEmptySubsequences: false).allSatisfy { label in
            guard let first = label.first, let last = label.last, label.count <= 63 else { return false }
            return first != Byte.minus && last != Byte.minus
                && label.allSatisfy { $0.isLetter || $0.isDigit || $0 == Byte.minus }
        }
    }

    private static func isAtomCharacter(_ byte: UInt8) -> Bool {
        byte.isLetter || byte.isDigit || "!#$%&'*+-/=?^_`{|}~".utf8.contains(byte)
    }

    static func isEmail(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let mark = text.lastIndex(of: UInt8(ascii: "@")), mark > 0, mark <= 64 else { return false }
        let (local, domain) = (text[..<mark], text[(mark + 1)...])
        return (isDotAtom(local) || isQuotedString(local)) && isMailDomain(domain)
    }

    private static func isDotAtom(_ text: TextSlice) -> Bool {
        text.split(separator: Byte.point, omittingEmptySubsequences: false).allSatisfy { atom in
            !atom.isEmpty && atom.allSatisfy(isAtomCharacter)
        }
    }

    private static func isQuotedString(_ text: TextSlice) -> Bool {
        guard text.count >= 2, text.first == Byte.quote, text.last == Byte.quote else { return false }
        var isEscape = false
        for byte in text.dropFirst().dropLast() {
            guard byte >= 0x20, byte < 0x7F else { return false }
            if isEscape {
                isEscape = false
            } else if byte == Byte.backslash {
                isEscape = true
            } else if byte == Byte.quote {
                return false
            }
        }
        return !isEscape
    }

    private static func isMailDomain(_ text: TextSlice) -> Bool {
        guard text.first == Byte.openBracket, text.last == Byte.closeBracket else { return isHostname(text) }
        let address = text.dropFirst().dropLast()
        return address.starts(with: "IPv6:".utf8) ? isIPv6(address.dropFirst(5)) : isIPv4(address)
    }

    /// A count without leading zeros, an optional +n or −n, then "#" or a JSON Pointer.
    static func isRelativeJSONPointer(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard var at = count(text, from: 0) else { return false }
        if at < text.count, text[at] == Byte.plus || text[at] == Byte.minus {
            guard let after = count(text, from: at + 1) else { return false }
            at = after
        }
        if at < text.count, text[at] == UInt8(ascii: "#") { return at + 1 == text.count }
        return JSONPointer.isWellFormed(text[at...])
    }

    private static func count(_ text: UnsafeBufferPointer<UInt8>, from: Int) -> Int? {
        let digits = text[from...].prefix(while: \.isDigit)
        guard let first = digits.first, first != Byte.zero || digits.count == 1 else { return nil }
        return digits.endIndex
    }
}
