import DequeModule

/// What was sent to one peer and is not known to be read: it may stand in this process's memory, whatever credit the peer grants.
///
/// A PONG proves that everything before its PING was read. Tokens are drawn at random, so nobody answers what it has not read.
struct UnreadFrames: Sendable {
    /// PINGs remembered. An answer to a later one covers the earlier.
    static let marks = 64

    private struct Mark: Sendable {
        let token: UInt64
        let bytes: Int
        let frames: Int
    }

    private let mostBytes: Int
    private let mostFrames: Int
    private var sent = (bytes: 0, frames: 0)
    private var read = (bytes: 0, frames: 0)
    private var marked = (bytes: 0, frames: 0)
    private var marks: Deque<Mark> = []

    init(_ limits: BrokerLimits) {
        mostBytes = limits.unreadBytes
        mostFrames = limits.unreadFrames
    }

    var bytes: Int { sent.bytes - read.bytes }
    var frames: Int { sent.frames - read.frames }

    /// Whether something of this size may be sent. A lone message always may, however large.
    func hasRoom(for cost: Int = 0) -> Bool {
        frames < mostFrames && (bytes + cost <= mostBytes || bytes == 0)
    }

    /// Twice over the limit: only answers to what the peer itself sends can have done that.
    var isHopeless: Bool { frames >= 2 * mostFrames || bytes >= 2 * mostBytes }

    /// A quarter of the limit went out since the last PING: another one finds out how much of it was read.
    var wantsMark: Bool {
        sent.bytes - marked.bytes >= mostBytes / 4 || sent.frames - marked.frames >= mostFrames / 4
    }

    mutating func sent(_ size: Int) {
        sent.bytes += size
        sent.frames += 1
    }

    /// A PING with this token is the last thing sent.
    mutating func mark(_ token: UInt64) {
        marked = sent
        marks.append(Mark(token: token, bytes: sent.bytes, frames: sent.frames))
        if marks.count > Self.marks { marks.removeFirst() }
    }

    /// - Returns: whether the token was one of ours.
    mutating func answered(_ token: UInt64) -> Bool {
        guard let index = marks.firstIndex(where: { $0.token == token }) else { return false }
        read = (marks[index].bytes, marks[index].frames)
        marks.removeFirst(index + 1)
        return true
    }
}

/// What is unread on connections whose sessions ended: a HELLO that comes on one of them takes it up, so that nobody gets rid of
/// it by saying goodbye.
struct LeftUnread: Sendable {
    /// Connections remembered. Most of them are closed already, which nobody tells a broker.
    static let limit = 4096

    private var byRoute: [[UInt8]: UnreadFrames] = [:]
    private var order: Deque<[UInt8]> = []

    mutating func keep(_ unread: UnreadFrames, on route: [UInt8]) {
        guard unread.frames > 0 else { return }
        if byRoute.updateValue(unread, forKey: route) == nil { order.append(route) }
        while order.count > Self.limit { byRoute[order.removeFirst()] = nil }
    }

    mutating func take(_ route: [UInt8]) -> UnreadFrames? {
        guard let unread = byRoute.removeValue(forKey: route) else { return nil }
        order.removeAll { $0 == route }
        return unread
    }
}
