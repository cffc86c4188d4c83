import Testing

@testable import ZeroMQ

extension ZeroMQTests {
    @Suite struct Messages {
        /// Messages of up to 33 bytes live inside libzmq's struct: these lengths break a binding that moves it.
        static let lengths = [0, 1, 2] + Array(29...40) + [255, 256, 8_192, 1_048_576]

        @Test(arguments: ["tcp", "inproc"])
        func comesBackAsItWas(transport: String) throws {
            let context = try context()
            var router = try Socket(context, .router, options: options())
            try router.bind(transport == "tcp" ? "tcp://127.0.0.1:*" : "inproc://lengths")
            var dealer = try connected(context, .dealer, router.lastEndpoint())
            for length in Self.lengths {
                let payload = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ length) }
                try expectSent(&dealer, payload)
                let request = try expectNext(&router)
                #expect(request.payload == payload && request.payloadBytes == length && request.isWellFormed)
                #expect(try router.send(request.payload, to: request.route) == .sent)
                let reply = try expectNext(&dealer)
                #expect(reply.payload == payload && reply.route.isEmpty)
            }
        }

        @Test func anotherMessageDoesNotChangeAnEarlierOne() throws {
            let context = try context()
            var router = try bound(context, .router)
            let endpoint = try router.lastEndpoint()
            var dealer = try connected(context, .dealer, endpoint)
            var kept: [[UInt8]] = []
            for value in UInt8(0)..<100 {
                try expectSent(&dealer, [UInt8](repeating: value, count: 33))
                kept.append(try expectNext(&router).payload)
            }
            for (value, payload) in kept.enumerated() {
                #expect(payload == [UInt8](repeating: UInt8(value), count: 33))
            }
        }

        @Test func tenThousandPartsAreDroppedAndReported() throws {
            let context = try context()
            var router = try bound(context, .router)
            let endpoint = try router.lastEndpoint()
            var dealer = try connected(context, .dealer, endpoint)
            #expect(try waitUntilWritable(dealer))
            for part in 1...10_000 {
                #expect(try dealer.sendPart([UInt8](repeating: 7, count: 50), more: part < 10_000) == .sent)
            }
            try expectSent(&dealer, [1, 2, 3])
            let attack = try expectNext(&router)
            #expect(attack.extraParts == 9_999)
            #expect(!attack.isWellFormed && attack.payload.isEmpty && attack.payloadBytes == 50)
            let honest = try expectNext(&router)
            #expect(honest.payload == [1, 2, 3] && honest.isWellFormed && honest.route == attack.route)
        }

        @Test func tooLongForTheReceiverIsReportedNotCopied() throws {
            let context = try context()
            var router = try bound(context, .router)
            let endpoint = try router.lastEndpoint()
            var dealer = try connected(context, .dealer, endpoint)
            let limits = ReceiveLimits(maxPayloadBytes: 100)
            try expectSent(&dealer, [UInt8](repeating: 1, count: 101))
            let long = try #require(try next(&router, limits: limits))
            #expect(long.isOversized && long.payload.isEmpty && long.payloadBytes == 101 && !long.isWellFormed)
            try expectSent(&dealer, [UInt8](repeating: 1, count: 100))
            #expect(try next(&router, limits: limits)?.payload.count == 100)
        }

        @Test(arguments: [false, true])
        func aFrameOverTheLimitDisconnectsItsPeer(withCurve: Bool) throws {
            let context = try context()
            let keys = try CurveKey.generatePair()
            let zap = try ZAPHandler(context: context) { $0.z85 }
            defer { zap.stop() }
            let server = options {
                $0.maxMessageSize = 2_000
                if withCurve { $0.curve = .server(secret: keys.secret) }
            }
            var router = try bound(context, .router, server)
            let endpoint = try router.lastEndpoint()
            var monitor = try SocketMonitor(router)
            let client = options {
                if withCurve { $0.curve = .client(server: keys.public, public: keys.public, secret: keys.secret) }
            }
            var dealer = try connected(context, .dealer, endpoint, client)
            try expectSent(&dealer, [UInt8](repeating: 1, count: 2_000))
            let atLimit = try expectNext(&router)
            #expect(atLimit.payload.count == 2_000)
            try expectSent(&dealer, [UInt8](repeating: 2, count: 2_001))
            let dropped = try firstEvent(&monitor) { if case .disconnected = $0 { true } else { false } }
            #expect(dropped)
            #expect(try router.receive() == nil)
            // The event may overtake the end of the queue, which the ROUTER notices when it receives.
            let end = ContinuousClock.now.advanced(by: patience)
            var result = SendResult.sent
            while result != .unreachable && ContinuousClock.now < end {
                #expect(try router.receive() == nil)
                result = try router.send([1], to: atLimit.route)
            }
            #expect(result == .unreachable)
        }

        /// With `immediate` some or all of them are lost, depending on the moment: see `SocketOptions.immediate`.
        @Test func withoutImmediateUnreadMessagesOutliveTheirConnection() throws {
            let context = try context()
            var dealer = try Socket(context, .dealer, options: options { $0.immediate = false })
            var monitor = try SocketMonitor(dealer)
            do {
                var router = try bound(context, .router, options { $0.lingerMs = 10_000 })
                try dealer.connect(router.lastEndpoint())
                try expectSent(&dealer, [1])
                let route = try expectNext(&router).route
                for number in UInt8(0)..<50 { #expect(try router.send([number], to: route) == .sent) }
            }
            #expect(try firstEvent(&monitor) { if case .disconnected = $0 { true } else { false } })
            var read = 0
            while try next(&dealer, within: .milliseconds(50)) != nil { read += 1 }
            #expect(read == 50)
        }

        @Test func theConnectionOfAMessageCanBeAskedFor() throws {
            let context = try context()
            var router = try bound(context, .router)
            let endpoint = try router.lastEndpoint()
            var dealer = try connected(context, .dealer, endpoint)
            try expectSent(&dealer, [1])
            let received = try #require(try next(&router, limits: ReceiveLimits(findsSource: true)))
            #expect((received.sourceFD ?? -1) > 2)
            try expectSent(&dealer, [1])
            #expect(try expectNext(&router).sourceFD == nil)
        }
    }
}

func firstEvent(_ monitor: inout SocketMonitor, where matches: (SocketMonitor.Kind) -> Bool) throws -> Bool {
    var poller = Poller()
    poller.add(monitor.events)
    while try poller.wait(atMost: patience) > 0 {
        while let event = try monitor.next() {
            if matches(event.kind) { return true }
        }
    }
    return false
}
