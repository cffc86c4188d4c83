// Names of members: each is hashed once, for the check for duplicates here and for the schema's rules later.
extension TapeScanner {
    /// Objects with more names than this are checked for duplicates by sorting when they close.
    private static var namesComparedAtOnce: Int { 48 }
    /// Equal 64-bit hashes of different names that are still taken for chance.
    private static var toleratedCollisions: Int { 8 }

    /// Scans a name and the colon after it.
    @inline(__always)
    mutating func scanName(_ at: Int, _ buffers: inout TapeBuffers) throws(ScanFault) -> Int {
        try makeRoom(at, &buffers)
        let start = try text.after(Byte.quote, from: at)
        let entry = buffers.entries.count
        var end = start
        let hash: UInt64
        if let plain = hashOfPlainName(start, &end) {
            hash = plain
            buffers.push(.string, start: start, end: end, link: UInt32(truncatingIfNeeded: hash))
        } else {
            (hash, end) = try scanUncommonName(start, &buffers)
        }
        let next = try text.after(Byte.colon, from: end &+ 1)
        try noteName(OpenName(hash: hash, entry: entry), at: start &- 1, &buffers)
        return next
    }

    /// The hash of a name of plain ASCII, found with its end in one go; nil for others.
    @inline(__always)
    private func hashOfPlainName(_ start: Int, _ end: inout Int) -> UInt64? {
        var offset = start
        var hash = NameHash(seed: seed)
        while true {
            let word = text.word(at: offset)
            let ends = word.endsOfPlainRun
            if ends != 0 {
                let last = EightBytes.offset(of: ends)
                guard word.byte(at: last) == Byte.quote else { return nil }
                end = offset &+ last
                return hash.finished(word.first(last), count: end &- start)
            }
            hash.add(word)
            offset = offset &+ EightBytes.width
        }
    }

    /// A name with more than plain ASCII: its hash, and where its closing quote is.
    @inline(never)
    private mutating func scanUncommonName(
        _ start: Int, _ buffers: inout TapeBuffers
    ) throws(ScanFault) -> (hash: UInt64, end: Int) {
        let entry = buffers.entries.count
        let after = try scanString(start - 1, &buffers)
        let hash = NameHash.of(buffers.view(of: text.all).text(entry), seed: seed)
        buffers.entries.base[entry].link = UInt32(truncatingIfNeeded: hash)
        return (hash, after - 1)
    }

    // MARK: duplicates

    @inline(__always)
    private mutating func noteName(_ name: OpenName, at offset: Int, _ buffers: inout TapeBuffers) throws(ScanFault) {
        let object = buffers.open.base + (buffers.open.count &- 1)
        let bit = UInt64(1) &<< (name.hash &>> 58)
        if object.pointee.seen & bit != 0 { try compare(name, from: object.pointee.names, at: offset, &buffers) }
        object.pointee.seen |= bit
        buffers.names.push(name)
    }

    @inline(never)
    private mutating func compare(
        _ name: OpenName, from first: Int, at offset: Int, _ buffers: inout TapeBuffers
    ) throws(ScanFault) {
        guard buffers.names.count - first < Self.namesComparedAtOnce else { return }
        for other in first..<buffers.names.count
        where buffers.names.base[other].hash == name.hash && sameName(name, buffers.names.base[other], &buffers) {
            throw ScanFault(reason: .duplicateName, offset: offset)
        }
    }

    private mutating func sameName(_ left: OpenName, _ right: OpenName, _ buffers: inout TapeBuffers) -> Bool {
        let view = buffers.view(of: text.all)
        return sameBytes(view.text(left.entry), view.text(right.entry))
    }

    /// Drops the names of an object closed before `at`; a large one is only now looked through for duplicates, by
    /// sorting.
    @inline(__always)
    mutating func closeNames(from first: Int, _ at: Int, _ buffers: inout TapeBuffers) throws(ScanFault) {
        if buffers.names.count &- first > Self.namesComparedAtOnce { try searchDuplicates(from: first, at, &buffers) }
        buffers.names.count = first
    }

    @inline(never)
    private mutating func searchDuplicates(
        from first: Int, _ at: Int, _ buffers: inout TapeBuffers
    ) throws(ScanFault) {
        var names = UnsafeMutableBufferPointer(start: buffers.names.base + first, count: buffers.names.count - first)
        names.sort { ($0.hash, $0.entry) < ($1.hash, $1.entry) }
        var groupStart = 0
        for index in names.indices.dropFirst() {
            if names[index].hash != names[groupStart].hash {
                groupStart = index
                continue
            }
            for other in groupStart..<index where sameName(names[index], names[other], &buffers) {
                let name = buffers.entries.base[names[index].entry]
                let isDecoded = name.flags & TapeEntry.decoded != 0
                throw ScanFault(reason: .duplicateName, offset: isDecoded ? at - 1 : Int(name.start) - 1)
            }
            if index - groupStart > Self.toleratedCollisions {
                throw ScanFault(reason: .collidingNames, offset: at - 1)
            }
        }
    }
}
