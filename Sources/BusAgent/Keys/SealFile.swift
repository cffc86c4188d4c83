import BusDirectory
package import BusEvidence
import BusProtocol
import Foundation
import Glibc

/// The key to which messages for a system are sealed, in `SYSTEM.seal`: secret, and shared by the agents of that system. Its public
/// half is in `SYSTEM.seal.pub` and in the space.
package struct SealFile: Sendable {
    package let system: String
    package let secret: SystemKey
    /// With which the system's order keys are made: the same before and after the seal key was renewed.
    package let order: OrderSecret
    /// With which the system knows again what it sent before: the same before and after as well, and never given to anybody.
    package let repeats: RepeatSecret

    package init(system: String, secret: SystemKey, order: OrderSecret? = nil, repeats: RepeatSecret? = nil) {
        self.system = system
        self.secret = secret
        self.order = order ?? OrderSecret(system: system, derivedFrom: secret)
        self.repeats = repeats ?? RepeatSecret(derivedFrom: secret)
    }

    package var publicKey: SystemPublicKey { secret.publicKey }

    package static func path(_ system: String, in directory: String) -> String { "\(directory)/\(system).seal" }

    /// - Throws: `KeyFile.Problem` when the file is missing, others may read it, or it is no seal key.
    package static func load(system: String, in directory: String) throws(KeyFile.Problem) -> SealFile {
        try load(system: system, at: path(system, in: directory))
    }

    /// - Parameter path: of the key in use, or of one that it replaced.
    package static func load(system: String, at path: String) throws(KeyFile.Problem) -> SealFile {
        let remedy = "kerege keys new AGENT --system \(system)"
        let lines = try KeyLines.secret(path, remedy: remedy)
        guard let text = lines["seal-secret"], let secret = SystemKey(secret: text) else {
            throw KeyFile.Problem(
                description: "\(path) has no line \"seal-secret: …\" with 43 characters of base64url. "
                    + "Move it away and make a new one: \(remedy)")
        }
        guard lines["seal-public"] == "\(secret.publicKey)" else {
            throw KeyFile.Problem(
                description:
                    "the two keys in \(path) do not belong together. Move it away and make a new one: \(remedy)")
        }
        let order = try bytes("order-secret", lines, system, path).flatMap { OrderSecret(system: system, bytes: $0) }
        let repeats = try bytes("repeat-secret", lines, system, path).flatMap { RepeatSecret(bytes: $0) }
        return SealFile(system: system, secret: secret, order: order, repeats: repeats)
    }

    /// Nil where there is no such line: files of before have fewer.
    private static func bytes(
        _ name: String, _ lines: KeyLines, _ system: String, _ path: String
    ) throws(KeyFile.Problem) -> [UInt8]? {
        guard let text = lines[name] else { return nil }
        guard let bytes = [UInt8](hex: text), bytes.count == RepeatSecret.size else {
            throw KeyFile.Problem(
                description: "the line \"\(name): …\" in \(path) is not 64 hexadecimal digits. "
                    + "Copy the file from another agent of \(system)")
        }
        return bytes
    }

    /// Nil where there is no file: a system without a seal key.
    package static func loadIfPresent(system: String, in directory: String) throws(KeyFile.Problem) -> SealFile? {
        guard access(path(system, in: directory), F_OK) == 0 else { return nil }
        return try load(system: system, in: directory)
    }

    /// Makes the key of a system that has none.
    package static func create(system: String, in directory: String) throws(KeyFile.Problem) -> SealFile {
        try create(system: system, in: directory, order: OrderSecret(system: system), repeats: RepeatSecret())
    }

    private static func create(
        system: String, in directory: String, order: OrderSecret, repeats: RepeatSecret
    ) throws(KeyFile.Problem) -> SealFile {
        guard let secret = try? SystemKey() else {
            throw KeyFile.Problem(description: "no seal key could be made: X-Wing is not available here")
        }
        let path = path(system, in: directory)
        try KeyLines.create(
            secret: path,
            [
                "seal-public": "\(secret.publicKey)", "seal-secret": secret.reveal(), "order-secret": order.bytes.hex,
                "repeat-secret": repeats.bytes.hex,
            ],
            shown: path + ".pub", ["seal-public": "\(secret.publicKey)", "order-id": order.name])
        return SealFile(system: system, secret: secret, order: order, repeats: repeats)
    }

    // MARK: - Renewal

    /// Keys of a system that were replaced are kept as `SYSTEM.seal.1` and so on, for what was sealed to them.
    package static func retired(_ system: String, in directory: String) -> [String] {
        let start = "\(system).seal."
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        let numbers = names.compactMap { $0.hasPrefix(start) ? Int($0.dropFirst(start.count)) : nil }
        return numbers.sorted().map { "\(directory)/\(start)\($0)" }
    }

    /// Where the key of a system goes when another takes its place: behind the newest that was kept.
    package static func nextRetired(_ system: String, in directory: String) -> String {
        let last = retired(system, in: directory).compactMap { $0.split(separator: ".").last.flatMap { Int($0) } }.max()
        return "\(path(system, in: directory)).\((last ?? 0) + 1)"
    }

    /// The key of a system and those that it replaced; none where the system has no key.
    package static func all(system: String, in directory: String) throws(KeyFile.Problem) -> [SealFile] {
        guard let newest = try loadIfPresent(system: system, in: directory) else { return [] }
        var all = [newest]
        for path in retired(system, in: directory) { all.append(try load(system: system, at: path)) }
        return all
    }

    /// Systems with a seal key in a folder.
    package static func systems(in directory: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.filter { $0.hasSuffix(".seal") }.map { String($0.dropLast(5)) }.sorted()
    }

    /// Puts a new key in the place of a system's, which is kept.
    /// - Returns: the new key, and where the one before is now.
    package static func renew(
        system: String, in directory: String
    ) throws(KeyFile.Problem) -> (made: SealFile, kept: String) {
        let known = try load(system: system, in: directory)
        let path = path(system, in: directory)
        let kept = nextRetired(system, in: directory)
        guard rename(path, kept) == 0 else {
            throw KeyFile.Problem(description: "cannot rename \(path): \(String(cString: strerror(errno)))")
        }
        do throws(KeyFile.Problem) {
            return (try create(system: system, in: directory, order: known.order, repeats: known.repeats), kept)
        } catch {
            rename(kept, path)
            throw error
        }
    }
}
