import BusDirectory
import BusProtocol

/// The space as the broker sends it: taken only when the pinned authority signed it and it goes on from the one before.
extension AgentCore {
    /// A broker that shows an older space than this agent has seen is refused before anything is said to it. Without an
    /// authority versions mean nothing.
    func rolledBack(_ welcome: Welcome) -> Fault? {
        guard trust.authority != nil, let held = trust.held?.snapshot, welcome.spaceVersion < held.version else {
            return nil
        }
        return Self.fault(.rolledBack(from: held.version, to: welcome.spaceVersion))
    }

    /// With an authority there is no session of a version without SPACE: a broker could choose it to show nothing.
    func withoutSpace(_ welcome: Welcome) -> Fault? {
        guard trust.authority != nil, welcome.version < Command.space.since else { return nil }
        return Fault(
            .spaceRefused, at: .consumerAgent,
            "the broker chose version \(welcome.version) of the wire, in which no space is sent; this agent has an authority pinned"
        )
    }

    /// With an authority nothing leaves before the space that WELCOME names is here. (A broker that names the one held and has
    /// another changes nothing: the one held stays.)
    func awaitsSpace(_ welcome: Welcome) -> Bool {
        guard trust.authority != nil else { return false }
        guard let held = trust.held?.snapshot else { return true }
        return held.version < welcome.spaceVersion
            || (held.version == welcome.spaceVersion && held.digest.bytes != welcome.spaceDigest)
    }

    /// SPACE: behind WELCOME, and whenever another one takes effect.
    mutating func offered(_ frame: SpaceFrame, _ clock: ClockReading, into actions: inout [AgentAction]) {
        guard isOpen || welcomeInWaiting != nil else { return }
        do throws(SpaceTrust.Refusal) {
            if try trust.take(signature: frame.signature, canonical: frame.canonical), let held = trust.held {
                senders = SenderCheck(Directory(held.snapshot))
                plan = PlanCheck(held.snapshot)
                actions.append(.remember(held))
                spaceWasTaken(clock)
            }
        } catch {
            return leave(Self.fault(error), clock, into: &actions)
        }
        guard let (welcome, head) = welcomeInWaiting, !awaitsSpace(welcome) else { return }
        begin(welcome, head, clock, into: &actions)
    }

    private static func fault(_ refusal: SpaceTrust.Refusal) -> Fault {
        Fault(.spaceRefused, at: .consumerAgent, "\(refusal)")
    }
}
