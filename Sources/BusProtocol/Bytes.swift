/// Appends numbers (little endian) and short texts to an array of bytes.
package struct ByteWriter: Sendable {
    package private(set) var bytes: [UInt8] = []

    package init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    package var count: Int { bytes.count }

    // One function a type: called from other modules, a generic one would go through the type's witness table and its metadata
    // for every number of every message.
    package mutating func put(_ number: UInt8) { write(number) }
    package mutating func put(_ number: UInt16) { write(number) }
    package mutating func put(_ number: UInt32) { write(number) }
    package mutating func put(_ number: UInt64) { write(number) }
    package mutating func put(_ number: Int32) { write(number) }
    package mutating func put(_ number: Int64) { write(number) }

    @inline(__always)
    private mutating func write<Number: FixedWidthInteger>(_ number: Number) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// A 16-byte value in big-endian order, so that its bytes read like its text.
    @inline(__always)
    package mutating func put(id: UInt128) {
        withUnsafeBytes(of: id.bigEndian) { bytes.append(contentsOf: $0) }
    }

    @inline(__always)
    package mutating func put(raw: some Sequence<UInt8>) { bytes.append(contentsOf: raw) }

    @inline(__always)
    package mutating func put(raw: UnsafeRawBufferPointer) { bytes.append(contentsOf: raw) }

    /// A text of at most 255 bytes behind a length byte; longer text is cut between characters.
    package mutating func put(short text: String) {
        var text = text
        if text.utf8.count > 255 { text = Self.cut(text, to: 255) }
        bytes.append(UInt8(truncatingIfNeeded: text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    /// A text behind a two-byte length; longer than 65,535 bytes is cut between characters.
    package mutating func put(long text: String) {
        var text = text
        if text.utf8.count > 65_535 { text = Self.cut(text, to: 65_535) }
        put(UInt16(truncatingIfNeeded: text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    package mutating func overwrite<Number: FixedWidthInteger>(_ number: Number, at offset: Int) {
        withUnsafeBytes(of: number.littleEndian) { source in
            for index in source.indices { bytes[offset + index] = source[index] }
        }
    }

    package consuming func finish() -> [UInt8] { bytes }

    /// Cuts between Unicode scalars: a scalar is at most 4 bytes, so something always stays, while one grapheme
    /// with many combining marks could be longer than the limit.
    private static func cut(_ text: String, to limit: Int) -> String {
        var kept = String.UnicodeScalarView()
        var size = 0
        for scalar in text.unicodeScalars {
            size += UTF8.width(scalar)
            if size > limit { break }
            kept.append(scalar)
        }
        return String(kept)
    }
}

/// Reads numbers and texts from bytes that somebody else wrote: every read is checked against the end.
///
/// The pointer is only borrowed for the scope of the closure it came from.
package struct ByteReader {
    @usableFromInline let bytes: UnsafeRawBufferPointer
    package private(set) var offset: Int
    package let end: Int
    /// What bytes that cannot be read are called: `badFrame`, or `badHeader` within a header.
    private let code: FaultCode

    @inline(__always)
    package init(_ bytes: UnsafeRawBufferPointer, from: Int = 0, to: Int? = nil, fault code: FaultCode = .badFrame) {
        self.bytes = bytes
        self.code = code
        offset = from
        end = min(to ?? bytes.count, bytes.count)
    }

    package var remaining: Int { end - offset }

    package mutating func take(_: UInt8.Type = UInt8.self) throws(Fault) -> UInt8 { try read() }
    package mutating func take(_: UInt16.Type = UInt16.self) throws(Fault) -> UInt16 { try read() }
    package mutating func take(_: UInt32.Type = UInt32.self) throws(Fault) -> UInt32 { try read() }
    package mutating func take(_: UInt64.Type = UInt64.self) throws(Fault) -> UInt64 { try read() }
    package mutating func take(_: Int32.Type = Int32.self) throws(Fault) -> Int32 { try read() }
    package mutating func take(_: Int64.Type = Int64.self) throws(Fault) -> Int64 { try read() }

    @inline(__always)
    private mutating func read<Number: FixedWidthInteger>() throws(Fault) -> Number {
        let size = MemoryLayout<Number>.size
        guard remaining >= size else { throw short(size) }
        let number = bytes.loadUnaligned(fromByteOffset: offset, as: Number.self)
        offset += size
        return Number(littleEndian: number)
    }

    @inline(__always)
    package mutating func takeID() throws(Fault) -> UInt128 {
        guard remaining >= 16 else { throw short(16) }
        let number = bytes.loadUnaligned(fromByteOffset: offset, as: UInt128.self)
        offset += 16
        return UInt128(bigEndian: number)
    }

    /// The range of the next `count` bytes; moves behind it.
    @inline(__always)
    package mutating func takeRange(_ count: Int) throws(Fault) -> Range<Int> {
        guard count >= 0, remaining >= count else { throw short(count) }
        let range = offset..<offset + count
        offset += count
        return range
    }

    package mutating func takeArray(_ count: Int) throws(Fault) -> [UInt8] {
        Array(bytes[try takeRange(count)])
    }

    package mutating func takeShortText() throws(Fault) -> String {
        try text(in: takeRange(Int(take(UInt8.self))))
    }

    package mutating func takeLongText() throws(Fault) -> String {
        try text(in: takeRange(Int(take(UInt16.self))))
    }

    package func text(in range: Range<Int>) throws(Fault) -> String {
        guard let text = String(validating: bytes[range], as: UTF8.self) else {
            throw Fault(code, at: .unknown, "a text at byte \(range.lowerBound) is not UTF-8")
        }
        return text
    }

    func short(_ wanted: Int) -> Fault {
        Fault(code, at: .unknown, "\(wanted) more bytes were expected, \(remaining) are left")
    }
}

extension UnsafeRawBufferPointer {
    /// The number at a place that is known to be inside.
    @inline(__always)
    func number<Number: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as _: Number.Type) -> Number {
        Number(littleEndian: loadUnaligned(fromByteOffset: offset, as: Number.self))
    }

    /// The id at a place that is known to be inside.
    @inline(__always)
    func id(at offset: Int) -> UInt128 {
        UInt128(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt128.self))
    }
}

extension [UInt8] {
    /// Lower-case hexadecimal, two digits a byte.
    package var hex: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(unsafeUninitializedCapacity: count * 2) { buffer in
            for (index, byte) in self.enumerated() {
                buffer[2 * index] = digits[Int(byte >> 4)]
                buffer[2 * index + 1] = digits[Int(byte & 15)]
            }
            return count * 2
        }
    }

    /// The value of one hexadecimal digit of either case. (`UInt8("+f", radix: 16)` would take a sign.)
    static func value(ofDigit byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// Bytes of a hexadecimal text; `nil` when a character is no digit or one is missing.
    package init?(hex text: String) {
        let digits = Array(text.utf8)
        guard digits.count % 2 == 0 else { return nil }
        self = []
        reserveCapacity(digits.count / 2)
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = Self.value(ofDigit: digits[index]), let low = Self.value(ofDigit: digits[index + 1]) else {
                return nil
            }
            append(high << 4 | low)
        }
    }
}

extension [UInt8] {
    /// Borrows the bytes for a reader that may throw a fault. (`withUnsafeBytes` would lose the fault's type.)
    package func reading<Value>(_ body: (UnsafeRawBufferPointer) throws(Fault) -> Value) throws(Fault) -> Value {
        let result: Result<Value, Fault> = withUnsafeBytes { raw in
            do throws(Fault) { return .success(try body(raw)) } catch { return .failure(error) }
        }
        return try result.get()
    }
}
