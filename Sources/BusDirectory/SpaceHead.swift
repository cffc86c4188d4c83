/// The sections that stand once: `space`, `broker`, `thresholds`.
extension SpaceSections {
    static let spaceMembers = ["id", "title", "demo", "note", "purposes"]
    static let brokerMembers = ["id", "endpoint", "console", "curve", "sign"]
    static let thresholdMembers = [
        "window", "minimumSample", "noSuccessFor", "nonFunctionalErrorPercent", "degradedErrorPercent", "dormantAfter",
        "systemErrorPercent", "recovery", "heartbeat", "automationWindow",
    ]

    struct Head {
        var id: String
        var title: LocalizedName
        var isDemo: Bool
        var note: String?
        var broker: BrokerFacts
        var thresholds: Thresholds
    }

    /// Nil only together with findings. `start` is where a missing section is reported.
    func head(start: Place, into findings: inout Findings) -> Head? {
        let broker = readBroker(start: start, into: &findings)
        guard let space else {
            findings.error(
                .missingMember, at: start, "the section `space` is missing",
                right: "`space:` with id and title in one file")
            return nil
        }
        let id = space.require("id", .identifier, into: &findings)
        let title = Self.name(space, "title", into: &findings)
        if title.anything == nil {
            findings.error(
                .missingMember, at: space.place(of: "title"), "`title` of the space is missing",
                right: "`title:` with kk, ru and en")
        }
        let isDemo = space.read("demo", .flag, into: &findings) ?? false
        let note = space.read("note", .text, into: &findings)
        _ = statesPurposes(into: &findings)
        let thresholds = readThresholds(isDemo: isDemo, into: &findings)
        guard let id, let broker else { return nil }
        return Head(id: id, title: title, isDemo: isDemo, note: note, broker: broker, thresholds: thresholds)
    }

    private enum Purposes: String, CaseIterable, Sendable { case required, optional }

    /// Whether every integration that asks a service must say why.
    func statesPurposes(into findings: inout Findings) -> Bool {
        let purposes: Purposes? = space?.read("purposes", .choice, into: &findings)
        return purposes == .required
    }

    private func readBroker(start: Place, into findings: inout Findings) -> BrokerFacts? {
        guard let broker else {
            findings.error(
                .missingMember, at: start, "the section `broker` is missing",
                right: "`broker:` with id and endpoint in one file")
            return nil
        }
        let id = broker.require("id", .identifier, into: &findings)
        let endpoint = broker.require("endpoint", .address("tcp"), into: &findings)
        let console = broker.read("console", .address("http"), into: &findings)
        let curve = broker.read("curve", .curve, into: &findings)
        let sign = broker.read("sign", .signingKey, into: &findings)
        guard let id, let endpoint else { return nil }
        return BrokerFacts(id: id, endpoint: endpoint, console: console, curve: curve, sign: sign)
    }

    /// What is absent or wrong has its production value; wrong also has a finding.
    private func readThresholds(isDemo: Bool, into findings: inout Findings) -> Thresholds {
        var read = Thresholds.production
        guard let fields = thresholds else { return read }
        func duration(_ name: String, _ path: WritableKeyPath<Thresholds, Milliseconds>) {
            if let value = fields.read(name, .duration, into: &findings) { read[keyPath: path] = value }
        }
        func integer(_ name: String, _ range: ClosedRange<Int>, _ path: WritableKeyPath<Thresholds, Int>) {
            let scalar = Scalar<Int>.integer(range, code: .absurdThreshold)
            if let value = fields.read(name, scalar, into: &findings) { read[keyPath: path] = value }
        }
        duration("window", \.window)
        integer("minimumSample", 1...100_000, \.minimumSample)
        duration("noSuccessFor", \.noSuccessFor)
        integer("nonFunctionalErrorPercent", 1...100, \.nonFunctionalErrorPercent)
        integer("degradedErrorPercent", 1...100, \.degradedErrorPercent)
        duration("dormantAfter", \.dormantAfter)
        integer("systemErrorPercent", 1...100, \.systemErrorPercent)
        duration("automationWindow", \.automationWindow)
        readRecovery(fields, &read.recovery, into: &findings)
        readHeartbeat(fields, &read.heartbeat, into: &findings)
        for absurdity in read.absurdities {
            findings.error(
                .absurdThreshold, at: fields.place(of: absurdity.member), absurdity.what, right: absurdity.right)
        }
        if read.areShort, !isDemo {
            findings.warning(
                .absurdThreshold, at: fields.place(of: "dormantAfter"),
                "dormant after \(read.dormantAfter) in a space that is not a demonstration",
                right: "30d, or `demo: true` in the section `space`")
        }
        return read
    }

    private func readRecovery(_ fields: Fields, _ recovery: inout Thresholds.Recovery, into findings: inout Findings) {
        guard let inner = fields.inner("recovery", allowed: ["successes", "holdFor"], into: &findings) else { return }
        let range = Scalar<Int>.integer(1...1_000, code: .absurdThreshold)
        if let successes = inner.read("successes", range, into: &findings) { recovery.successes = successes }
        if let holdFor = inner.read("holdFor", .duration, into: &findings) { recovery.holdFor = holdFor }
    }

    private func readHeartbeat(_ fields: Fields, _ heartbeat: inout Thresholds.Heartbeat, into findings: inout Findings)
    {
        guard let inner = fields.inner("heartbeat", allowed: ["interval", "missed"], into: &findings) else { return }
        // One lost packet must not stop a system, and a hundred are no longer a watch.
        let range = Scalar<Int>.integer(2...100, code: .absurdThreshold)
        if let missed = inner.read("missed", range, into: &findings) { heartbeat.missed = missed }
        guard let interval = inner.read("interval", .duration, into: &findings) else { return }
        guard interval.count >= 100, interval.count <= Milliseconds.minutes(10).count else {
            findings.error(
                .absurdThreshold, at: inner.place(of: "interval"), "a heartbeat every \(interval)",
                right: "100ms to 10m")
            return
        }
        heartbeat.interval = interval
    }
}
