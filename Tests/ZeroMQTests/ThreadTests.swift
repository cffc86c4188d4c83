import Glibc
import Synchronization
import Testing

@testable import ZeroMQ

extension ZeroMQTests {
    @Suite struct Threads {
        @Test func wakeupsReachTheOwnerAndLoseNoWork() throws {
            let wakeup = try Wakeup()
            let queue = Mutex<[Int]>([])
            let producers = try (0..<4).map { producer in
                try SocketThread(name: "producer") {
                    for number in 0..<2_000 {
                        queue.withLock { $0.append(producer * 2_000 + number) }
                        wakeup.signal()
                    }
                }
            }
            var poller = Poller()
            let entry = poller.add(wakeup)
            var taken: Set<Int> = []
            while taken.count < 8_000, try poller.wait(atMost: patience) > 0 {
                #expect(poller.found(entry) == .readable)
                wakeup.drain()
                taken.formUnion(
                    queue.withLock { queue in
                        defer { queue = [] }
                        return queue
                    })
            }
            #expect(taken.count == 8_000)
            for producer in producers { producer.join() }
            wakeup.drain()
            #expect(try poller.wait(atMost: .zero) == 0)
        }

        @Test func aWaitEndsWithItsTime() throws {
            let context = try context()
            let socket = try Socket(context, .dealer, options: options())
            var poller = Poller()
            poller.add(socket)
            let started = ContinuousClock.now
            #expect(try poller.wait(atMost: .milliseconds(60)) == 0)
            #expect(ContinuousClock.now - started >= .milliseconds(60))
        }

        @Test func pollingAClosedSocketIsAnErrorNotAMemoryFault() throws {
            let context = try context()
            var poller = Poller()
            do {
                let socket = try Socket(context, .dealer, options: options())
                poller.add(socket)
            }
            let failure = #expect(throws: ZeroMQError.self) { try poller.wait(atMost: .zero) }
            #expect(failure?.number == ENOTSOCK)
        }

        @Test func aSocketThreadBlocksSignalsAndHasAName() throws {
            let seen = Mutex<(blocked: [Int32], faultsBlocked: Bool, name: String)>(([], true, ""))
            let asked = [SIGUSR1, SIGUSR2, SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGCHLD, SIGALRM]
            let thread = try SocketThread(name: "a name much too long") {
                var mask = sigset_t()
                pthread_sigmask(SIG_BLOCK, nil, &mask)
                let blocked = asked.filter { sigismember(&mask, $0) == 1 }
                let faults = sigismember(&mask, SIGSEGV) == 1
                var name = [CChar](repeating: 0, count: 16)
                let descriptor = open("/proc/thread-self/comm", O_RDONLY)
                read(descriptor, &name, 15)
                close(descriptor)
                let text = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                seen.withLock { $0 = (blocked, faults, text) }
            }
            thread.join()
            thread.join()
            seen.withLock {
                #expect($0.blocked == asked)
                #expect(!$0.faultsBlocked)
                #expect($0.name == "a name much too")
            }
        }

        @Test func startingAThreadLeavesTheCallersSignalsAsTheyWere() throws {
            let kept = Atomic(false)
            let caller = try SocketThread(name: "caller", blocksSignals: false) {
                do {
                    try SocketThread(name: "inner") {}.join()
                    var mask = sigset_t()
                    pthread_sigmask(SIG_BLOCK, nil, &mask)
                    kept.store(sigismember(&mask, SIGUSR1) == 0, ordering: .relaxed)
                } catch { Issue.record(error) }
            }
            caller.join()
            let isKept = kept.load(ordering: .relaxed)
            #expect(isKept)
        }

        @Test func joiningWithATimeGivesUp() throws {
            let release = try Wakeup()
            let thread = try SocketThread(name: "waits") { _ = release.wait(atMost: patience) }
            #expect(!thread.join(atMost: .milliseconds(20)))
            release.signal()
            #expect(thread.join(atMost: patience))
        }

        /// Threads that do not block signals, so that every wait and call of theirs may be interrupted.
        @Test func aStormOfSignalsLosesNothing() throws {
            signal(SIGUSR1) { _ in interruptions.add(1, ordering: .relaxed) }
            interruptions.store(0, ordering: .relaxed)
            let context = try context()
            let messages = 20_000
            let ready = try Wakeup()
            let answered = try Wakeup()
            let endpoint = Mutex("")
            let finished = Atomic(0)
            let echo = try SocketThread(name: "echo", blocksSignals: false) {
                defer { finished.add(1, ordering: .sequentiallyConsistent) }
                do {
                    var router = try bound(context, .router)
                    let address = try router.lastEndpoint()
                    endpoint.withLock { $0 = address }
                    ready.signal()
                    for _ in 0..<messages {
                        let received = try expectNext(&router)
                        while try router.send(received.payload, to: received.route) == .wouldBlock {}
                    }
                    // A closing connection takes unread messages with it, see `SocketOptions.immediate`.
                    #expect(answered.wait(atMost: patience))
                } catch { Issue.record(error) }
            }
            #expect(ready.wait(atMost: patience))
            let asker = try SocketThread(name: "asker", blocksSignals: false) {
                defer {
                    answered.signal()
                    finished.add(1, ordering: .sequentiallyConsistent)
                }
                do {
                    var dealer = try connected(context, .dealer, endpoint.withLock { $0 })
                    #expect(try waitUntilWritable(dealer))
                    for batch in 0..<messages / 50 {
                        for number in 0..<50 { #expect(try dealer.send([UInt8(number), UInt8(batch % 256)]) == .sent) }
                        for number in 0..<50 {
                            #expect(try expectNext(&dealer).payload == [UInt8(number), UInt8(batch % 256)])
                        }
                    }
                } catch { Issue.record(error) }
            }
            while finished.load(ordering: .sequentiallyConsistent) < 2 {
                for thread in [echo, asker] where finished.load(ordering: .sequentiallyConsistent) == 0 {
                    thread.interrupt(with: SIGUSR1)
                }
                sched_yield()
            }
            echo.join()
            asker.join()
            #expect(interruptions.load(ordering: .relaxed) > 100)
        }
    }
}

let interruptions = Atomic(0)
