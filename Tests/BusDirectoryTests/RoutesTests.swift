import BusDirectory
import Testing

struct RoutesTests {
    private func routes(_ change: (inout Space) -> Void = { _ in }) throws -> Routes {
        var space = try SpaceFixture.space()
        change(&space)
        return Routes(try SpaceSnapshot(space))
    }

    /// Nobody gets through but by an integration in testing or approved.
    @Test(arguments: Integration.Stage.allCases) func accessFollowsTheStage(_ stage: Integration.Stage) throws {
        let routes = try routes { $0.integrations[1].stage = stage }
        let way = routes.way(from: "portal", to: "register.record-get.v1")
        switch stage {
        case .testing, .approved:
            #expect(try way.get().stage == stage)
        case .planned, .inDevelopment, .retired, .cancelled:
            #expect(way == .failure(.stageForbids(index: 1, id: "portal-record", stage: stage)))
            #expect(throws: Routes.Refusal.self) { try way.get() }
        }
    }

    @Test(arguments: Integration.Stage.allCases) func eventsFollowTheStage(_ stage: Integration.Stage) throws {
        let routes = try routes { $0.integrations[0].stage = stage }
        #expect(
            routes.subscribers(of: "register.record-changed.v1").map(\.id)
                == (stage.permitsTraffic ? ["portal-changes"] : []))
        #expect(
            routes.subscriptions(of: "portal").map(\.service.name)
                == (stage.permitsTraffic ? ["register.record-changed.v1"] : []))
    }

    @Test func wayTellsAllTheMessagePathNeeds() throws {
        let way = try routes().way(from: "portal", to: "register.record-get.v1").get()
        #expect(way.index == 1)
        #expect(way.id == "portal-record" && way.consumer == "portal" && way.stage == .approved)
        #expect(way.service.provider == "register" && way.service.kind == .request)
        #expect(way.service.deadline == .seconds(2) && way.service.promisedP95 == Milliseconds(100))
    }

    @Test func indexIsThePlaceInTheSpace() throws {
        let routes = try routes()
        for (index, integration) in routes.snapshot.space.integrations.enumerated() {
            #expect(try routes.way(from: integration.consumer, to: integration.service).get().index == index)
        }
    }

    @Test func refusalsTellTheReason() throws {
        let routes = try routes()
        func number(_ consumer: String, _ service: String) -> Int? {
            if case .failure(let refusal) = routes.way(from: consumer, to: service) { return refusal.number }
            return nil
        }
        #expect(number("portal", "register.record-get.v2") == 404)
        #expect(number("register", "portal.status-get.v1") == 403)
        #expect(number("nobody", "register.record-get.v1") == 403)
        #expect(number("nobody", "no.such.v1") == 404)
        #expect(number("register", "register.record-get.v1") == 403, "its own service needs an integration too")
        #expect(number("portal", "register.record-get.v1") == nil)
    }

    @Test func keyDecidesForWhichSystemsAnAgentActs() throws {
        let routes = try routes()
        #expect(routes.agent(key: SpaceFixture.portalKey)?.name == "portal-1")
        #expect(routes.agent(key: SpaceFixture.portalKey)?.roles == [.operator])
        #expect(routes.agent(key: "unknown") == nil)
        #expect(routes.mayAct(key: SpaceFixture.portalKey, for: "portal"))
        #expect(!routes.mayAct(key: SpaceFixture.portalKey, for: "register"))
        #expect(!routes.mayAct(key: "unknown", for: "portal"))
        #expect(routes.agentKeys(serving: "register") == [SpaceFixture.registerKey])
        #expect(routes.agentKeys(serving: "nobody").isEmpty)
    }

    @Test func onlyItsSystemPublishesAnEvent() throws {
        let routes = try routes()
        #expect(routes.mayPublish("register.record-changed.v1", from: "register"))
        #expect(!routes.mayPublish("register.record-changed.v1", from: "portal"))
        #expect(!routes.mayPublish("register.record-get.v1", from: "register"))
        #expect(!routes.mayPublish("register.unknown.v1", from: "register"))
    }

    @Test func lookUpIsFast() throws {
        let routes = try routes()
        let rounds = 20_000
        var open = 0
        let spent = ContinuousClock().measure {
            for _ in 0..<rounds where (try? routes.way(from: "portal", to: "register.record-get.v1").get()) != nil {
                open += 1
            }
        }
        print("a way is found in \(spent / rounds)")
        #expect(open == rounds)
        #expect(spent / rounds < .microseconds(50))
    }
}
