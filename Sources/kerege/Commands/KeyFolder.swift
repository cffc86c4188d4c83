import BusAgent
import BusDirectory
import BusEvidence
import Foundation

/// The files of a key folder as far as they can be read, and what is wrong with the others.
struct KeyFolder {
    struct Unreadable: Sendable {
        var file: String
        var why: String
        var mend: String
    }

    let path: String
    /// Agents' and the broker's keys by name.
    private(set) var keys: [String: KeyFile] = [:]
    /// Seal keys by system.
    private(set) var seals: [String: SealFile] = [:]
    /// Seal keys that were replaced, by system.
    private(set) var retired: [String: [SealFile]] = [:]
    /// Where the key of a system goes when it is replaced.
    private(set) var nextRetired: [String: String] = [:]
    /// Agents whose public key is here without the secret one: the public key by name.
    private(set) var shownAlone: [String: String] = [:]
    /// Systems whose seal key is here by its public half alone.
    private(set) var sealsShownAlone: [String] = []
    /// Subject keys by system.
    private(set) var subjects: [String: SubjectFile] = [:]
    /// What is pinned here.
    private(set) var authority: VerifyingKey?
    private(set) var unreadable: [Unreadable] = []

    init(path: String) {
        self.path = path
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
        for name in names where name.hasSuffix(".key") { readKeys(String(name.dropLast(4)), name) }
        for name in names where name.hasSuffix(".seal") { readSeal(String(name.dropLast(5)), name) }
        for system in SealFile.systems(in: path) { readRetired(system) }
        for name in names where name.hasSuffix(".subject") { readSubject(String(name.dropLast(8)), name) }
        if names.contains("authority.pub") { readAuthority() }
        for name in names where name.hasSuffix(".pub") { readShown(String(name.dropLast(4)), Set(names)) }
    }

    /// A public half says what was here; broker and authority have theirs at many places.
    private mutating func readShown(_ stem: String, _ names: Set<String>) {
        guard !["broker", AuthorityFile.name].contains(stem) else { return }
        if stem.hasSuffix(".seal") {
            if !names.contains(stem) { sealsShownAlone.append(String(stem.dropLast(5))) }
        } else if !names.contains("\(stem).key"), let key = try? KeyFile.publicKey("\(path)/\(stem).pub") {
            shownAlone[stem] = key
        }
    }

    private mutating func readKeys(_ stem: String, _ name: String) {
        let file = "\(path)/\(name)"
        do throws(KeyFile.Problem) {
            if stem == AuthorityFile.name {
                _ = try AuthorityFile.load(file)
            } else {
                keys[stem] = try KeyFile.load(file)
            }
        } catch {
            note(
                file, error,
                otherwise:
                    "\(Self.aside(file)) && kerege keys new \(ShellText.word(stem)) --dir \(ShellText.word(path))")
        }
    }

    private mutating func readSeal(_ system: String, _ name: String) {
        let file = "\(path)/\(name)"
        do throws(KeyFile.Problem) { seals[system] = try SealFile.load(system: system, in: path) } catch {
            note(
                file, error,
                otherwise: "\(Self.aside(file)) && kerege keys new NAME --system "
                    + ShellText.command([system, "--dir", path]))
        }
    }

    /// Each opens what was sealed to it, and an agent does not start over one that it cannot read.
    private mutating func readRetired(_ system: String) {
        nextRetired[system] = SealFile.nextRetired(system, in: path)
        for file in SealFile.retired(system, in: path) {
            do throws(KeyFile.Problem) {
                retired[system, default: []].append(try SealFile.load(system: system, at: file))
            } catch {
                note(
                    file, error,
                    otherwise: "\(Self.aside(file)) && " + ShellText.command(["cp", "FROM-ANOTHER-AGENT/SEAL", file]))
            }
        }
    }

    private mutating func readSubject(_ system: String, _ name: String) {
        let file = "\(path)/\(name)"
        do throws(KeyFile.Problem) { subjects[system] = try SubjectFile.load(system: system, in: path) } catch {
            note(
                file, error,
                otherwise: "\(Self.aside(file)) && " + ShellText.command(["cp", "FROM-ANOTHER-AGENT/\(name)", file]))
        }
    }

    private mutating func readAuthority() {
        let file = "\(path)/authority.pub"
        do throws(KeyFile.Problem) { authority = try AuthorityFile.publicKey(file) } catch {
            note(file, error, otherwise: "cp AUTHORITY-FOLDER/authority.pub \(ShellText.word(file))")
        }
    }

    private static func aside(_ file: String) -> String { ShellText.command(["mv", file, file + ".bad"]) }

    private mutating func note(_ file: String, _ problem: KeyFile.Problem, otherwise mend: String) {
        let isOpen = "\(problem)".contains("chmod")
        let isHidden = access(file, R_OK) != 0
        unreadable.append(
            Unreadable(
                file: file, why: "\(problem)",
                mend: isOpen
                    ? "chmod 600 \(ShellText.word(file))" : isHidden ? "chown $USER \(ShellText.word(file))" : mend))
    }
}
