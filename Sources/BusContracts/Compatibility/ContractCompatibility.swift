/// Whether data written by one version of a contract can be read by another. An answer of "compatible" is a proof; what
/// cannot be proven is told as such, construct by construct.
package enum ContractCompatibility {
    package enum Direction: String, Sendable, Hashable {
        /// New readers accept old data.
        case backward
        /// Old readers accept new data.
        case forward
    }

    package enum Verdict: String, Sendable, Hashable {
        /// There is data one side writes and the other refuses.
        case breaking
        /// Perhaps compatible, but it could not be proven.
        case unproven
    }

    /// One reason why a direction does not hold.
    package struct Finding: Sendable, Hashable, CustomStringConvertible {
        package let direction: Direction
        package let verdict: Verdict
        /// Where in the schema of the readers; in contracts with the part first, as /reply/properties/iin.
        package let pointer: JSONPointer
        /// The keyword that stands in the way.
        package let rule: String
        /// Why, in one sentence.
        package let why: String

        package var description: String {
            let prefix = verdict == .breaking ? "breaks" : "cannot be proven compatible"
            let place = pointer.tokens.isEmpty ? "the root" : pointer.description
            return "\(direction.rawValue) \(prefix) at \(place): \(why)"
        }
    }

    /// What stands in the way of each direction; nothing means it holds.
    package struct Report: Sendable, Hashable {
        package var findings: [Finding]

        package var backward: [Finding] { findings.filter { $0.direction == .backward } }
        package var forward: [Finding] { findings.filter { $0.direction == .forward } }
        package var isBackwardCompatible: Bool { backward.isEmpty }
        package var isForwardCompatible: Bool { forward.isEmpty }
        package var isFullyCompatible: Bool { findings.isEmpty }
        /// "full", "backward", "forward" or "none".
        package var level: String {
            switch (isBackwardCompatible, isForwardCompatible) {
            case (true, true): "full"
            case (true, false): "backward"
            case (false, true): "forward"
            case (false, false): "none"
            }
        }
    }

    /// Compares two schemas.
    package static func compare(old: JSONValue, new: JSONValue) -> Report {
        Report(findings: findings(writer: old, reader: new, .backward) + findings(writer: new, reader: old, .forward))
    }

    /// Compares two versions of a contract, part by part.
    package static func compare(old: Contract, new: Contract) -> Report {
        var report = Report(findings: identityFindings(old, new))
        for part in ContractPart.allCases {
            switch (old.schemas[part], new.schemas[part]) {
            case (nil, nil): break
            case (let before?, let after?):
                report.findings += compare(old: before, new: after).findings.map { finding in
                    Finding(
                        direction: finding.direction, verdict: finding.verdict,
                        pointer: JSONPointer(tokens: [part.rawValue] + finding.pointer.tokens), rule: finding.rule,
                        why: finding.why)
                }
            case (let before, _):
                report.findings += both(
                    [part.rawValue], part.rawValue,
                    before == nil
                        ? "The new version adds a \(part.rawValue)." : "The new version has no \(part.rawValue).")
            }
        }
        return report
    }

    private static func identityFindings(_ old: Contract, _ new: Contract) -> [Finding] {
        var findings: [Finding] = []
        if old.name.base != new.name.base {
            findings += both(["contract"], "contract", "These are different contracts, not versions of one.")
        }
        if old.kind != new.kind {
            findings += both(["kind"], "kind", "The kind changes from \(old.kind.rawValue) to \(new.kind.rawValue).")
        }
        if old.orderKey != new.orderKey {
            findings += both(
                ["x-order-key"], "x-order-key", "Messages of the two versions are ordered by different values.")
        }
        return findings + subjectFindings(old.subject, new.subject)
    }

    /// Whoever reads with the version that names a person expects to find who asked about that person; the other version does not say.
    private static func subjectFindings(_ old: JSONPointer?, _ new: JSONPointer?) -> [Finding] {
        guard old != new else { return [] }
        let why =
            switch (old, new) {
            case (nil, _): "Requests of the old version name nobody; accesses by it are in no account."
            case (_, nil): "Requests of the new version name nobody; accesses by it are in no account."
            default: "Requests of the two versions name the person asked about in different places."
            }
        // Backward: the new side reads what the old one wrote. Naming somebody where nobody was named takes nothing from it.
        return both(["x-subject"], "x-subject", why).filter { old != nil || $0.direction == .forward }
    }

    private static func both(_ tokens: [String], _ rule: String, _ why: String) -> [Finding] {
        [Direction.backward, .forward].map {
            Finding(direction: $0, verdict: .breaking, pointer: JSONPointer(tokens: tokens), rule: rule, why: why)
        }
    }

    private static func findings(writer: JSONValue, reader: JSONValue, _ direction: Direction) -> [Finding] {
        var proof = InclusionProof(writer: writer, reader: reader, direction: direction)
        return proof.run()
    }
}
