import Testing

/// Damaged inputs for everything that reads what others wrote.
///
/// A few thousand each here; `KEREGE_FUZZ=1000000` runs that many of each. A seed and an index name one input:
/// `KEREGE_FUZZ_SEED=… KEREGE_FUZZ_AT=…` runs it again.
@Suite("Fuzz", .serialized, .timeLimit(.minutes(600)))
struct FuzzTests {
    @Test("Headers of envelopes") func headers() async throws { try await EnvelopeFuzz.target().run() }

    @Test("Frames to a broker") func broker() async throws { try await BrokerFuzz().target.run() }

    @Test("Frames to an agent") func agent() async throws { try await AgentFuzz().target.run() }

    @Test("Documents of contracts") func schemas() async throws { try await ContractFuzz.schemas().run() }

    @Test("Bodies against contracts") func instances() async throws { try await ContractFuzz.instances().run() }

    @Test("The files of a space") func space() async throws { try await YAMLFuzz.space().run() }

    @Test("The file of an agent") func agentFile() async throws { try await YAMLFuzz.agentFile().run() }

    @Test("Files of evidence") func evidence() async throws { try await EvidenceFuzz.files().run() }

    @Test("Epoch records, wrapped keys, sealed bodies") func seals() async throws {
        try await EvidenceFuzz.seals().run()
    }

    @Test("Requests to the admin API") func admin() async throws {
        let fuzz = try await AdminFuzz()
        do { try await fuzz.target.run() } catch { Issue.record(error) }
        await fuzz.stop()
    }
}
