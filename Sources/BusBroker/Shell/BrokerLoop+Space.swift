import BusDirectory
import BusEvidence

/// Spaces that an operator puts in force.
extension BrokerLoop {
    mutating func apply(_ space: BrokerMailbox.NextSpace) -> Result<SpaceSnapshot, BrokerError> {
        do {
            switch space {
            case .files(let files): return .success(try apply(files))
            case .signed(let signed): return .success(try apply(signed))
            }
        } catch let error as BrokerError {
            return .failure(error)
        } catch {
            return .failure(
                BrokerError("the space cannot take effect: \(error)", remedy: "mend it; kerege space check DIR"))
        }
    }

    private mutating func apply(_ space: Space) throws -> SpaceSnapshot {
        try store.expectUnsigned(under: authority, over: core.rights.snapshot)
        let next = try SpaceSnapshot(space, after: core.rights.snapshot)
        if next.space == core.rights.snapshot.space { return core.rights.snapshot }
        putInForce(next, SignedSpace.noSignature)
        return next
    }

    private mutating func apply(_ signed: SignedSpace) throws -> SpaceSnapshot {
        guard let authority else {
            throw BrokerError(
                "this broker has no authority to check the signature with",
                remedy: "start it with --authority authority.pub, or apply the files themselves")
        }
        let inForce = SignedSpace(core.rights.snapshot, signature: core.spaceSignature)
        var trust = SpaceTrust(authority: authority, held: inForce)
        do throws(SpaceTrust.Refusal) {
            guard try trust.take(signed) else { return inForce.snapshot }
        } catch {
            let sign = "kerege space sign DIR --authority authority.key --broker -o space.signed"
            throw BrokerError(
                "the signed space cannot take effect: \(error)",
                remedy: error == .notSigned
                    ? "sign it with the secret half of this broker's authority, \(authority): \(sign); where the authority "
                        + "itself is another one now: start the broker with --authority authority.pub --signed-space FILE"
                    : "sign it after the one in force: \(sign)")
        }
        // Kept first: an agent that has seen it never meets this broker without it.
        try store.write(signed)
        putInForce(signed.snapshot, signed.signature)
        return signed.snapshot
    }

    private mutating func putInForce(_ snapshot: SpaceSnapshot, _ signature: [UInt8]) {
        // Keys first: whoever is dismissed must find the door closed.
        keys.replace(snapshot.space)
        core.apply(snapshot, signature: signature, at: clock.now())
    }
}
