import BusDirectory

/// A small valid space in one file. Line numbers in the tests of findings are those of this text.
enum SpaceFixture {
    static let text = """
        space:
          id: small
          title: {kk: Кеңістік, ru: Пространство, en: Space}
        broker: {id: broker-1, endpoint: "tcp://127.0.0.1:7400"}
        thresholds:
          window: 5m
          dormantAfter: 30d
        agencies:
          - id: ministry
            name: {en: Ministry}
            bin: "700140100005"
        systems:
          - id: register
            owner: ministry
            status: operation
            functions:
              - name: Give a record
                operations: [register.record-get.v1]
          - id: portal
            owner: ministry
            status: operation
        services:
          - {name: register.record-get.v1, kind: request, deadline: 2s, promisedP95: 100ms}
          - {name: register.record-changed.v1, kind: event}
          - {name: portal.status-get.v1, kind: request, deadline: 2s}
        integrations:
          - id: portal-record
            consumer: portal
            service: register.record-get.v1
            owner: ministry
            planYear: 2018
            due: 2018-12-31
            stage: approved
            baseline: true
          - id: portal-changes
            consumer: portal
            event: register.record-changed.v1
            owner: ministry
            planYear: 2018
            due: 2018-12-31
            stage: testing
            added: 2018-05-02
        keys:
          - agent: register-1
            systems: [register]
            curve: "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
          - agent: portal-1
            systems: [portal]
            curve: "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
            roles: [operator]
        """

    static let registerKey = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
    static let portalKey = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"

    static func read(_ text: String, contracts: Set<String>? = nil) -> SpaceReading {
        Space.load([SpaceFile(name: "s.yaml", text: text)], knownContracts: contracts)
    }

    struct NotLoaded: Error { var findings: [Finding] }

    static func space() throws -> Space {
        let reading = read(text)
        guard let space = reading.space else { throw NotLoaded(findings: reading.findings) }
        return space
    }

    static func replacing(_ old: String, _ new: String) -> String {
        precondition(text.contains(old), "the fixture has no \(old)")
        return text.replacing(old, with: new, maxReplacements: 1)
    }
}
