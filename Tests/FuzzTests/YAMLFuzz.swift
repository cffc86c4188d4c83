import BusAgent
import BusDirectory
import Foundation

/// The files people write: a space, an agent.
enum YAMLFuzz {
    private static let values = [
        "", "~", "null", "yes", "0", "-1", "1s", "0s", "99999999999999999999s", "2026-02-30", "9999-12-31", "approved",
        "planned", "event", "register", "portal", "nobody", "register.record-get.v1", "[a, b]", "[]", "{}", "{en: X}",
        "'", "\"", "|", ">", "!tag x", "*alias", "&anchor x", "қазақша", "a: b", "- x", "# note", "\u{2028}", "\u{85}x",
        "1e308", "-.inf", ".nan", "0x10",
    ]
    private static let syntax: Set<Finding.Code> = [.yamlSyntax, .tab, .anchor]

    private static func grow(_ vectors: [[UInt8]]) -> @Sendable (inout SplitMix) -> [UInt8] {
        let lines = LineMutator(values: values)
        let mutator = TextMutator(bytes: Mutator(vectors: vectors, words: values.map { Array($0.utf8) }))
        return { random in mutator.grow(&random) { lines.change(&$0, &$1) } }
    }

    static func space() -> FuzzTarget {
        FuzzTarget(name: "space", fewInputs: 400, grow: grow([Array(SmallSpace.text.utf8)])) { bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            let reading = Space.load([SpaceFile(name: "space.yaml", text: text)])
            guard (reading.space == nil) == !reading.errors.isEmpty else {
                throw Broken(what: "neither space nor error")
            }
            for finding in reading.findings where finding.line < 1 || finding.column < 1 {
                throw Broken(what: "no place: \(finding)")
            }
            if let space = reading.space {
                let snapshot = try SpaceSnapshot(space)
                guard try SpaceSnapshot(canonical: snapshot.canonical).space == space else {
                    throw Broken(what: "the canonical text is another space")
                }
            }
            let codes = Set(reading.findings.map(\.code))
            return Verdict(
                isPastHead: codes.isDisjoint(with: syntax), outcomes: codes.isEmpty ? ["sound"] : codes.map(\.rawValue))
        }
    }

    static func agentFile() throws -> FuzzTarget {
        let vectors = try FuzzTarget.files("deploy/agents", ".yaml")
        return FuzzTarget(name: "agent-file", fewInputs: 400, grow: grow(vectors)) { bytes in
            do throws(AgentFileProblem) {
                _ = try AgentFile(String(decoding: bytes, as: UTF8.self), name: "agent.yaml")
                return Verdict(isPastHead: true, outcomes: ["sound"])
            } catch {
                let codes = Set(error.findings.map(\.code))
                guard !codes.isEmpty else { throw Broken(what: "refused without a finding") }
                return Verdict(isPastHead: codes.isDisjoint(with: syntax), outcomes: codes.map(\.rawValue))
            }
        }
    }
}
