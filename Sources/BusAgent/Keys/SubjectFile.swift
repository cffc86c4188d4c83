package import BusEvidence
import BusProtocol
import Glibc

/// The key from which references to people are made, in `SYSTEM.subject`: secret, shared by the agents of that system, and without a
/// public half. Who has it can find a person's accesses; who has it not cannot, though all numbers were tried.
package struct SubjectFile: Sendable {
    /// Keys of before that are still looked for. Together with the key in use their references fit one answer.
    package static let mostEarlier = 7

    package let system: String
    package let key: SubjectKey
    /// Of earlier times, the newest first: what was asked then is found under their references.
    package let earlier: [SubjectKey]

    package init(system: String, key: SubjectKey, earlier: [SubjectKey] = []) {
        self.system = system
        self.key = key
        self.earlier = earlier
    }

    package static func path(_ system: String, in directory: String) -> String { "\(directory)/\(system).subject" }

    /// - Throws: `KeyFile.Problem` when the file is missing, others may read it, it is another system's, or it is no such key.
    package static func load(system: String, in directory: String) throws(KeyFile.Problem) -> SubjectFile {
        let path = path(system, in: directory)
        let remedy = remedy(system)
        let lines = try KeyLines.secret(path, remedy: remedy)
        guard let owner = lines["subject-system"], let key = key(lines["subject-secret"]) else {
            throw KeyFile.Problem(
                description:
                    "\(path) has no lines \"subject-system: …\" and \"subject-secret: …\" with 64 hexadecimal digits. "
                    + "Bring it back from a copy; without one move it away and make a new one: \(remedy)")
        }
        guard owner == system else {
            throw KeyFile.Problem(
                description: "\(path) is the subject key of \(owner): under it nobody finds who asked \(system). "
                    + "Name it \(owner).subject, and bring back that of \(system)")
        }
        var earlier: [SubjectKey] = []
        for number in 1...mostEarlier {
            guard let text = lines["earlier-secret-\(number)"] else { break }
            guard let before = Self.key(text) else {
                throw KeyFile.Problem(
                    description:
                        "the line \"earlier-secret-\(number): …\" in \(path) is no key of 64 hexadecimal digits")
            }
            earlier.append(before)
        }
        return SubjectFile(system: system, key: key, earlier: earlier)
    }

    /// Nil where there is no file: a system whose agents mark nobody.
    package static func loadIfPresent(system: String, in directory: String) throws(KeyFile.Problem) -> SubjectFile? {
        guard access(path(system, in: directory), F_OK) == 0 else { return nil }
        return try load(system: system, in: directory)
    }

    /// Makes the key of a system that has none.
    package static func create(system: String, in directory: String) throws(KeyFile.Problem) -> SubjectFile {
        let made = SubjectFile(system: system, key: SubjectKey())
        try KeyLines.create(
            secret: path(system, in: directory), ["subject-system": system, "subject-secret": made.key.bytes.hex])
        return made
    }

    /// Makes the keys of those systems that have none.
    /// - Returns: the files.
    package static func createMissing(of systems: [String], in directory: String) throws(KeyFile.Problem) -> [String] {
        var made: [String] = []
        for system in systems where try loadIfPresent(system: system, in: directory) == nil {
            _ = try create(system: system, in: directory)
            made.append(path(system, in: directory))
        }
        return made
    }

    /// The command that gives an agent of the system what it lacks.
    package static func remedy(_ system: String) -> String { "kerege keys new AGENT --system \(system)" }

    private static func key(_ text: String?) -> SubjectKey? {
        text.flatMap { [UInt8](hex: $0) }.flatMap { SubjectKey($0) }
    }
}
