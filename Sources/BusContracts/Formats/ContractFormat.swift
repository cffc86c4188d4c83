/// The values of the keyword `format` that are asserted. The others of the standard are annotations here; a contract
/// may not use them, so that nobody believes in a check that does not happen.
enum ContractFormat: UInt8, CaseIterable, Sendable, BitwiseCopyable {
    case none
    case date, time, dateTime, duration
    case email, hostname, ipv4, ipv6
    case uri, uriReference, uuid
    case jsonPointer, relativeJSONPointer, regex
    case iin, bin, cadastralNumber, kato

    /// The word of the schema; nil for ``none``.
    var word: String? {
        switch self {
        case .none: nil
        case .dateTime: "date-time"
        case .uriReference: "uri-reference"
        case .jsonPointer: "json-pointer"
        case .relativeJSONPointer: "relative-json-pointer"
        case .cadastralNumber: "cadastral-number"
        default: "\(self)"
        }
    }

    private static let byWord = Dictionary(
        uniqueKeysWithValues: allCases.compactMap { format in format.word.map { ($0, format) } })

    init?(word: String) {
        guard let format = Self.byWord[word] else { return nil }
        self = format
    }

    static var words: [String] { allCases.compactMap(\.word).sorted() }

    /// What the format asks for, in words a reader of a violation can act on.
    var expectation: String {
        switch self {
        case .none: "anything"
        case .date: "a date that exists, as 2026-05-31"
        case .time: "a time of day with an offset, as 09:30:00+05:00"
        case .dateTime: "a date and time with an offset, as 2026-05-31T09:30:00+05:00"
        case .duration: "a duration of ISO 8601, as P3DT12H"
        case .email: "an e-mail address"
        case .hostname: "a host name"
        case .ipv4: "an IPv4 address"
        case .ipv6: "an IPv6 address"
        case .uri: "an absolute URI"
        case .uriReference: "a URI or a relative reference"
        case .uuid: "a UUID, as 8-4-4-4-12 hexadecimal digits"
        case .jsonPointer: "a JSON Pointer, as /person/name"
        case .relativeJSONPointer: "a relative JSON Pointer, as 1/name"
        case .regex: "a regular expression of ECMA-262"
        case .iin: "an individual identification number: 12 digits, a date that exists, century 1–6, right check digit"
        case .bin: "a business identification number: 12 digits, month 01–12, type 4–6, sign 0–3, right check digit"
        case .cadastralNumber: "a cadastral number, as 20:015:004:165 with building and unit after it"
        case .kato: "a KATO code: 9 digits that begin with the code of a region"
        }
    }

    func accepts(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        switch self {
        case .none: true
        case .date: TimeFormats.isDate(text[...])
        case .time: TimeFormats.isTime(text[...])
        case .dateTime: TimeFormats.isDateTime(text)
        case .duration: TimeFormats.isDuration(text)
        case .email: NetworkFormats.isEmail(text)
        case .hostname: NetworkFormats.isHostname(text[...])
        case .ipv4: NetworkFormats.isIPv4(text[...])
        case .ipv6: NetworkFormats.isIPv6(text[...])
        case .uri: URIFormat.isReference(text, mustBeAbsolute: true)
        case .uriReference: URIFormat.isReference(text, mustBeAbsolute: false)
        case .uuid: NetworkFormats.isUUID(text)
        case .jsonPointer: JSONPointer.isWellFormed(text)
        case .relativeJSONPointer: NetworkFormats.isRelativeJSONPointer(text)
        case .regex: Pattern.isValid(text)
        case .iin: IIN.isValid(text)
        case .bin: BIN.isValid(text)
        case .cadastralNumber: CadastralNumber.isValid(text)
        case .kato: KATO.isValid(text)
        }
    }
}

/// A piece of the text under a check.
typealias TextSlice = Slice<UnsafeBufferPointer<UInt8>>
