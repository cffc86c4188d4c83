import BusProtocol
import Logging

/// Sealing what leaves, and the records that must be there before it.
extension SocketLoop {
    /// Before a record that the broker did not take is brought again, microseconds.
    static let keyPause: UInt64 = 500_000
    /// The same where only people can mend what stands in the way.
    static let refusedPause: UInt64 = 10_000_000

    /// Brings records to the broker, once in this process.
    func announce(_ keys: [KeyMessage]) {
        // Every message brings them along; mostly it is the record of one epoch, which is known by its number.
        if keys.count == 1 {
            let epoch = keys[0].name.epoch.epoch
            if epoch == lastAnnounced { return }
            lastAnnounced = epoch
            if !announcedEpochs.insert(epoch).inserted { return }
        }
        for key in keys where announced.insert(key.name).inserted { bring(key) }
    }

    /// However often it is asked for, it is under way once.
    func bringOnce(_ key: KeyMessage) {
        if !onTheirWay.contains(key.name) { bring(key) }
    }

    private func bring(_ key: KeyMessage) {
        onTheirWay.insert(key.name)
        var submission = key.submission
        submission.ticket = waiters.add(.key(key), call: 0)
        core.submit(submission, clock, into: &actions)
    }

    /// The broker did not take a record: without it nobody opens what follows.
    func notTaken(_ key: KeyMessage, _ fault: Fault) {
        // Of this agent's own end.
        if fault.code == .draining, fault.hop == .consumerAgent { return }
        configuration.logger.log(
            level: fault.code.isRetryable ? .warning : .error, "a key was not taken",
            metadata: fault.metadata.merging(["for": "\(key.name.receiver)"]) { first, _ in first })
        let least = fault.code.isRetryable ? Self.keyPause : Self.refusedPause
        let pause = max(least, UInt64(fault.retryAfterMilliseconds) * 1000)
        untaken.append((clock.now.saturating(adding: pause), key))
    }

    func bringUntaken() {
        guard untaken.contains(where: { $0.at <= clock.now }) else { return }
        let due = untaken.filter { $0.at <= clock.now }
        untaken.removeAll { $0.at <= clock.now }
        for item in due { bring(item.key) }
    }

    /// A request, sealed where its provider has a key.
    func submit(_ ask: AskOrder) {
        let id = ids.next(unixMilliseconds: clock.wall)
        let remaining = UInt32(clamping: min(ask.within / 1000, UInt64(Limits.deadlineMilliseconds)))
        let (route, clock) = (ask.route, clock)
        do throws(BusFault) {
            let sealed = try sealer.seal(
                ask.body, from: route.system, to: route.provider, clock,
                open: { route.template.message(id, created: clock.wall, remaining: remaining) }
            ) { epoch, counter in
                route.sealed.message(id, created: clock.wall, remaining: remaining, seal: (epoch, counter))
            }
            announce(sealed.keys)
            var submission = Submission(
                kind: .request, id: id, header: sealed.header, body: sealed.body,
                deadline: clock.now.saturating(adding: ask.within),
                ticket: waiters.add(.ask(ask.continuation, id, system: route.system), call: ask.call))
            submission.target = sealed.isSealed ? route.sealed.target : route.template.target
            core.submit(submission, clock, into: &actions)
        } catch {
            ask.continuation.resume(returning: .failure(error))
        }
    }

    /// The header and body of an answer, sealed where its consumer has a key.
    func sealedReply(
        to delivery: Delivery, _ route: ReplyRoute, _ body: [UInt8], outcome: UInt16, id: MessageID,
        about subject: UInt128?
    ) throws(BusFault) -> Sealer.Sealed {
        let request = delivery.envelope.header
        let digest = route.bindsRequest ? delivery.digest : nil
        let consumer = String(decoding: delivery.frame[request.consumer], as: UTF8.self)
        let wall = clock.wall
        return try sealer.seal(
            body, from: route.system, to: consumer, clock,
            open: {
                route.template(about: subject, isSealed: false).reply(
                    id, created: wall, to: request.id, outcome: outcome, digest: digest, about: subject)
            }
        ) { epoch, counter in
            route.template(about: subject, isSealed: true).reply(
                id, created: wall, to: request.id, outcome: outcome, digest: digest, about: subject,
                seal: (epoch, counter))
        }
    }
}
