import Synchronization
import Testing

@testable import ZeroMQ

extension ZeroMQTests {
    @Suite struct Curve {
        let server: (public: CurveKey, secret: CurveSecretKey)
        let known: (public: CurveKey, secret: CurveSecretKey)
        let other: (public: CurveKey, secret: CurveSecretKey)

        init() throws {
            server = try CurveKey.generatePair()
            known = try CurveKey.generatePair()
            other = try CurveKey.generatePair()
        }

        private func serving() -> SocketOptions { options { $0.curve = .server(secret: server.secret) } }

        private func client(_ pair: (public: CurveKey, secret: CurveSecretKey)) -> SocketOptions {
            options { $0.curve = .client(server: server.public, public: pair.public, secret: pair.secret) }
        }

        @Test func aKnownKeyTalksAndIsNamedInEachMessage() throws {
            let context = try context()
            let users = [known.public: "justice", other.public: "taxes"]
            let zap = try ZAPHandler(context: context) { users[$0] }
            defer { zap.stop() }
            var router = try bound(context, .router, serving())
            let endpoint = try router.lastEndpoint()
            var one = try connected(context, .dealer, endpoint, client(known))
            var two = try connected(context, .dealer, endpoint, client(other))
            for round in UInt8(0)..<50 {
                try expectSent(&one, [1, round])
                try expectSent(&two, [2, round])
            }
            for _ in 0..<100 {
                let received = try expectNext(&router)
                #expect(received.userID == (received.payload[0] == 1 ? "justice" : "taxes"))
                #expect(try router.send(received.payload, to: received.route) == .sent)
            }
            for round in UInt8(0)..<50 {
                #expect(try expectNext(&one).payload == [1, round])
                #expect(try expectNext(&two).payload == [2, round])
            }
            #expect(zap.counts == ZAPHandler.Counts(admitted: 2, refused: 0, malformed: 0))
        }

        @Test func anUnknownKeyIsRefusedAndRemembered() throws {
            let context = try context()
            let zap = try ZAPHandler(context: context) { [known] in $0 == known.public ? $0.z85 : nil }
            defer { zap.stop() }
            var router = try bound(context, .router, serving())
            let endpoint = try router.lastEndpoint()
            var monitor = try SocketMonitor(router)
            var stranger = try connected(context, .dealer, endpoint, client(other))
            #expect(try firstEvent(&monitor) { $0 == .handshakeRefused(status: 300) })
            #expect(try !waitUntilWritable(stranger, within: glimpse))
            #expect(try stranger.send([1]) == .wouldBlock)
            #expect(try router.receive() == nil)
            #expect(zap.counts.refused >= 1 && zap.counts.admitted == 0)
            #expect(zap.refusals.first?.key == other.public && zap.refusals.first?.address == "127.0.0.1")

            var friend = try connected(context, .dealer, endpoint, client(known))
            try expectSent(&friend, [1])
            #expect(try expectNext(&router).userID == known.public.z85)
        }

        @Test func aRefusedKeyGetsInOnceItIsAllowed() throws {
            let context = try context()
            let isAllowed = Mutex(false)
            let zap = try ZAPHandler(context: context) { key in isAllowed.withLock { $0 } ? key.z85 : nil }
            defer { zap.stop() }
            var router = try bound(context, .router, serving())
            let endpoint = try router.lastEndpoint()
            var monitor = try SocketMonitor(router)
            var agent = try connected(context, .dealer, endpoint, client(known))
            #expect(try firstEvent(&monitor) { $0 == .handshakeRefused(status: 300) })
            isAllowed.withLock { $0 = true }
            try expectSent(&agent, [1])
            #expect(try expectNext(&router).userID == known.public.z85)
        }

        /// The price of telling the client: its libzmq does not connect again, so its owner has to.
        @Test func aKeyRefusedForGoodIsToldAndGivesUp() throws {
            let context = try context()
            let isAllowed = Mutex(false)
            let zap = try ZAPHandler(context: context, refusing: .forGood) { key in
                isAllowed.withLock { $0 } ? key.z85 : nil
            }
            defer { zap.stop() }
            var router = try bound(context, .router, serving())
            let endpoint = try router.lastEndpoint()
            do {
                var agent = try Socket(context, .dealer, options: client(known))
                var monitor = try SocketMonitor(agent)
                try agent.connect(endpoint)
                #expect(try firstEvent(&monitor) { $0 == .handshakeRefused(status: 400) })
                isAllowed.withLock { $0 = true }
                #expect(try !waitUntilWritable(agent, within: glimpse))
            }
            var again = try connected(context, .dealer, endpoint, client(known))
            try expectSent(&again, [1])
            #expect(try expectNext(&router).userID == known.public.z85)
        }

