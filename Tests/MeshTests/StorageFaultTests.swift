import BusTesting
import Testing

/// What befalls the disk under a real broker: full, failing, read-only.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct StorageFaultTests {
    @Test("a full disk: senders are told 5070, reading goes on, and with room again the broker goes on by itself")
    func fullDisk() async throws { try await expectClean(DiskFullCampaign(), runs: 1) }

    @Test("a sync that fails: the broker confirms nothing more and stops; the next one has everything it confirmed")
    func syncError() async throws { try await expectClean(SyncErrorCampaign(), runs: 2) }

    @Test("a read-only folder: a clear error, exit code 2, and nothing changed")
    func readOnly() async throws { try await expectClean(ReadOnlyCampaign(), runs: 2) }
}
