import BusEvidence
import BusProtocol
import Testing

@testable import BusAgent

/// The broker shows another log than the one it gave receipts of. Every agent with a receipt that contradicts it leaves for good: 4092.
@Suite struct ForkedLogTests {
    enum Fork: String, CaseIterable, Sendable {
        case shorter, otherRoot
        case empty

        func lie(_ size: UInt64, _ root: [UInt8]) -> (size: UInt64, root: [UInt8]) {
            switch self {
            case .shorter: (size - 1, root)
            case .otherRoot: (size, [root[0] ^ 1] + root.dropFirst())
            case .empty: (0, LogHash.empty.bytes)
            }
        }
    }

    /// A bus with something in its log of which every agent has a receipt.
    private func bus() throws -> HostileBus {
        let bus = try HostileBus(agents: ["portal-1", "register-1"])
        bus.portal.order(bus)
        bus.register.publish(bus)
        bus.pass(milliseconds: 200)
        return bus
    }

    private func expectRefused(_ agent: HostedAgent, _ bus: HostileBus) {
        #expect(agent.core.lastFault?.code == .logForked && agent.notices.last == .logForked)
        let request = agent.ask(bus)
        bus.settle()
        #expect(agent.end(of: request) == .fault(.logForked))
    }

    @Test("in WELCOME: at the greeting, before anything is sent", arguments: Fork.allCases, [true, false])
    func greeting(_ fork: Fork, _ isNewProcess: Bool) throws {
        let bus = try bus()
        let (size, root) = (bus.portal.core.receipt.treeSize, bus.portal.core.receipt.root)
        bus.lie = { to, said in
            guard case .welcome(var welcome) = said.what else { return [(to, said)] }
            (welcome.treeSize, welcome.root) = fork.lie(size, root)
            return [(to, Said(head: said.head, .welcome(welcome)))]
        }
        if isNewProcess { bus.portal.restart(bus) } else { bus.restart() }
        expectRefused(bus.portal, bus)
    }

    @Test("in ACCEPT: at once, and what was to be accepted fails", arguments: Fork.allCases)
    func acceptance(_ fork: Fork) throws {
        let bus = try bus()
        let (size, root) = (bus.portal.core.receipt.treeSize, bus.portal.core.receipt.root)
        bus.lie = { to, said in
            guard to == "portal-1", case .accept(var acceptance) = said.what else { return [(to, said)] }
            (acceptance.treeSize, acceptance.root) = fork.lie(size, root)
            return [(to, Said(head: said.head, .accept(acceptance)))]
        }
        let order = bus.portal.order(bus)
        bus.pass(milliseconds: 100)
        #expect(bus.portal.end(of: order) == .fault(.logForked))
        #expect(bus.portal.core.receipt.treeSize == size, "the receipt is kept")
        expectRefused(bus.portal, bus)
    }

    /// An ACCEPT of what was never sent is no receipt.
    @Test func anAcceptanceOfNothing() throws {
        let bus = try bus()
        let receipt = bus.portal.core.receipt
        let acceptance = Acceptance(sequence: 99, treeSize: receipt.treeSize + 1000, root: receipt.root)
        bus.say(.accept, .accept(acceptance), to: "portal-1")
        #expect(bus.portal.core.receipt == receipt && bus.portal.core.counters.badFrames == 1)
    }

    // MARK: - What nobody notices

    /// Limit: a receipt is a number and a root. That a longer log begins with the records of before, an agent does not ask for
    /// proof of; `GET /v1/checkpoint/consistency` gives it, and `kerege evidence verify` holds files to receipts.
    @Test func aLongerLogOfAnotherHistory() throws {
        let bus = try bus()
        var other = MerkleLog()
        for _ in 0..<(bus.log.size + 5) { other.append(LogHash.empty) }
        bus.lie = { to, said in
            guard case .welcome(var welcome) = said.what else { return [(to, said)] }
            (welcome.treeSize, welcome.root) = (other.size, other.root.bytes)
            return [(to, Said(head: said.head, .welcome(welcome)))]
        }
        bus.restart()
        #expect(bus.portal.core.isOpen && bus.portal.core.receipt.root == other.root.bytes)
    }

    /// Limit: two agents that are shown different logs of one size do not speak with each other about it. Their receipts
    /// contradict each other, for whoever lays them side by side.
    @Test func differentLogsForDifferentAgents() throws {
        let bus = try bus()
        bus.lie = { to, said in
            guard to == "portal-1", case .welcome(var welcome) = said.what else { return [(to, said)] }
            welcome.treeSize += 1
            welcome.root = [UInt8](repeating: 7, count: 32)
            return [(to, Said(head: said.head, .welcome(welcome)))]
        }
        bus.restart()
        let (portal, register) = (bus.portal.core, bus.register.core)
        #expect(portal.isOpen && register.isOpen && portal.receipt != register.receipt)
    }
}
