// Compiled together with BusProtocol by deploy/fuzz.sh; the toolchain's libFuzzer calls it and steers by what it covers.

/// One frame, or one header: what is accepted must be inside its bytes and have one encoding.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzWire(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let raw = UnsafeRawBufferPointer(start: data, count: size)
    readHeader(raw)
    readFrame(raw)
    return 0
}

private func readHeader(_ raw: UnsafeRawBufferPointer) {
    let view = try? HeaderView(raw, in: 0..<raw.count)
    guard let header = try? Header(decoding: raw, in: 0..<raw.count) else {
        precondition(view == nil, "the two readers differ")
        return
    }
    precondition(view != nil, "the two readers differ")
    precondition(header.encoded().elementsEqual(raw), "a second encoding")
}

private func readFrame(_ raw: UnsafeRawBufferPointer) {
    guard let head = try? FrameHead(raw) else { return }
    var fields = head.fields(of: raw)
    switch head.command {
    case .hello: _ = try? Hello(&fields)
    case .welcome: _ = try? Welcome(&fields)
    case .error: _ = try? FaultNotice(&fields)
    case .accept: _ = try? Acceptance(&fields)
    case .ack, .nak, .term: _ = try? Settlement(&fields)
    case .report: _ = try? AgentReport(&fields)
    case .ping, .pong: _ = try? Heartbeat.decode(&fields)
    case .submit, .deliver:
        _ = try? EnvelopeFrame.decode(raw, head) { _, result in
            guard case .success(let view) = result else { return }
            for range in [view.header.range, view.proof, view.annotations, view.body] {
                precondition(range.upperBound <= raw.count, "a range behind the end")
            }
            var annotations = ByteReader(raw, from: view.annotations.lowerBound, to: view.annotations.upperBound)
            _ = try? Annotations(&annotations)
        }
    case .credit, .drain, .bye: break
    }
}
