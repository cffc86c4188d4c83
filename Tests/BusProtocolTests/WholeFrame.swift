import BusProtocol

/// A frame of any command as values: what the tests compare, and the one place that knows which decoder belongs to
/// which command.
struct WholeFrame: Equatable {
    struct Envelope: Equatable {
        var header: Header
        var proof: [UInt8]
        /// The row of the table that the proof refers to; empty where it refers to none.
        var signedRoot: [UInt8]
        var annotations: Annotations?
        var body: [UInt8]
    }

    enum Content: Equatable {
        case hello(Hello)
        case welcome(Welcome)
        case error(FaultNotice)
        case envelopes([Envelope])
        case acceptance(Acceptance)
        case settlement(Settlement)
        case report(AgentReport)
        case token(UInt64)
        case query(StateQuery)
        case state(StateAnswer)
        case seek(Seek)
        case done(Done)
        case space(SpaceFrame)
        case want(KeyWish)
        case keys(KeyAnswer)
        case prove(LogWish)
        case proof(LogAnswer)
        case nothing
    }

    var command: Command
    var version: UInt8
    var sequence: UInt64
    var messageLimit: UInt64
    var byteLimit: UInt64
    var content: Content
    /// Envelopes that are bad by themselves, by index.
    var faults: [Int: FaultCode] = [:]

    init(
        command: Command, version: UInt8, sequence: UInt64, messageLimit: UInt64, byteLimit: UInt64, content: Content
    ) {
        self.command = command
        self.version = version
        self.sequence = sequence
        self.messageLimit = messageLimit
        self.byteLimit = byteLimit
        self.content = content
    }

    init(_ frame: UnsafeRawBufferPointer) throws(Fault) {
        let head = try FrameHead(frame)
        self.init(
            command: head.command, version: head.version, sequence: head.sequence, messageLimit: head.messageLimit,
            byteLimit: head.byteLimit, content: .nothing)
        var fields = head.fields(of: frame)
        switch head.command {
        case .hello: content = .hello(try Hello(&fields))
        case .welcome: content = .welcome(try Welcome(&fields))
        case .error: content = .error(try FaultNotice(&fields))
        case .accept: content = .acceptance(try Acceptance(&fields))
        case .ack, .nak, .term: content = .settlement(try Settlement(&fields))
        case .report: content = .report(try AgentReport(&fields, version: head.version))
        case .ping, .pong: content = .token(try Heartbeat.decode(&fields))
        case .query: content = .query(try StateQuery(&fields))
        case .state: content = .state(try StateAnswer(&fields, version: head.version))
        case .seek: content = .seek(try Seek(&fields))
        case .done: content = .done(try Done(&fields))
        case .space: content = .space(try SpaceFrame(&fields))
        case .want: content = .want(try KeyWish(&fields))
        case .keys: content = .keys(try KeyAnswer(&fields))
        case .prove: content = .prove(try LogWish(&fields))
        case .proof: content = .proof(try LogAnswer(&fields))
        case .credit, .drain, .bye: content = .nothing
        case .submit, .deliver: try readEnvelopes(frame, head)
        }
    }

    private mutating func readEnvelopes(_ frame: UnsafeRawBufferPointer, _ head: FrameHead) throws(Fault) {
        var read: [Envelope] = []
        var bad: [Int: FaultCode] = [:]
        var late: Fault?
        try EnvelopeFrame.decode(frame, head) { index, result in
            do throws(Fault) {
                let view = try result.get()
                let header = try Header(decoding: frame, in: view.header.range)
                var annotations: Annotations?
                if !view.annotations.isEmpty {
                    var reader = ByteReader(frame, from: view.annotations.lowerBound, to: view.annotations.upperBound)
                    do throws(Fault) { annotations = try Annotations(&reader) } catch { late = error }
                }
                read.append(
                    Envelope(
                        header: header, proof: Array(frame[view.proof]), signedRoot: Array(frame[view.signedRoot]),
                        annotations: annotations, body: Array(frame[view.body])))
            } catch {
                bad[index] = error.code
            }
        }
        if let late { throw late }
        content = .envelopes(read)
        faults = bad
    }

    var withoutRoots: WholeFrame { changing { $0.signedRoot = [] } }

    /// Without what a writer of frames makes anew: which row a proof names, and proofs that name none.
    var withCanonicalProofs: WholeFrame {
        changing {
            if $0.signedRoot.isEmpty { $0.proof = [] } else { $0.proof.replaceSubrange(2..<4, with: [0, 0]) }
        }
    }

    private func changing(_ change: (inout Envelope) -> Void) -> WholeFrame {
        guard case .envelopes(var envelopes) = content else { return self }
        for index in envelopes.indices { change(&envelopes[index]) }
        var frame = self
        frame.content = .envelopes(envelopes)
        return frame
    }

    func encoded() -> [UInt8] {
        var head = FrameHead(command, version: version)
        head.sequence = sequence
        head.messageLimit = messageLimit
        head.byteLimit = byteLimit
        switch content {
        case .hello(let fields): return head.frame(fields.encoded())
        case .welcome(let fields): return head.frame(fields.encoded())
        case .error(let fields): return head.frame(fields.encoded())
        case .acceptance(let fields): return head.frame(fields.encoded())
        case .settlement(let fields): return head.frame(fields.encoded())
        case .report(let fields): return head.frame(fields.encoded())
        case .token(let token): return head.frame(Heartbeat.encode(token))
        case .query(let fields): return head.frame(fields.encoded())
        case .state(let fields): return head.frame(fields.encoded())
        case .seek(let fields): return head.frame(fields.encoded())
        case .done(let fields): return head.frame(fields.encoded())
        case .space(let fields): return head.frame(fields.encoded())
        case .want(let fields): return head.frame(fields.encoded())
        case .keys(let fields): return head.frame(fields.encoded())
        case .prove(let fields): return head.frame(fields.encoded())
        case .proof(let fields): return head.frame(fields.encoded())
        case .nothing: return head.frame()
        case .envelopes(let envelopes):
            return EnvelopeFrame.encode(
                head,
                envelopes.map { item in
                    var out = OutgoingEnvelope(
                        header: item.header.encoded()[...], body: item.body[...], annotations: item.annotations)
                    out.proof = item.proof[...]
                    out.signedRoot = item.signedRoot[...]
                    return out
                })
        }
    }
}

extension [UInt8] {
    /// Reads the frame, with the fault as a value.
    func readFrame() -> Result<WholeFrame, Fault> {
        withUnsafeBytes { raw in
            do throws(Fault) { return .success(try WholeFrame(raw)) } catch { return .failure(error) }
        }
    }

    /// Reads the header in place, with the fault as a value.
    func readHeaderView() -> Result<HeaderView, Fault> {
        withUnsafeBytes { raw in
            do throws(Fault) { return .success(try HeaderView(raw, in: 0..<raw.count)) } catch {
                return .failure(error)
            }
        }
    }

    /// Reads every field of the header, with the fault as a value.
    func readHeader() -> Result<Header, Fault> {
        do throws(Fault) { return .success(try Header(decoding: self)) } catch { return .failure(error) }
    }
}

extension Result where Failure == Fault {
    var fault: FaultCode? { if case .failure(let fault) = self { fault.code } else { nil } }
}
