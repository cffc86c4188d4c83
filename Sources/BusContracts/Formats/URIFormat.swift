/// uri and uri-reference (RFC 3986), and the resolution of references that `$id` and `$ref` need.
enum URIFormat {
    private static func isUnreserved(_ byte: UInt8) -> Bool {
        byte.isLetter || byte.isDigit || "-._~".utf8.contains(byte)
    }

    private static func isSubDelimiter(_ byte: UInt8) -> Bool { "!$&'()*+,;=".utf8.contains(byte) }

    /// Whether every byte is of the set or part of a %xx escape.
    private static func consists(_ text: TextSlice, of isAllowed: (UInt8) -> Bool) -> Bool {
        var at = text.startIndex
        while at < text.endIndex {
            if text[at] == UInt8(ascii: "%") {
                guard at + 2 < text.endIndex, text[at + 1].hexValue != nil, text[at + 2].hexValue != nil else {
                    return false
                }
                at += 3
            } else {
                guard isAllowed(text[at]) else { return false }
                at += 1
            }
        }
        return true
    }

    static func isReference(_ text: UnsafeBufferPointer<UInt8>, mustBeAbsolute: Bool) -> Bool {
        var rest = text[...]
        if let mark = rest.firstIndex(of: UInt8(ascii: "#")) {
            guard consists(rest[(mark + 1)...], of: isQueryCharacter) else { return false }
            rest = rest[..<mark]
        }
        if let mark = rest.firstIndex(of: UInt8(ascii: "?")) {
            guard consists(rest[(mark + 1)...], of: isQueryCharacter) else { return false }
            rest = rest[..<mark]
        }
        let colon = rest.firstIndex(of: Byte.colon)
        let slash = rest.firstIndex(of: Byte.slash)
        if let colon, slash.map({ colon < $0 }) ?? true {
            guard isScheme(rest[..<colon]) else { return false }
            rest = rest[(colon + 1)...]
        } else if mustBeAbsolute {
            return false
        }
        if rest.starts(with: "//".utf8) {
            let authority = rest.dropFirst(2).prefix { $0 != Byte.slash }
            guard isAuthority(authority) else { return false }
            rest = rest[authority.endIndex...]
        }
        return consists(rest) { isPathCharacter($0) || $0 == Byte.slash }
    }

    private static func isPathCharacter(_ byte: UInt8) -> Bool {
        isUnreserved(byte) || isSubDelimiter(byte) || byte == Byte.colon || byte == UInt8(ascii: "@")
    }

    private static func isQueryCharacter(_ byte: UInt8) -> Bool {
        isPathCharacter(byte) || byte == Byte.slash || byte == UInt8(ascii: "?")
    }

    private static func isScheme(_ text: TextSlice) -> Bool {
        guard let first = text.first, first.isLetter else { return false }
        return text.allSatisfy { $0.isLetter || $0.isDigit || "+-.".utf8.contains($0) }
    }

    private static func isAuthority(_ text: TextSlice) -> Bool {
        var host = text
        if let mark = host.firstIndex(of: UInt8(ascii: "@")) {
            guard consists(host[..<mark], of: { isUnreserved($0) || isSubDelimiter($0) || $0 == Byte.colon }) else {
                return false
            }
            host = host[(mark + 1)...]
        }
        let bracket = host.lastIndex(of: Byte.closeBracket)
        if let colon = host.lastIndex(of: Byte.colon), bracket.map({ colon > $0 }) ?? true {
            guard host[(colon + 1)...].allSatisfy(\.isDigit) else { return false }
            host = host[..<colon]
        }
        if host.first == Byte.openBracket {
            guard host.last == Byte.closeBracket else { return false }
            let inner = host.dropFirst().dropLast()
            return NetworkFormats.isIPv6(inner) || isFutureAddress(inner)
        }
        return consists(host) { isUnreserved($0) || isSubDelimiter($0) }
    }

    private static func isFutureAddress(_ text: TextSlice) -> Bool {
        guard let first = text.first, first | 0x20 == UInt8(ascii: "v") else { return false }
        let version = text.dropFirst().prefix { $0.hexValue != nil }
        let rest = text[version.endIndex...]
        return !version.isEmpty && rest.first == Byte.point && rest.count > 1
            && rest.dropFirst().allSatisfy { isUnreserved($0) || isSubDelimiter($0) || $0 == Byte.colon }
    }
}

/// A URI reference in its five parts (RFC 3986, appendix B).
struct URIReference: Sendable, Hashable {
    var scheme: String?
    var authority: String?
    var path = ""
    var query: String?
    /// With its %xx escapes.
    var fragment: String?

    init(_ text: String) {
        var rest = Substring(text)
        if let mark = rest.firstIndex(of: "#") {
            fragment = String(rest[rest.index(after: mark)...])
            rest = rest[..<mark]
        }
        if let mark = rest.firstIndex(of: "?") {
            query = String(rest[rest.index(after: mark)...])
            rest = rest[..<mark]
        }
        if let colon = rest.firstIndex(of: ":"), rest.firstIndex(of: "/").map({ colon < $0 }) ?? true,
            colon > rest.startIndex
        {
            scheme = rest[..<colon].lowercased()
            rest = rest[rest.index(after: colon)...]
        }
        if rest.hasPrefix("//") {
            let inner = rest.dropFirst(2)
            let end = inner.firstIndex(of: "/") ?? inner.endIndex
            authority = String(inner[..<end])
            rest = inner[end...]
        }
        path = String(rest)
    }

    /// The reference as seen from a base (RFC 3986, section 5.2.2).
    func resolved(against base: URIReference) -> URIReference {
        var target = self
        if scheme != nil {
            target.path = Self.withoutDots(path)
            return target
        }
        target.scheme = base.scheme
        if authority != nil {
            target.path = Self.withoutDots(path)
            return target
        }
        target.authority = base.authority
        if path.isEmpty {
            target.path = base.path
            target.query = query ?? base.query
        } else if path.hasPrefix("/") {
            target.path = Self.withoutDots(path)
        } else if base.authority != nil, base.path.isEmpty {
            target.path = Self.withoutDots("/" + path)
        } else {
            let directory = base.path.lastIndex(of: "/").map { base.path[...$0] } ?? ""
            target.path = Self.withoutDots(directory + path)
        }
        return target
    }

    private static func withoutDots(_ path: String) -> String {
        guard path.contains("/") || path == "." || path == ".." else { return path }
        let isRooted = path.hasPrefix("/")
        var output: [Substring] = []
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst(isRooted ? 1 : 0)
        for (index, segment) in segments.enumerated() {
            let isLast = index == segments.count - 1
            switch segment {
            case ".": if isLast { output.append("") }
            case "..":
                _ = output.popLast()
                if isLast { output.append("") }
            default: output.append(segment)
            }
        }
        return (isRooted ? "/" : "") + output.joined(separator: "/")
    }

    /// The whole without the fragment.
    var withoutFragment: String {
        (scheme.map { $0 + ":" } ?? "") + (authority.map { "//" + $0 } ?? "") + path + (query.map { "?" + $0 } ?? "")
    }

    /// The fragment with its %xx escapes resolved; nil when an escape is broken or makes no UTF-8.
    var decodedFragment: String? {
        guard let fragment else { return "" }
        var bytes: [UInt8] = []
        var rest = Array(fragment.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst()?.hexValue, let low = rest.popFirst()?.hexValue else { return nil }
            bytes.append(UInt8(high << 4 | low))
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