        /// On a plain connection the peer's own metadata is all there is, so it names nobody.
        @Test func aUserIDClaimedByThePeerIsNotBelieved() throws {
            let context = try context()
            var router = try bound(context, .router)
            let port = try #require(try UInt16(router.lastEndpoint().split(separator: ":").last ?? ""))
            let forger = try RawPeer(port: port)
            try forger.send(RawPeer.greeting)
            try forger.send(RawPeer.ready([("Socket-Type", "DEALER"), ("User-Id", "justice")]))
            try forger.expectReady()
            try forger.send([0, 3, 1, 2, 3])
            let received = try withExtendedLifetime(forger) { try expectNext(&router) }
            #expect(received.payload == [1, 2, 3])
            #expect(received.userID == nil)
        }

        @Test func aPlainPeerIsRefused() throws {
            let context = try context()
            let zap = try ZAPHandler(context: context) { $0.z85 }
            defer { zap.stop() }
            var router = try bound(context, .router, serving())
            let endpoint = try router.lastEndpoint()
            var monitor = try SocketMonitor(router)
            var plain = try connected(context, .dealer, endpoint)
            #expect(try firstEvent(&monitor) { if case .handshakeBroken = $0 { true } else { false } })
            #expect(try plain.send([1]) == .wouldBlock)
            #expect(try router.receive() == nil)
            #expect(zap.counts == ZAPHandler.Counts())
        }

        @Test func aWrongServerKeyDoesNotConnect() throws {
            let context = try context()
            let zap = try ZAPHandler(context: context) { $0.z85 }
            defer { zap.stop() }
            let listener = try bound(context, .router, serving())
            let endpoint = try listener.lastEndpoint()
            let misled = options {
                $0.curve = .client(server: other.public, public: known.public, secret: known.secret)
            }
            let dealer = try connected(context, .dealer, endpoint, misled)
            #expect(try !waitUntilWritable(dealer, within: glimpse))
        }

        @Test func aServerNeedsAHandler() throws {
            let context = try context()
            #expect(throws: ZeroMQError.self) { _ = try Socket(context, .router, options: serving()) }
            #expect(context.openSockets == 0)
            let zap = try ZAPHandler(context: context) { $0.z85 }
            _ = try Socket(context, .router, options: serving())
            #expect(throws: ZeroMQError.self) { _ = try ZAPHandler(context: context) { $0.z85 } }
            zap.stop()
            zap.join()
            #expect(throws: ZeroMQError.self) { _ = try Socket(context, .router, options: serving()) }
        }

        /// Without a handler libzmq would admit everybody, so a stopped one stays and refuses while a server is open.
        @Test func aStoppedHandlerRefusesUntilTheLastServerIsClosed() throws {
            let context = try context()
            let zap = try ZAPHandler(context: context) { $0.z85 }
            do {
                let router = try bound(context, .router, serving())
                let endpoint = try router.lastEndpoint()
                var monitor = try SocketMonitor(router)
                zap.stop()
                let late = try connected(context, .dealer, endpoint, client(known))
                #expect(try firstEvent(&monitor) { $0 == .handshakeRefused(status: 300) })
                #expect(try !waitUntilWritable(late, within: glimpse))
            }
            zap.join()
            #expect(context.openSockets == 0)
        }

        @Test func aUserIDThatWouldBeCutIsRefused() throws {
            let context = try context()
            let zap = try ZAPHandler(context: context) { _ in "justice\0taxes" }
            defer { zap.stop() }
            let router = try bound(context, .router, serving())
            let endpoint = try router.lastEndpoint()
            var monitor = try SocketMonitor(router)
            let dealer = try connected(context, .dealer, endpoint, client(known))
            #expect(try firstEvent(&monitor) { $0 == .handshakeRefused(status: 300) })
            #expect(try !waitUntilWritable(dealer, within: glimpse))
        }
    }
}

@Suite struct CurveKeyTests {
    @Test func theExampleOfTheSpecification() {
        // RFC 32/Z85: this test case must encode as "HelloWorld".
        #expect(Z85.text([0x864F_D26F, 0xB559_F75B]) == "HelloWorld")
        #expect(Z85.words("HelloWorld".utf8) == [0x864F_D26F, 0xB559_F75B])
    }

    @Test(arguments: ["Hell", "Hell~", "#####", "%nSc1", "Hello\u{E9}"])
    func textThatIsNotZ85(text: String) {
        #expect(Z85.words(text.utf8) == nil)
    }

    @Test func keysOfLibzmqComeThrough() throws {
        for _ in 0..<50 {
            let pair = try CurveKey.generatePair()
            #expect(try pair.secret.publicKey() == pair.public)
            #expect(CurveKey(z85: pair.public.z85) == pair.public)
            #expect(CurveKey(bytes: pair.public.bytes) == pair.public)
            #expect(CurveSecretKey(z85: pair.secret.revealZ85())?.revealBytes() == pair.secret.revealBytes())
        }
        #expect(CurveKey(z85: "short") == nil)
        #expect(CurveKey(bytes: [UInt8](repeating: 0, count: 31)) == nil)
    }

    @Test func aSecretIsNeverShown() throws {
        let secret = try CurveKey.generatePair().secret
        var shown = "\(secret) \(String(reflecting: secret)) "
        dump(secret, to: &shown)
        dump(CurveRole.server(secret: secret), to: &shown)
        #expect(!shown.contains(secret.revealZ85()))
        #expect(!shown.contains("words"))
    }
}
