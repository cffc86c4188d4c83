/// KATO, the classifier of administrative and territorial objects: nine digits, the first two name the region.
package enum KATO {
    /// Regions by the first two digits.
    package static let regions: [Int: String] = [
        10: "Abai", 11: "Akmola", 15: "Aktobe", 19: "Almaty oblast", 23: "Atyrau", 27: "West Kazakhstan",
        31: "Zhambyl", 33: "Zhetisu", 35: "Karaganda", 39: "Kostanay", 43: "Kyzylorda", 47: "Mangystau",
        55: "Pavlodar", 59: "North Kazakhstan", 61: "Turkistan", 62: "Ulytau", 63: "East Kazakhstan",
        71: "Astana", 75: "Almaty", 79: "Shymkent",
    ]

    private static let isRegion: [Bool] = (0..<100).map { regions[$0] != nil }

    package static func isValid(_ text: String) -> Bool { text.withBytes { isValid($0) } }

    static func isValid(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard text.count == 9, text.allSatisfy(\.isDigit), let region = TimeFormats.digits(text[...], at: 0, count: 2)
        else { return false }
        return isRegion[region]
    }

    /// The code of an object of a region; nil for an unknown region or a rest beyond 0–9999999.
    package static func make(region: Int, rest: Int) -> String? {
        guard regions[region] != nil, let rest = CheckDigit.padded(rest, 7) else { return nil }
        return "\(region)\(rest)"
    }
}
