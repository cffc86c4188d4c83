/// The hash of member names. It is seeded once per process, so that nobody outside can prepare names that collide.
enum NameHash {
    static let seed = UInt64.random(in: .min ... .max)
    private static let odd: UInt64 = 0x9E37_79B9_7F4A_7C15

    @inline(__always)
    static func of(_ text: UnsafeBufferPointer<UInt8>, seed: UInt64) -> UInt64 {
        var hash = seed ^ (UInt64(truncatingIfNeeded: text.count) &* odd)
        guard let base = text.baseAddress.map({ UnsafeRawPointer($0) }) else { return fold(hash, odd) }
        var offset = 0
        while offset + 8 <= text.count {
            hash = fold(hash ^ base.loadUnaligned(fromByteOffset: offset, as: UInt64.self), odd)
            offset += 8
        }
        return fold(hash ^ tail(base, from: offset, count: text.count), odd &+ hash)
    }

    static func of(_ bytes: [UInt8]) -> UInt64 {
        bytes.withUnsafeBufferPointer { of($0, seed: seed) }
    }

    /// The last 0 to 7 bytes; overlapping loads keep it free of a loop.
    @inline(__always)
    private static func tail(_ base: UnsafeRawPointer, from offset: Int, count: Int) -> UInt64 {
        let left = count - offset
        if left >= 4 {
            let low = UInt64(base.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            let high = UInt64(base.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self))
            return low | high << 32
        }
        guard left > 0 else { return 0 }
        let first = UInt64(base.load(fromByteOffset: offset, as: UInt8.self))
        let middle = UInt64(base.load(fromByteOffset: offset + left / 2, as: UInt8.self))
        let last = UInt64(base.load(fromByteOffset: count - 1, as: UInt8.self))
        return first | middle << 8 | last << 16
    }

    @inline(__always)
    static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }
}
