import BusProtocol

/// One piece of work by kind and target. Names are hashed with this process's own seed, so that asking makes no strings.
struct Work: Sendable, Hashable {
    let kind: MessageKind
    let target: Int

    init(_ kind: MessageKind, _ target: String) { self.init(kind, hash: Self.hash(target)) }

    init(_ kind: MessageKind, hash: Int) {
        self.kind = kind
        target = hash
    }

    static func hash(_ name: String) -> Int {
        var name = name
        return name.withUTF8 { hash(UnsafeRawBufferPointer($0)) }
    }

    static func hash(_ name: UnsafeRawBufferPointer) -> Int {
        var hasher = Hasher()
        hasher.combine(bytes: name)
        return hasher.finalize()
    }
}

/// What one session takes, as HELLO or its last REPORT said.
struct TakenWork: Sendable {
    /// How well a piece of work fits: who names it goes before who takes its whole kind or says nothing.
    enum Fit: Int, Comparable, Sendable {
        case none, general, named
        static func < (a: Fit, b: Fit) -> Bool { a.rawValue < b.rawValue }
    }

    private var kinds: Set<MessageKind> = []
    private var names: Set<Work> = []

    init(_ takes: Takes) {
        for row in takes.rows {
            if row.target.isEmpty { kinds.insert(row.kind) } else { names.insert(Work(row.kind, row.target)) }
        }
    }

    func fit(_ work: Work) -> Fit {
        if names.contains(work) { return .named }
        return kinds.contains(work.kind) ? .general : .none
    }

    func takes(_ kind: MessageKind) -> Bool { kinds.contains(kind) || names.contains { $0.kind == kind } }
}
