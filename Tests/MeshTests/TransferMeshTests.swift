import BusSystems
import BusTesting
import Testing

/// A sale from the deed to the new owner through three registers: a command, the fee it asks for by another one, the receipt as an
/// event, and the outcome back at the notary.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct TransferMeshTests {
    private static let population = Population(seed: 1, scale: Scale(oneIn: 100))
    private static let agents = ["e-notary", "real-estate", "payments"]

    private struct Sale {
        let property: String
        let giver: String
        let taker: String
    }

    @Test("a transfer ends with one owner and one payment, though the register and the broker are killed on the way")
    func transferSurvivesKills() async throws {
        try await withMesh { mesh in
            let sale = try Self.sales(1)[0]
            let deed = try sign(sale, mesh)
            // Killed as soon as it has taken the command, perhaps before it said so, and before the fee is asked for or just then.
            try await mesh.until("SELECT count(*) FROM transfer", is: "1", in: "real-estate")
            mesh.agent("real-estate-1")?.kill()
            mesh.broker.kill()
            await mesh.agent("real-estate-1")?.waitForExit(within: .seconds(5))
            await mesh.broker.waitForExit(within: .seconds(5))
            try mesh.broker.start()
            try mesh.agent("real-estate-1")?.start()
            try await mesh.until("SELECT count(*) FROM invoice", is: "1", in: "payments")

            // The fee is paid while nobody is there who waits for it.
            mesh.agent("real-estate-1")?.kill()
            await mesh.agent("real-estate-1")?.waitForExit(within: .seconds(5))
            try pay(mesh)
            try await mesh.until("SELECT count(*) FROM kerege_outbox WHERE published > 0", is: "1", in: "payments")
            mesh.broker.kill()
            await mesh.broker.waitForExit(within: .seconds(5))
            try mesh.broker.start()
            try mesh.agent("real-estate-1")?.start()
            try await mesh.until("SELECT state FROM deed WHERE number = '\(deed)'", is: "registered", in: "e-notary")
            try await expectOneOwner(sale, mesh)
            try await expectOnePayment(mesh)
        }
    }

    @Test("a register killed again and again while commands arrive gives each property to its taker once")
    func everyTransferHasOneEffect() async throws {
        try await withMesh { mesh in
            let sales = try Self.sales(8)
            for sale in sales { try sign(sale, mesh) }
            let count = "\(sales.count)"
            for wanted in 1...4 {
                let enough = "SELECT iif(count(*) >= \(wanted), 'enough', 'few') FROM transfer"
                try await mesh.until(enough, is: "enough", in: "real-estate")
                mesh.agent("real-estate-1")?.kill()
                await mesh.agent("real-estate-1")?.waitForExit(within: .seconds(5))
                try mesh.agent("real-estate-1")?.start()
            }
            try await mesh.until("SELECT count(*) FROM invoice", is: count, in: "payments")
            for _ in sales { try pay(mesh) }
            let ended = "SELECT count(*) FROM transfer WHERE state = 'registered' AND told = 1"
            try await mesh.until(ended, is: "4", in: "real-estate", orMore: true)
            mesh.agent("real-estate-1")?.kill()
            await mesh.agent("real-estate-1")?.waitForExit(within: .seconds(5))
            try mesh.agent("real-estate-1")?.start()
            try await mesh.until(ended, is: count, in: "real-estate")
            let told = "SELECT count(*) FROM kerege_outcome WHERE sent = 1 AND refused = 0 AND code = 0"
            try await mesh.until(told, is: count, in: "real-estate")
            for sale in sales { try await expectOneOwner(sale, mesh) }
            #expect(try mesh.value("SELECT count(*) FROM payment WHERE code > 'P9'", in: "payments") == count)
        }
    }

    @Test("what is encumbered stays where it is until the encumbrance is lifted")
    func encumbranceHasPriority() async throws {
        try await withMesh { mesh in
            let sale = try Self.sales(1)[0]
            let desk = try NotaryDesk(path: mesh.register("e-notary"))
            try desk.impose("pledge", on: sale.property, for: Self.population.bin(0), at: Mesh.now)
            let inForce =
                "SELECT count(*) FROM encumbrance WHERE cadastral_number = '\(sale.property)' AND lifted IS NULL"
            try await mesh.until(inForce, is: "1", in: "real-estate")
            let refused = try sign(sale, mesh)
            try await mesh.until("SELECT state FROM deed WHERE number = '\(refused)'", is: "cancelled", in: "e-notary")
            #expect(try mesh.value("SELECT count(*) FROM transfer", in: "real-estate") == "0")

            let imposed = try #require(
                try mesh.value(
                    "SELECT max(imposed) FROM encumbrance WHERE cadastral_number = '\(sale.property)'",
                    in: "real-estate"))
            try desk.lift(imposed: imposed, from: sale.property, at: Mesh.now)
            try await mesh.until(inForce, is: "0", in: "real-estate")
            let deed = try sign(sale, mesh)
            try await mesh.until("SELECT count(*) FROM invoice", is: "1", in: "payments")
            try pay(mesh)
            try await mesh.until("SELECT state FROM deed WHERE number = '\(deed)'", is: "registered", in: "e-notary")
            try await expectOneOwner(sale, mesh)
        }
    }

    // MARK: - Steps

    private func withMesh(_ body: (Mesh) async throws -> Void) async throws {
        let mesh = try await Mesh.start(.init(root: projectRoot, agents: Self.agents))
        do { try await body(mesh) } catch {
            let logs = mesh.agents.map { "\($0.name):\n\($0.logTail(lines: 5))" }.joined(separator: "\n")
            Issue.record("\(error)\n\(mesh.broker.logTail())\n\(logs)")
        }
        await mesh.stop()
    }

    /// Properties of one living person without any encumbrance, each with somebody to take it.
    private static func sales(_ count: Int) throws -> [Sale] {
        var sales: [Sale] = []
        for index in 0..<population.scale.properties where sales.count < count {
            let property = population.property(index)
            guard property.encumbrances.isEmpty, property.rights.count == 1,
                case .person(let owner) = property.rights[0].owner
            else { continue }
            let taker = (owner + 1..<population.scale.people).first {
                population.person($0).isCapable(on: population.epoch)
            }
            sales.append(
                Sale(
                    property: property.cadastralNumber, giver: population.iin(owner),
                    taker: population.iin(try #require(taker))))
        }
        try #require(sales.count == count)
        return sales
    }

    @discardableResult
    private func sign(_ sale: Sale, _ mesh: Mesh) throws -> String {
        let desk = try NotaryDesk(path: mesh.register("e-notary"))
        return try desk.sign(
            cadastralNumber: sale.property, giverIin: sale.giver, takerIin: sale.taker, at: Mesh.now)
    }

    private func pay(_ mesh: Mesh) throws {
        let reference = try PaymentDesk(path: mesh.register("payments")).payNext(at: Mesh.now)
        #expect(reference != nil, "there was nothing to pay")
    }

    private func expectOneOwner(_ sale: Sale, _ mesh: Mesh) async throws {
        let number = sale.property
        let owners = "SELECT group_concat(iin) FROM ownership WHERE cadastral_number = '\(number)'"
        #expect(try mesh.value(owners, in: "real-estate") == sale.taker)
        let registered = """
            SELECT count(*) FROM outbox
            WHERE kind = 'property-registered' AND body ->> 'cadastralNumber' = '\(number)'
            """
        #expect(try mesh.value(registered, in: "real-estate") == "1")
        let transfers = "SELECT count(*) FROM transfer WHERE cadastral_number = '\(number)'"
        #expect(try mesh.value(transfers, in: "real-estate") == "1")
    }

    private func expectOnePayment(_ mesh: Mesh) async throws {
        #expect(try mesh.value("SELECT count(*) FROM payment WHERE code > 'P9'", in: "payments") == "1")
        #expect(try mesh.value("SELECT count(*) FROM invoice", in: "payments") == "1")
        #expect(try mesh.value("SELECT count(*) FROM kerege_command", in: "real-estate") == "1")
        #expect(try mesh.value("SELECT sum(sent) || count(*) FROM kerege_outcome", in: "real-estate") == "11")
    }
}
