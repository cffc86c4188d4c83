/// Why packed state could not be read.
enum PackedFault: Error, Hashable {
    case truncated, outOfRange, notBase64, trailingBytes
}

/// Whole numbers as variable-length bytes (7 bits a byte, low first, zigzag for signed ones), read out as base64 text,
/// so that any encoder stores the records of a thousand integrations in little space.
struct PackedWriter {
    private var bytes: [UInt8] = []

    mutating func put(unsigned value: UInt64) {
        var rest = value
        while rest > 127 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 128)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    mutating func put(_ value: Int64) {
        put(unsigned: UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }

    mutating func put(_ value: Int64?) {
        put(unsigned: value == nil ? 0 : 1)
        if let value { put(value) }
    }

    /// The bytes in base64 (RFC 4648) without padding.
    var text: String {
        var characters: [UInt8] = []
        characters.reserveCapacity(bytes.count * 4 / 3 + 3)
        var held: UInt32 = 0
        var bits = 0
        for byte in bytes {
            held = held << 8 | UInt32(byte)
            bits += 8
            while bits >= 6 {
                bits -= 6
                characters.append(Base64.alphabet[Int(held >> UInt32(bits) & 63)])
            }
        }
        if bits > 0 { characters.append(Base64.alphabet[Int(held << UInt32(6 - bits) & 63)]) }
        return String(decoding: characters, as: UTF8.self)
    }
}

/// Reads what `PackedWriter` wrote.
struct PackedReader {
    private var bytes: [UInt8] = []
    private var position = 0

    init(text: String) throws(PackedFault) {
        bytes.reserveCapacity(text.utf8.count * 3 / 4)
        var held: UInt32 = 0
        var bits = 0
        for character in text.utf8 {
            let value = Base64.values[Int(character)]
            guard value < 64 else { throw .notBase64 }
            held = held << 6 | UInt32(value)
            bits += 6
            guard bits >= 8 else { continue }
            bits -= 8
            bytes.append(UInt8(truncatingIfNeeded: held >> UInt32(bits)))
        }
    }

    mutating func unsigned() throws(PackedFault) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard position < bytes.count else { throw .truncated }
            let byte = bytes[position]
            position += 1
            // The tenth byte has room for one bit only.
            guard shift < 63 || byte <= 1 else { throw .outOfRange }
            value |= UInt64(byte & 127) << shift
            if byte < 128 { return value }
        }
        throw .outOfRange
    }

    mutating func signed() throws(PackedFault) -> Int64 {
        let value = try unsigned()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    /// A time that may be missing; one outside of `UnixTime` would overflow later.
    mutating func time() throws(PackedFault) -> Int64? {
        switch try unsigned() {
        case 0: return nil
        case 1:
            let time = try signed()
            guard time == UnixTime.clamped(time) else { throw .outOfRange }
            return time
        default: throw .outOfRange
        }
    }

    mutating func count(atMost limit: Int) throws(PackedFault) -> Int {
        guard let value = Int(exactly: try unsigned()), value <= limit else { throw .outOfRange }
        return value
    }

    func end() throws(PackedFault) {
        guard position == bytes.count else { throw .trailingBytes }
    }
}

private enum Base64 {
    static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    static let values: [UInt8] = {
        var values = [UInt8](repeating: 255, count: 256)
        for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
        return values
    }()
}
