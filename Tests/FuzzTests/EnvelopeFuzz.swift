import BusProtocol

/// Headers alone: both readers agree, and what is read has one encoding.
enum EnvelopeFuzz {
    static func target() throws -> FuzzTarget {
        let vectors = try WireVectors.read("headers")
        let format = vectors.first?.first ?? 0
        // A format that is known: what follows is reached.
        let mutator = Mutator(vectors: vectors, words: [Array("individuals.person-get.v1".utf8)]) { bytes, _ in
            if !bytes.isEmpty { bytes[0] = format }
        }
        return FuzzTarget(name: "header", fewInputs: 20_000) {
            mutator.grow(&$0)
        } judge: {
            try judge($0)
        }
    }

    private static func judge(_ bytes: [UInt8]) throws -> Verdict {
        let view = bytes.withUnsafeBytes { raw -> Fault? in
            do throws(Fault) {
                _ = try HeaderView(raw, in: 0..<raw.count)
                return nil
            } catch { return error }
        }
        let read = bytes.withUnsafeBytes { raw -> Result<Header, Fault> in
            do throws(Fault) { return .success(try Header(decoding: raw, in: 0..<raw.count)) } catch {
                return .failure(error)
            }
        }
        switch read {
        case .success(let header):
            guard view == nil else { throw Broken(what: "the two readers differ") }
            guard header.encoded() == bytes else { throw Broken(what: "a second encoding") }
            return Verdict(isPastHead: true, outcomes: ["\(header.kind)"])
        case .failure(let fault):
            guard view == fault else { throw Broken(what: "the two readers differ") }
            return Verdict(isPastHead: bytes.count >= 40, outcomes: ["\(fault.code.number) \(fault.detail.prefix(14))"])
        }
    }
}
