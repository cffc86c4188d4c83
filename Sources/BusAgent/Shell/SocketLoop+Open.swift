import BusDirectory
import BusEvidence
import BusProtocol
import Logging

/// Opening what comes sealed, and refusing what should.
extension SocketLoop {
    /// An event whose key its publisher has not made for this system yet is offered again after this long, milliseconds.
    static let lockedDelay: UInt32 = 5_000

    /// What became of a sealed body.
    private enum Opened {
        case body([UInt8])
        /// The key is not here yet.
        case locked(EpochName)
        case fault(SealFault)
    }

    // MARK: - Deliveries

    /// The message with its body open; `nil` when it waits for a key or was turned away.
    func opened(_ delivery: Delivery) -> Delivery? {
        let header = delivery.envelope.header
        guard header.sealSuite != 0 else {
            guard !mustBeSealed(delivery) else {
                turnAway(delivery, .notSealed)
                return nil
            }
            return delivery
        }
        switch open(delivery.frame, header, delivery.envelope.body) {
        case .body(let body):
            var delivery = delivery
            delivery.opened = body
            return delivery
        case .locked(let epoch):
            guard waiting.hasRoom(for: epoch) else {
                giveUp(.delivery(delivery), .unknownEpoch(epoch.epoch), isFinal: false)
                return nil
            }
            waiting.add(.delivery(delivery), epoch, for: receiver(of: delivery), at: clock.now)
            askForKeys()
        case .fault(let fault):
            notice(fault, delivery.envelope.header)
            turnAway(delivery, .sealNotOpened)
        }
        return nil
    }

    /// Whether the space says that such a request is sealed: then one that is not comes from somebody who wants it to be read on its way.
    /// What is durable may have been accepted before its receiver had a key; the broker judged it then.
    private func mustBeSealed(_ delivery: Delivery) -> Bool {
        let header = delivery.envelope.header
        guard header.kind == .request, let directory = core.directory else { return false }
        return delivery.frame.withUnsafeBytes { raw in
            directory.isSealed(String(decoding: raw[header.targetSystem(in: raw)], as: UTF8.self))
        }
    }

    /// The system of this agent that a message is for.
    private func receiver(of delivery: Delivery) -> String {
        guard let header = delivery.header else { return "" }
        switch header.kind {
        case .request, .command: return Names.system(of: header.target)
        case .outcome, .reply: return header.consumer
        case .event, .keyEpoch, .keyWrap:
            // Of the systems that may have it here, one.
            let subscribers = core.directory?.subscribers(of: header.target) ?? []
            return configuration.systems.first { subscribers.contains($0) } ?? configuration.systems.first ?? ""
        }
    }

    // MARK: - Replies

    /// The answer to a question of a system, open; `nil` when it waits for its key.
    func opened(_ reply: ReceivedReply, _ ticket: UInt64, of system: String) -> Result<ReceivedReply, BusFault>? {
        guard reply.header.sealSuite != 0 else {
            guard !mustBeSealed(reply, for: system) else {
                return .failure(BusFault(.notSealed, at: .consumerAgent, "the answer came open, and it must be sealed"))
            }
            return .success(reply)
        }
        switch open(reply.frame, reply.header, reply.body) {
        case .body(let body):
            var reply = reply
            reply.opened = body
            return .success(reply)
        case .locked(let epoch):
            waiting.add(.reply(ticket: ticket, reply), epoch, for: system, at: clock.now)
            askForKeys()
            return nil
        case .fault(let fault):
            notice(fault, reply.header)
            return .failure(BusFault(.sealNotOpened, at: .consumerAgent, "\(fault)"))
        }
    }

    /// What names no provider is a fault of the broker's own.
    private func mustBeSealed(_ reply: ReceivedReply, for system: String) -> Bool {
        guard !reply.header.provider.isEmpty else { return false }
        return core.directory?.isSealed(system) ?? false
    }

    // MARK: - States of commands

    /// The broker's answer to QUERY with its outcomes open; `nil` when it waits for a key.
    func opened(_ token: UInt64, _ answer: StateAnswer) -> StateAnswer? {
        var answer = answer
        for index in answer.rows.indices where !answer.rows[index].outcomeHeader.isEmpty {
            let row = answer.rows[index]
            let bytes = row.outcomeHeader + row.outcome
            guard let header = try? Header(decoding: row.outcomeHeader),
                let view = try? bytes.withUnsafeBytes({ try HeaderView($0, in: 0..<row.outcomeHeader.count) })
            else { continue }
            // An outcome of another command is none of this one, whoever put it here.
            guard header.kind == .outcome, header.correlation == row.command else {
                answer.rows[index].outcome = []
                answer.rows[index].outcomeHeader = []
                continue
            }
            switch open(bytes, view, row.outcomeHeader.count..<bytes.count) {
            case .body(let body):
                answer.rows[index].outcome = body
                answer.rows[index].outcomeHeader = []
            case .locked(let epoch):
                waiting.add(.state(token: token, answer), epoch, for: header.consumer, at: clock.now)
                askForKeys()
                return nil
            case .fault(let fault):
                notice(fault, view)
                answer.rows[index].outcome = []
            }
        }
        return answer
    }

