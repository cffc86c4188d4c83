import BusContracts
import BusDirectory
import BusEvidence
import BusProtocol
import Foundation
import Synchronization
import Testing

@testable import BusAgent

/// What waits for a key, without sockets.
@Suite struct WaitingForKeysTests {
    @Test("two agents of a system that ask each other for a key nobody has come to an end")
    func wantedInVain() throws {
        var waiting = WaitingForKeys(patience: 5_000_000)
        let name = EpochName(7, of: "register")
        for now in stride(from: 0 as UInt64, to: 10_000_000, by: 500_000) {
            waiting.add(nil, name, for: "register", at: now)
            _ = waiting.due(at: now)
            _ = waiting.expired(at: now)
            if now == 4_500_000 { #expect(waiting.wants(name)) }
            if now == 5_000_000 { #expect(!waiting.wants(name)) }
        }
        // Without a session there is nothing to wake up for but the end.
        waiting = WaitingForKeys(patience: 5_000_000)
        waiting.add(nil, EpochName(8, of: "register"), for: "register", at: 20_000_000)
        #expect(waiting.nextTime(canAsk: true) == 20_000_000 && waiting.nextTime(canAsk: false) == 25_000_000)
        for epoch in 100...3000 as ClosedRange<UInt64> {
            waiting.add(nil, EpochName(epoch, of: "register"), for: "register", at: 20_000_000)
        }
        #expect(!waiting.wants(EpochName(3000, of: "register")), "others may ask again later")
    }

    @Test("who sends what nobody can open holds only its own share")
    func share() {
        var waiting = WaitingForKeys(patience: 5_000_000)
        let answer = WaitingForKeys.Item.state(token: 1, StateAnswer(token: 1, rows: []))
        for count in 0..<WaitingForKeys.mostOfOneSender {
            #expect(waiting.hasRoom(for: EpochName(1, of: "portal")), "\(count)")
            waiting.add(answer, EpochName(1, of: "portal"), for: "register", at: 0)
        }
        #expect(!waiting.hasRoom(for: EpochName(1, of: "portal")) && waiting.hasRoom(for: EpochName(1, of: "bank")))
        for epoch in 0..<UInt64(WaitingForKeys.epochsOfOneSender) {
            waiting.add(answer, EpochName(epoch, of: "bank"), for: "register", at: 0)
        }
        #expect(!waiting.hasRoom(for: EpochName(1000, of: "bank")) && waiting.hasRoom(for: EpochName(3, of: "bank")))
    }
}
