/// An array or object that is still open.
struct OpenContainer: BitwiseCopyable {
    let entry: Int
    /// Where the names of this object begin on the stack of names.
    let names: Int
    /// One bit per hash seen: a clear bit proves a name new without looking.
    var seen: UInt64
    let isObject: Bool
}

/// A name of an open object.
struct OpenName: BitwiseCopyable {
    let hash: UInt64
    let entry: Int
}

/// The buffers of one scan, reused from text to text.
struct TapeBuffers: ~Copyable {
    var entries = RawStack<TapeEntry>(capacity: 512)
    var decoded = RawStack<UInt8>(capacity: 512)
    var open = RawStack<OpenContainer>(capacity: 32)
    var names = RawStack<OpenName>(capacity: 64)

    /// The most each buffer keeps between texts, in elements.
    static let retained = 1 << 16

    mutating func empty() {
        entries.count = 0
        decoded.count = 0
        open.count = 0
        names.count = 0
    }

    mutating func trim() {
        entries.shrink(to: Self.retained)
        decoded.shrink(to: Self.retained)
        names.shrink(to: Self.retained)
    }

    /// Notes a value or a name; the scanner has made room for it.
    @inline(__always)
    mutating func push(_ kind: TapeKind, flags: UInt8 = 0, start: Int, end: Int, link: UInt32 = 0) {
        entries.pushWithinCapacity(
            TapeEntry(
                kind: kind, flags: flags, start: UInt32(truncatingIfNeeded: start),
                length: UInt32(truncatingIfNeeded: end &- start), link: link))
    }

    func view(of body: UnsafeBufferPointer<UInt8>) -> TapeView {
        TapeView(
            entries: UnsafePointer(entries.base), body: body.baseAddress ?? UnsafePointer(decoded.base),
            decoded: UnsafePointer(decoded.base))
    }
}

/// A growable run of plain values outside the heap of Swift objects; freed with its owner.
struct RawStack<Element: BitwiseCopyable>: ~Copyable {
    private(set) var base: UnsafeMutablePointer<Element>
    private(set) var capacity: Int
    var count = 0

    init(capacity: Int) {
        self.capacity = capacity
        base = .allocate(capacity: capacity)
    }

    deinit { base.deallocate() }

    @inline(__always)
    mutating func push(_ element: Element) {
        if count == capacity { grow(to: count + 1) }
        pushWithinCapacity(element)
    }

    /// For callers that have made room before.
    @inline(__always)
    mutating func pushWithinCapacity(_ element: Element) {
        base[count] = element
        count = count &+ 1
    }

    mutating func reserve(_ more: Int) {
        if count + more > capacity { grow(to: count + more) }
    }

    /// Gives memory back after an unusually large text, so that one text does not hold memory for ever.
    @inline(__always)
    mutating func shrink(to most: Int) {
        if capacity > most { replace(capacity: most) }
    }

    private mutating func replace(capacity most: Int) {
        base.deallocate()
        base = .allocate(capacity: most)
        capacity = most
        count = 0
    }

    @inline(never)
    private mutating func grow(to needed: Int) {
        let larger = max(needed, capacity * 2)
        let fresh = UnsafeMutablePointer<Element>.allocate(capacity: larger)
        fresh.update(from: base, count: count)
        base.deallocate()
        base = fresh
        capacity = larger
    }
}
