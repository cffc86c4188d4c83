import Glibc
import Synchronization
import Testing

@testable import ZeroMQ

extension ZeroMQTests {
    @Suite struct Life {
        @Test func twoHundredSocketsLeaveNoDescriptor() async {
            await #expect(processExitsWith: .success) {
                // The first round also opens what the process keeps.
                var afterRound: [Int] = []
                for _ in 0..<4 {
                    let context = try Context(maxSockets: 1_000)
                    var router = try bound(context, .router)
                    let endpoint = try router.lastEndpoint()
                    for number in 0..<200 {
                        var dealer = try connected(context, .dealer, endpoint)
                        if number % 20 == 0 {
                            try expectSent(&dealer, [1])
                            _ = try expectNext(&router)
                        }
                    }
                    try Wakeup().signal()
                    #expect(context.openSockets == 1)
                    _ = consume router
                    try context.terminate(within: patience)
                    afterRound.append(try openDescriptors())
                }
                #expect(Set(afterRound).count == 1, "descriptors after each round: \(afterRound)")
            }
        }

        @Test func closingWithUnsentMessagesEndsInTime() throws {
            let started = ContinuousClock.now
            do {
                let context = try context()
                // Nobody listens there; without `immediate` the messages wait for a peer that never comes.
                let stubborn = options {
                    $0.immediate = false
                    $0.lingerMs = 300
                }
                var dealer = try connected(context, .dealer, "tcp://127.0.0.1:9", stubborn)
                for _ in 0..<100 { #expect(try dealer.send([1, 2, 3]) == .sent) }
            }
            let took = ContinuousClock.now - started
            #expect(took >= .milliseconds(290), "the linger was not used: \(took)")
            #expect(took < .seconds(5), "the linger was not kept: \(took)")
        }

        @Test func shutdownFreesEveryThreadWhateverItWaitsFor() throws {
            let context = try Context()
            let ready = try Wakeup()
            let waiting = Mutex(0)
            let threads = try (0..<5).map { number in
                try SocketThread(name: "owner-\(number)") {
                    do throws(ZeroMQError) {
                        var socket = try Socket(context, .dealer, options: options())
                        try socket.bind("inproc://owner-\(number)")
                        var poller = Poller()
                        poller.add(socket)
                        if waiting.withLock({
                            $0 += 1
                            return $0 == 5
                        }) {
                            ready.signal()
                        }
                        try poller.wait(atMost: nil)
                        Issue.record("the wait ended without a shutdown")
                    } catch {
                        if !error.isShutdown { Issue.record(error) }
                    }
                }
            }
            #expect(ready.wait(atMost: patience))
            #expect(context.openSockets == 5)
            try context.terminate(within: patience)
            for thread in threads { #expect(thread.join(atMost: patience)) }
            #expect(throws: ZeroMQError.self) { _ = try Socket(context, .dealer) }
        }

        @Test func terminatingWithAnOpenSocketReportsInsteadOfHanging() throws {
            let context = try Context()
            do {
                var socket = try Socket(context, .dealer, options: options())
                let failure = #expect(throws: ZeroMQError.self) { try context.terminate(within: .milliseconds(50)) }
                #expect(failure?.number == ETIMEDOUT)
                let shut = #expect(throws: ZeroMQError.self) { try socket.receive() }
                #expect(shut?.isShutdown == true)
            }
            try context.terminate(within: patience)
            try context.terminate(within: patience)
        }

        @Test func anAddressInUseSaysSo() throws {
            let context = try context()
            let listener = try bound(context, .router)
            let endpoint = try listener.lastEndpoint()
            var second = try Socket(context, .router, options: options())
            let failure = #expect(throws: ZeroMQError.self) { try second.bind(endpoint) }
            #expect(failure?.number == EADDRINUSE)
            #expect(failure?.operation == "bind \(endpoint)")
            #expect(failure?.hint.isEmpty == false)
        }

        @Test(arguments: [
            options { $0.sendHighWater = 0 }, options { $0.receiveHighWater = 0 }, options { $0.lingerMs = -1 },
            options { $0.maxMessageSize = -1 }, options { $0.handshakeMs = 0 }, options { $0.reconnectMaxMs = 1 },
            options { $0.heartbeatTTLMs = 6_553_501 }, options { $0.routingID = [] },
            options { $0.routingID = [0, 1] },
            options { $0.routingID = [UInt8](repeating: 1, count: 256) },
        ])
        func unboundedOptionsAreRefused(unusable: SocketOptions) throws {
            let context = try context()
            let failure = #expect(throws: ZeroMQError.self) { _ = try Socket(context, .router, options: unusable) }
            #expect(failure?.number == EINVAL)
            #expect(context.openSockets == 0)
        }
    }
}

func openDescriptors() throws -> Int {
    guard let folder = opendir("/proc/self/fd") else { throw NothingCame() }
    defer { closedir(folder) }
    var count = 0
    while readdir(folder) != nil { count += 1 }
    return count
}