    // MARK: - Keys

    /// The broker gave records: what waited for them goes on.
    func took(_ keys: KeyAnswer) {
        for row in keys.rows {
            do throws(SealFault) {
                try take(row)
                for item in waiting.take(row.name) { goOn(item) }
            } catch {
                configuration.logger.warning(
                    "a key cannot be opened", metadata: ["epoch": "\(row.name.epoch)", "why": "\(error)"])
                for item in waiting.take(row.name) { giveUp(item, error, isFinal: true) }
            }
        }
    }

    private func take(_ row: KeyAnswer.Row) throws(SealFault) {
        if row.event.isEmpty {
            // Under another name it would make what waits for that one wait anew.
            guard try opener.take(record: row.record) == row.name.epoch else { throw .wrongEpochID }
        } else if row.event == row.name.sender {
            // Anybody can wrap a secret for this system: one that is here is not replaced, and none is taken that nobody wants.
            guard waiting.wants(EpochName(0, of: row.event)) else { return }
            guard sealer.take(try opener.take(orderSecret: row.record, of: row.event)) else { throw .wrongEpochID }
            _ = waiting.take(EpochName(0, of: row.event))
            endOrderWaits(of: row.event)
        } else {
            guard try opener.take(wrap: row.record, event: row.event).epoch == row.name.epoch else {
                throw .wrongEpochID
            }
        }
    }

    /// Asks for the keys that are wanted and due; and ends what waited too long.
    func tendKeys() {
        guard !waiting.isEmpty else { return }
        for (item, epoch) in waiting.expired(at: clock.now) { giveUp(item, .unknownEpoch(epoch.epoch), isFinal: false) }
        askForKeys()
    }

    private func askForKeys() {
        guard core.isOpen else { return }
        for (system, epochs) in waiting.due(at: clock.now) {
            nextToken += 1
            let wish = KeyWish(token: nextToken, system: system, epochs: epochs)
            _ = core.inquire(.want, wish.encoded(), into: &actions)
        }
    }

    private func goOn(_ item: WaitingForKeys.Item) {
        switch item {
        case .delivery(let delivery): deliver(delivery)
        case .reply(let ticket, let reply): complete(ticket, .answer(reply))
        case .state(let token, let answer): inquired(token, .state(answer))
        }
    }

    /// - Parameter isFinal: no time mends it.
    func giveUp(_ item: WaitingForKeys.Item, _ fault: SealFault, isFinal: Bool) {
        switch item {
        case .delivery(let delivery):
            notice(fault, delivery.envelope.header)
            guard isFinal || delivery.envelope.header.kind == .request else {
                return core.settle(delivery, .again(Self.lockedDelay, why: FaultCode.sealNotOpened.number))
            }
            turnAway(delivery, .sealNotOpened)
        case .reply(let ticket, _): refuse(ticket, BusFault(.sealNotOpened, at: .consumerAgent, "\(fault)"))
        case .state(let token, let answer):
            var answer = answer
            for index in answer.rows.indices where !answer.rows[index].outcomeHeader.isEmpty {
                answer.rows[index].outcome = []
                answer.rows[index].outcomeHeader = []
            }
            inquired(token, .state(answer))
        }
    }

    /// A subscriber lacks the key of events of this agent's systems: it is made for it, where it may have it.
    func wanted(_ wish: KeyWish) {
        for name in wish.epochs where configuration.systems.contains(name.sender) {
            if name.epoch == 0 {
                if let message = sealer.wrapOrder(of: name.sender, for: wish.system) { bringOnce(message) }
            } else if let key = sealer.eventKey(name.epoch) ?? opener.eventKey(name.epoch) {
                if let message = sealer.wrap(key, name, for: wish.system) { bringOnce(message) }
            } else {
                // Another agent's, or of before this one's start: the publisher's own copy is at the broker. Who asks asks again.
                waiting.add(nil, name, for: name.sender, at: clock.now)
            }
        }
        askForKeys()
    }

    // MARK: - Opening

    private func open(_ frame: [UInt8], _ header: HeaderView, _ body: Range<Int>) -> Opened {
        frame.withUnsafeBytes { raw -> Opened in
            do throws(SealFault) {
                return .body(try opener.open(header, body: body, in: raw))
            } catch {
                guard case .unknownEpoch(let epoch) = error else { return .fault(error) }
                return .locked(EpochName(epoch, of: SenderCheck.sender(header, raw) ?? ""))
            }
        }
    }

    private func notice(_ fault: SealFault, _ header: HeaderView) {
        configuration.logger.warning(
            "a sealed message was not opened", metadata: ["message": "\(header.id)", "why": "\(fault)"])
    }
}
