package import BusDirectory
package import BusEvidence
import BusIntegrations
package import BusJournal
package import BusProtocol
import Glibc
package import Logging
import Synchronization
package import ZeroMQ

/// A broker that runs: the socket, the journal and the clock around a `BrokerCore`.
///
/// Threads: one owns the socket and the core (`BrokerLoop`); one writes the journal; libzmq has one for I/O and one asks the
/// directory about keys. Everybody else speaks with the core through the mailbox.
package final class Broker: Sendable {
    package let readModel: ReadModel
    package let configuration: BrokerConfiguration
    /// Where it really listens, with the port it was given.
    package let endpoint: String
    /// Z85.
    package let publicKey: String

    /// What the log is proven from, kept between answers.
    package let log = LogProofs()
    private let context: Context
    private let zap: ZAPHandler
    private let mailbox: BrokerMailbox
    private let thread: SocketThread

    /// Opens the journal, takes up where it ended, and listens.
    ///
    /// - Throws: `JournalError`, `BrokerError` or `ZeroMQError`; nothing stays open.
    package init(_ configuration: BrokerConfiguration, logger: Logger) throws {
        let journal = try Journal(folder: configuration.data)
        var shutdown: [() -> Void] = [{ journal.close() }]
        do {
            let recovery = try Recovery(folder: configuration.data, limits: configuration.limits)
            var clock = HostClock(floor: recovery.lastCommit)
            let core = try Self.core(configuration, recovery, journal, clock.now())
            let snapshot = core.rights.snapshot
            let keys = DirectoryKeys(snapshot.space)
            context = try Context()
            shutdown.append { [context] in context.shutdown() }
            zap = try ZAPHandler(context: context) { key in
                keys.admits(key.z85, at: HostClock.read(CLOCK_REALTIME) / 1000) ? key.z85 : nil
            }
            shutdown.append { [zap] in zap.stop() }
            mailbox = try BrokerMailbox()
            readModel = Self.readModel(recovery, snapshot, journal.head, clock.now())
            let start = BrokerLoop.Start(
                core: core, clockFloor: recovery.lastCommit, context: context, journal: journal, mailbox: mailbox,
                keys: keys,
                reading: try JournalReading(
                    folder: configuration.data, signing: configuration.signingKey, log, mailbox),
                readModel: readModel, logger: logger, configuration: configuration)
            thread = try SocketThread(name: "broker") { BrokerLoop.run(start) }
            endpoint = try mailbox.waitUntilBound()
            publicKey = try configuration.secretKey.publicKey().z85
            self.configuration = configuration
        } catch {
            for step in shutdown.reversed() { step() }
            throw error
        }
    }

    private static func core(
        _ configuration: BrokerConfiguration, _ recovery: Recovery, _ journal: Journal, _ now: Moment
    ) throws -> BrokerCore {
        let head = journal.head
        let identity = BrokerIdentity(id: .random(in: 1 ... .max), name: configuration.name, software: Software.name)
        let store = SpaceStore(folder: configuration.data)
        let space = try SpaceAtStart(configuration.space, store: store, inForce: recovery.snapshot)
        if configuration.space.authority != nil {
            try store.write(SignedSpace(space.snapshot, signature: space.signature))
        }
        var limits = configuration.limits
        if recovery.snapshot != nil, limits.returnGrace == 0 {
            limits.returnGrace = space.snapshot.space.thresholds.heartbeat.silence.count * 1000
        }
        var core = BrokerCore(
            identity: identity, limits: limits, space: recovery.snapshot ?? space.snapshot, signature: space.signature,
            treeSize: head.treeSize, treeRoot: head.root.bytes, random: SystemRandomNumberGenerator())
        core.recordStart(software: Software.name, at: now)
        core.restore(recovery.deliveries.book, receipts: recovery.batchEnds)
        if space.isNew { core.apply(space.snapshot, signature: space.signature, at: now) }
        return core
    }

    private static func readModel(
        _ recovery: Recovery, _ snapshot: SpaceSnapshot, _ head: (treeSize: UInt64, root: Digest32), _ now: Moment
    ) -> ReadModel {
        let plan = Plan(snapshot)
        let thresholds = BusIntegrations.Thresholds(snapshot.space.thresholds)
        var ledger = recovery.ledger ?? IntegrationLedger(plan: plan, thresholds: thresholds)
        ledger.resumed(at: now.wallMilliseconds)
        return ReadModel(
            ledger: ledger, snapshot: snapshot, position: recovery.position, startedAt: now.wallMilliseconds,
            treeSize: head.treeSize, root: head.root.bytes)
    }

    /// Who must have signed a space that is to take effect here; nil: nobody.
    package var authority: VerifyingKey? { configuration.space.authority }

    /// Puts a space in force: the next message is judged by it. Refused where an authority is pinned, or has signed the one in force.
    package func apply(_ space: Space) async throws(BrokerError) -> SpaceSnapshot { try await apply(.files(space)) }

    /// Puts a signed space in force.
    package func apply(_ space: SignedSpace) async throws(BrokerError) -> SpaceSnapshot {
        try await apply(.signed(space))
    }

    private func apply(_ space: BrokerMailbox.NextSpace) async throws(BrokerError) -> SpaceSnapshot {
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<SpaceSnapshot, BrokerError>, Never>) in
            if !mailbox.order(.apply(space) { continuation.resume(returning: $0) }) {
                continuation.resume(
                    returning: .failure(BrokerError("the broker has stopped", remedy: "start it again")))
            }
        }
        return try result.get()
    }

    /// What is under way at this moment; nil when the broker has stopped.
    package func workload() async -> BrokerLoad? { await ask { .workload($0) } }

    /// Where a durable message stands; nil when it is not remembered.
    package func whereabouts(of id: MessageID) async -> [MessageWhereabouts] {
        await ask { .whereabouts(id, $0) } ?? []
    }

    /// Queues as they are now.
    package func queues() async -> [QueueView] { await ask { .queues($0) } ?? [] }

    /// Messages that were given up, oldest first.
    package func deadLetters() async -> [DeadLetter] { await ask { .deadLetters($0) } ?? [] }

    /// Sends dead letters on their way again, durably; those that were none any more are left out. Nil when the journal could not
    /// be written now.
    package func resend(_ letters: [(position: UInt64, receiver: String)]) async -> [DeadLetter]? {
        await ask { .resend(letters, $0) } ?? nil
    }

    /// Moves a subscriber's cursor, durably. The number of events it is owed again; nil when the journal could not be read or
    /// written now.
    package func seek(_ wish: Seek) async -> Int? { await ask { .seek(wish, $0) } ?? nil }

    /// Nil when the broker has stopped.
    private func ask<Value: Sendable>(
        _ order: (@escaping @Sendable (Value) -> Void) -> BrokerMailbox.Order
    ) async -> Value? {
        await withCheckedContinuation { (continuation: CheckedContinuation<Value?, Never>) in
            let order = order { continuation.resume(returning: $0) }
            if !mailbox.order(order) { continuation.resume(returning: nil) }
        }
    }

    /// Takes no new messages and delivers none from the queues; returns when open requests have ended and deliveries are
    /// settled, or the drain's deadline has passed.
    package func drain() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            if !mailbox.order(.drain { continuation.resume() }) { continuation.resume() }
        }
    }

    /// Stops: says goodbye, closes the socket and the journal. What was accepted is durable already.
    package func stop() async {
        _ = mailbox.order(.stop)
        _ = await mailbox.ending()
        thread.join()
        zap.stop()
        context.shutdown()
    }

    /// Returns when the broker has stopped: by order, or with the reason when it cannot go on.
    package func ending() async -> BrokerError? { await mailbox.ending() }

    package var refusedKeys: [ZAPHandler.Refusal] { zap.refusals }
}
