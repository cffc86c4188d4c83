import BusProtocol
import GRDB
import Testing

@testable import BusAgent

/// Limit: a register remembers what it took for `DeliveryRecords.retention`. A command that is brought again later, by a broker that
/// kept it or by an operator's resend, is carried out again: refusing what is merely old would end resends of what never was.
@Suite("Commands a register has forgotten", .timeLimit(.minutes(1)))
struct ForgottenCommandTests {
    @Test(arguments: [true, false])
    func isCarriedOutAgain(isForgotten: Bool) async throws {
        let stage = try await LandStage()
        let first = try await stage.start()
        let command = try stage.command("land.mark.v1", #"{"plot":"1:1"}"#)
        try await stage.send(command)
        _ = await stage.untilSettled(1)
        try await stage.until("SELECT sum(sent) FROM kerege_outcome", is: "1")
        await first.end()
        let age = DeliveryRecords.retention + (isForgotten ? 1000 : -60_000)
        let takenAt = ClockReading.current().wall - age
        try await stage.database.write {
            try $0.execute(sql: "UPDATE kerege_command SET taken_at = ?", arguments: [takenAt])
        }
        let second = try await stage.start()
        if isForgotten { try await stage.until("SELECT count(*) FROM kerege_command", is: "0") }
        try await stage.send(command)
        _ = await stage.untilSettled(2)
        #expect(try await stage.value("SELECT marks FROM plot WHERE number = '1:1'") == (isForgotten ? "2" : "1"))
        await stage.end(second)
    }
}
