import BusJournal
import BusProtocol

/// Step 6: a durable reply goes to its consumer, and the end of the request is written down.
extension BrokerCore {
    mutating func finish(_ call: CallReference, position: UInt64, _ now: Moment) {
        guard calls.isOpen(call), calls[call].envelope != nil, var ended = calls.take(call),
            var envelope = ended.envelope.take()
        else { return }
        var annotations = Annotations()
        annotations.position = position
        annotations.attempt = 1
        annotations.requestIn = ended.times.requestIn
        annotations.requestOut = ended.times.requestOut
        annotations.replyIn = ended.times.replyIn
        envelope.annotations = annotations
        if sessions.isLive(ended.consumer.slot, ended.consumer.id), pushOrWait(envelope, to: ended.consumer.slot) {
            ended.times.replyOut = now.wall
        }
        recordEnd(of: ended, ended.outcome, at: ended.outcome == 0 ? .unknown : .providerAgent, now)
    }

    /// The outcome, its hop and the four times: journaled with the next batch, counted for the plan at once.
    mutating func recordEnd(of call: Call, _ outcome: UInt16, at hop: Hop, _ now: Moment) {
        let family = outcome / 10
        if family < 400 { counters.requestsFinished += 1 } else { counters.requestsFailed += 1 }
        gathering.batch.append(
            .finished(
                FinishedRecord(
                    request: call.id, integration: call.integration, outcome: outcome, hop: hop, stage: call.stage,
                    times: call.times)))
        if gathering.lazySince == 0 { gathering.lazySince = now.monotonic }
        observations.append(
            .exchange(
                integration: call.integration, family: family,
                latency: UInt32(clamping: now.monotonic - call.acceptedAt), at: now.wallMilliseconds, stage: call.stage)
        )
    }
}
