import BusProtocol
import Testing

@testable import BusBroker

/// The index of open calls does what a dictionary does.
@Suite("Index of open calls")
struct CallIndexTests {
    @Test func isADictionary() {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var random = Seeded(seed)
        var index = CallIndex()
        var known: [MessageID: Int32] = [:]
        // Few and similar ids first, so that they meet; many then, so that it grows; and all of them go in the end.
        for turn in 0..<60_000 {
            let bits: UInt128 = turn < 20_000 ? 0x3f : 0xffff
            let id = MessageID(value: UInt128(random.next()) & bits | UInt128(7) << 76)
            let place = index.place(of: id)
            #expect(place.slot == known[id])
            if known[id] == nil, random.next() % 3 > 0 {
                known[id] = Int32(turn)
                index.insert(id, Int32(turn), at: place)
            } else {
                known[id] = nil
                index.remove(id)
            }
            if index.count != known.count {
                Issue.record("\(index.count) of \(known.count), turn \(turn), seed \(seed)")
            }
        }
        for (id, slot) in known.shuffled(using: &random) {
            #expect(index.place(of: id).slot == slot)
            index.remove(id)
            #expect(index.place(of: id).slot == nil)
        }
        #expect(index.count == 0)
    }
}
