import Testing

@testable import ZeroMQ

extension ZeroMQTests {
    @Suite struct Routes {
        @Test func aRouteThatIsGoneIsUnreachable() throws {
            let context = try context()
            var router = try bound(context, .router)
            let endpoint = try router.lastEndpoint()
            #expect(try router.send([1], to: [0, 1, 2, 3, 4]) == .unreachable)
            // And a refused message leaves nothing behind that would spoil the next one.
            var dealer = try connected(context, .dealer, endpoint)
            try expectSent(&dealer, [5])
            let received = try expectNext(&router)
            #expect(try router.send([9], to: [0, 1, 2, 3, 4]) == .unreachable)
            #expect(try router.send([6], to: received.route) == .sent)
            #expect(try expectNext(&dealer).payload == [6])
        }

        @Test func aFullQueueSaysSoAndLosesNothing() throws {
            let context = try context()
            let small = options {
                $0.sendHighWater = 20
                $0.receiveHighWater = 20
            }
            var router = try bound(context, .router, small)
            let endpoint = try router.lastEndpoint()
            var dealer = try connected(context, .dealer, endpoint, small)
            try expectSent(&dealer, [0])
            let route = try expectNext(&router).route
            var sent: UInt32 = 0
            // 16 KiB each, so that the kernel's buffers fill up too.
            while sent < 10_000 {
                let result = try router.send(numbered(sent), to: route)
                guard result == .sent else {
                    #expect(result == .wouldBlock)
                    break
                }
                sent += 1
            }
            #expect(sent >= 20 && sent < 10_000)
            for expected in 0..<sent {
                #expect(try expectNext(&dealer).payload.prefix(4) == numbered(expected).prefix(4))
            }
            #expect(try next(&dealer, within: glimpse) == nil)
            // The queue is open again: the ROUTER learns it when it handles the reader's progress, at a poll or a send.
            let end = ContinuousClock.now.advanced(by: patience)
            var result = SendResult.wouldBlock
            while result == .wouldBlock && ContinuousClock.now < end {
                result = try router.send(numbered(sent), to: route)
            }
            #expect(result == .sent)
            #expect(try expectNext(&dealer).payload.prefix(4) == numbered(sent).prefix(4))
        }

        @Test func aDealerWithoutAPeerWouldBlock() throws {
            let context = try context()
            var dealer = try connected(context, .dealer, "tcp://127.0.0.1:9")
            #expect(try dealer.send([1]) == .wouldBlock)
        }

        /// The default: identity is the key, a routing id is only a claim, so the first one to claim it keeps it.
        @Test func withoutHandoverALiveRouteCannotBeTakenOver() throws {
            let context = try context()
            var router = try bound(context, .router)
            let endpoint = try router.lastEndpoint()
            let claim = options { $0.routingID = Array("agent-1".utf8) }
            var first = try connected(context, .dealer, endpoint, claim)
            try expectSent(&first, Array("first".utf8))
            #expect(try expectNext(&router).route == Array("agent-1".utf8))

            var thief = try connected(context, .dealer, endpoint, claim)
            try expectSent(&thief, Array("thief".utf8))
            #expect(try next(&router, within: glimpse) == nil)

            #expect(try router.send([42], to: Array("agent-1".utf8)) == .sent)
            #expect(try expectNext(&first).payload == [42])
            #expect(try next(&thief, within: glimpse) == nil)
            try expectSent(&first, Array("still here".utf8))
            #expect(try expectNext(&router).payload == Array("still here".utf8))
        }

        @Test func withHandoverTheNewcomerTakesTheRoute() throws {
            let context = try context()
            var router = try bound(context, .router, options { $0.handover = true })
            let endpoint = try router.lastEndpoint()
            let claim = options { $0.routingID = Array("agent-1".utf8) }
            var first = try connected(context, .dealer, endpoint, claim)
            try expectSent(&first, Array("first".utf8))
            _ = try expectNext(&router)

            var newcomer = try connected(context, .dealer, endpoint, claim)
            try expectSent(&newcomer, Array("newcomer".utf8))
            #expect(try expectNext(&router).payload == Array("newcomer".utf8))
            #expect(try router.send([42], to: Array("agent-1".utf8)) == .sent)
            #expect(try expectNext(&newcomer).payload == [42])
            #expect(try next(&first, within: glimpse) == nil)
        }

        @Test func unnamedPeersGetRoutesOfTheirOwn() throws {
            let context = try context()
            var router = try bound(context, .router)
            let endpoint = try router.lastEndpoint()
            var one = try connected(context, .dealer, endpoint)
            var two = try connected(context, .dealer, endpoint)
            try expectSent(&one, [1])
            let first = try expectNext(&router)
            try expectSent(&two, [2])
            let second = try expectNext(&router)
            #expect(first.route.first == 0 && second.route.first == 0 && first.route != second.route)
            #expect(try router.send([20], to: second.route) == .sent)
            #expect(try router.send([10], to: first.route) == .sent)
            #expect(try expectNext(&one).payload == [10])
            #expect(try expectNext(&two).payload == [20])
        }

        @Test func sendingTheWrongWayIsAnError() throws {
            let context = try context()
            var router = try Socket(context, .router, options: options())
            var dealer = try Socket(context, .dealer, options: options())
            #expect(throws: ZeroMQError.self) { try router.send([1]) }
            #expect(throws: ZeroMQError.self) { try dealer.send([1], to: [1]) }
            #expect(throws: ZeroMQError.self) { try router.send([1], to: []) }
            #expect(throws: ZeroMQError.self) { try router.send([1], to: [UInt8](repeating: 1, count: 256)) }
        }

        private func numbered(_ number: UInt32) -> [UInt8] {
            [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) } + [UInt8](repeating: 0, count: 16_384)
        }
    }
}
