/// A broker as a process of its own, with sender, provider and subscriber in this one, under load while faults befall it.
struct OrderRun {
    /// Data folder of the broker; nil: a temporary one.
    var folder: String?
    var environment: [String: String] = [:]
    /// Agents of `alpha` beside the usual ones.
    var extraAgents = 0
    /// Whether the load sends by itself.
    var sends = true

    private static let startDeadline: Duration = .seconds(60)

    func run(
        _ begun: CampaignResult,
        _ inject: (Mesh, OrderSpace, OrderLoad, inout CampaignResult) async throws -> Void
    ) async throws -> CampaignResult {
        let space = try OrderSpace(extraAgents: extraAgents)
        defer { space.remove() }
        var options = Mesh.Options(root: space.root, agents: [])
        options.folder = folder
        options.logFolder = space.root
        let mesh = try Mesh(options)
        do {
            try mesh.broker.start(environment: environment)
            try await mesh.waitUntilHealthy(within: Self.startDeadline)
            let load = try await OrderLoad(space, mesh)
            let result = try await run(begun, mesh, space, load, inject)
            await load.close()
            await mesh.stop()
            return result
        } catch {
            await mesh.stop()
            throw error
        }
    }

    private func run(
        _ begun: CampaignResult, _ mesh: Mesh, _ space: OrderSpace, _ load: OrderLoad,
        _ inject: (Mesh, OrderSpace, OrderLoad, inout CampaignResult) async throws -> Void
    ) async throws -> CampaignResult {
        var result = begun
        let work = sends ? Task { await load.run() } : nil
        do { try await inject(mesh, space, load, &result) } catch { result.end(error) }
        work?.cancel()
        await work?.value
        // A broker that did not come back would only make the count wait.
        if result.isClean { try await load.settle(&result) } else { await result.take(load.record) }
        return result
    }
}
