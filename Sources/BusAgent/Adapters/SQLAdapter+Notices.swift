import Logging

/// What people are told of accesses to their data.
extension SQLAdapter {
    /// Writes what has gathered, at the latest after `AccessNotices.interval`; the outbox publishes it.
    func writeNotices(_ notices: AccessNotices) async {
        for await _ in notices.nudges.listen() {
            let gathered = notices.take()
            if gathered.lost > 0 {
                logger.warning("people are not told of accesses", metadata: ["accesses": "\(gathered.lost)"])
            }
            guard !gathered.accesses.isEmpty else { continue }
            do {
                try await perform { try notices.write(gathered.accesses, $0) }
                nudges.nudge()
            } catch {
                notices.putBack(gathered.accesses)
                logger.warning("notices wait", metadata: ["fault": "\(Self.words(error))"])
            }
        }
    }

    func lookAtNotices(_ notices: AccessNotices) async {
        while !Task.isCancelled {
            try? await Task.sleep(for: AccessNotices.interval)
            notices.nudges.nudge()
        }
    }

    /// At the end: what the last answers added leaves when the agent is started again.
    func keepNotices() {
        guard let notices else { return }
        let left = notices.take().accesses
        guard !left.isEmpty else { return }
        _ = writing.put { connection in
            do { try notices.write(left, connection) } catch {
                self.logger.warning("people are not told of accesses", metadata: ["accesses": "\(left.count)"])
            }
        }
    }
}
