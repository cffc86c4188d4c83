/// A space with one service and one event, three systems and their keys.
enum SmallSpace {
    static let sections = """
        space:
          id: small
          title: {en: Small space, kk: Кеңістік}
          demo: true
          note: For tests.
        broker: {id: broker-1, endpoint: "tcp://127.0.0.1:7400"}
        thresholds: {heartbeat: {interval: 1s, missed: 3}}
        agencies:
          - {id: ministry, name: {en: Ministry}}
        systems:
          - {id: register, owner: ministry, status: operation, name: {en: Register}}
          - {id: portal, owner: ministry, status: operation, name: {en: Portal}}
          - {id: bank, owner: ministry, status: operation, name: {en: Bank}}
        services:
          - {name: register.record-get.v1, kind: request, deadline: 2s, promisedP95: 100ms}
          - {name: register.record-changed.v1, kind: event}
        integrations:
          - {id: portal-record, consumer: portal, service: register.record-get.v1, owner: ministry, planYear: 2026, due: 2099-12-31, stage: approved, baseline: true}
          - {id: bank-record, consumer: bank, service: register.record-get.v1, owner: ministry, planYear: 2026, due: 2099-12-31, stage: planned, baseline: true}
          - {id: portal-changes, consumer: portal, event: register.record-changed.v1, owner: ministry, planYear: 2026, due: 2099-12-31, stage: testing, added: 2026-05-02}

        """

    static let text =
        sections + """
            keys:
              - {agent: register-1, systems: [register], curve: 'rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7'}
              - {agent: portal-1, systems: [portal], curve: 'Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID'}
              - {agent: bank-1, systems: [bank], curve: 'Zne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID'}

            """
}
