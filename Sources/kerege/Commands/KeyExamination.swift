import BusAgent
import BusDirectory
import BusEvidence

/// Holds the keys of a folder against the space: missing, wrong, unreadable, expired, revoked or belonging to somebody else. Pure; each
/// complaint names the command that mends it.
struct KeyExamination {
    struct KnownSpace {
        enum Source {
            /// The broker, which wants this authority's signature; nil: nobody's.
            case broker(authority: String?)
            /// The broker did not answer: what the data folder has.
            case folder
        }

        var snapshot: SpaceSnapshot
        var source: Source
        var isOfBroker: Bool { if case .broker = source { true } else { false } }
        /// The newest that an authority signed, as it lies in the data folder; nil where there is none.
        var signed: SignedSpace?
    }

    /// A key that ends sooner is named while there is time to change it, days.
    static let noticeDays: Int64 = 30
    private static let dayMilliseconds: Int64 = 86_400_000

    let folder: KeyFolder
    /// Nil: neither the broker nor the data folder has one.
    let space: KnownSpace?
    /// Unix milliseconds.
    let now: Int64
    /// Systems whose contracts name the people they are asked about.
    var aboutPeople: Set<String> = []
    /// The data folder, as commands name it.
    var data = "./data"

    var checks: [Check] {
        guard !(folder.keys.isEmpty && folder.seals.isEmpty && folder.subjects.isEmpty && folder.unreadable.isEmpty)
        else {
            return [
                .bad(
                    "keys", "no key files in \(folder.path)",
                    mend: "kerege keys new broker --dir \(ShellText.word(folder.path))")
            ]
        }
        let complaints =
            folder.unreadable.map {
                Check.bad("key \($0.file.split(separator: "/").last ?? "")", $0.why, mend: $0.mend)
            }
            + (space.map(complaints) ?? [])
        let sound = Check.good(
            "keys",
            "\(folder.keys.count) key pairs and \(folder.seals.count) seals, \(folder.subjects.count) subject keys in \(folder.path)"
        )
        return (complaints.isEmpty ? [sound] : complaints) + authority + (space.map(older) ?? [])
    }

    private func complaints(_ known: KnownSpace) -> [Check] {
        let space = known.snapshot.space
        let agents = folder.keys.keys.sorted().filter { $0 != "broker" }
        return broker(space) + agents.flatMap { agent($0, space) } + lost(space)
            + seals(space, Directory(known.snapshot)) + missingSubjects(space)
    }

    // MARK: - Agents and broker

    private func broker(_ space: Space) -> [Check] {
        guard let key = folder.keys["broker"] else { return [] }
        var found: [Check] = []
        if let curve = space.broker.curve, curve != key.publicKey {
            found.append(
                .bad(
                    "key broker", "the space names another key of the broker than broker.key has",
                    mend: line("curve: '\(key.publicKey)'", "the section `broker`")))
        }
        return found
            + signing(
                "broker", key, space.broker.sign, entry: "the section `broker`", isAsked: space.broker.sign != nil)
    }

    private func agent(_ name: String, _ space: Space) -> [Check] {
        guard let key = folder.keys[name] else { return [] }
        let file = "\(folder.path)/\(name).key"
        guard let entry = space.keys.first(where: { $0.curve == key.publicKey }) else {
            let others = space.keys.filter { $0.agent == name }
            return [
                .bad(
                    "key \(name)",
                    others.isEmpty
                        ? "\(file) is not in the space: the broker answers nobody who holds it"
                        : "the space has another key for agent \(name) than \(file)",
                    mend: line("curve: '\(key.publicKey)'", "an entry of `keys`"))
            ]
        }
        var found: [Check] = []
        if entry.agent != name {
            found.append(
                .bad(
                    "key \(name)", "\(file) is the key of agent \(entry.agent) in the space",
                    // Never over a key: two files may have each other's name.
                    mend: ShellText.command(["mv", "-n", file, "\(folder.path)/\(entry.agent).key"])
                        + "; where that file is there already, move it aside first"))
        }
        let renew = ShellText.command(["kerege", "keys", "new", name])
        if let check = validity("key \(name)", entry.validity, renew: renew) { found.append(check) }
        return found + signing(name, key, entry.sign, entry: "the entry of \(entry.agent)", isAsked: true)
    }

    /// Secrets of which only the public half is left. Only those the space names: others are nobody's any more.
    private func lost(_ space: Space) -> [Check] {
        let agents = folder.shownAlone.sorted { $0.key < $1.key }.filter { lone in
            space.keys.contains { $0.curve == lone.value && $0.validity.isValid(at: now) }
        }.map { lone in
            let (name, file) = (lone.key, path("\(lone.key).pub"))
            return Check.bad(
                "key \(name)", "\(name).pub is here, and \(name).key is not: nobody here can start as agent \(name)",
                mend: "bring \(name).key back from where it was saved, mode 0600; where it is lost: kerege keys new "
                    + ShellText.command([name, "--dir", folder.path])
                    + ", put its lines into the space, then kerege space apply DIR; where the agent lives elsewhere: rm \(file)"
            )
        }
        let seals = folder.sealsShownAlone.filter { system in
            // An agent of it that is here is told so below.
            !agentsHere(space).contains { $0.systems.contains(system) }
                && space.seals.contains { $0.system == system && $0.validity.isValid(at: now) }
        }.map { system in
            Check.bad(
                "seal \(system)", "\(system).seal.pub is here, and \(system).seal is not",
                mend:
                    "copy \(system).seal from another agent of \(system) to \(ShellText.word(folder.path)), mode 0600; where "
                    + "\(system) lives elsewhere: rm \(path("\(system).seal.pub"))")
        }
        return agents + seals
    }

    /// Agents that serve their systems with a key of this folder.
    private func agentsHere(_ space: Space) -> [AgentKey] {
        space.keys.filter { folder.keys[$0.agent] != nil && !$0.roles.contains(.operator) }
    }

    private func signing(_ name: String, _ key: KeyFile, _ inSpace: String?, entry: String, isAsked: Bool) -> [Check] {
        let complete = "kerege keys complete \(path("\(name).key"))"
        switch (key.signPublicKey, inSpace) {
        case (let own?, let said?):
            return own == said
                ? []
                : [
                    .bad(
                        "key \(name)", "the space has another signing key than \(name).key: what it signs is refused",
                        mend: line("sign: '\(own)'", entry))
                ]
        case (nil, _?):
            return [.bad("key \(name)", "\(name).key has no signing key, and the space expects one", mend: complete)]
        case (let own?, nil):
            return isAsked
                ? [.bad("key \(name)", "the space has no signing key of \(name)", mend: line("sign: '\(own)'", entry))]
                : []
        case (nil, nil):
            return isAsked ? [.bad("key \(name)", "\(name) signs nothing: its key is of before", mend: complete)] : []
        }
    }

    /// Of a file of the folder, as a command line names it.
    private func path(_ file: String) -> String { ShellText.word("\(folder.path)/\(file)") }

    private func line(_ line: String, _ place: String) -> String {
        "put the line `\(line)` into \(place) of the space, then kerege space apply DIR"
    }

    private func validity(_ what: String, _ validity: KeyValidity, renew: String) -> Check? {
        switch validity.state(at: now) {
        case .valid:
            guard let end = validity.end, end - now < Self.noticeDays * Self.dayMilliseconds else { return nil }
            let days = (end - now) / Self.dayMilliseconds
            return .bad(
                what, "it ends in \(days) days, on \(validity.until?.description ?? "")",
                mend:
                    "\(renew) in a new folder, add its lines to the space beside the old ones; docs/OPERATIONS.md, Keys"
            )
        case .notYet(let day):
            return .bad(
                what, "it counts from \(day) on",
                mend: "use the key before it until then, or change `from` in the space")
        case let state:
            return .bad(
                what, "it \(state.words)",
                mend: "\(renew) in a new folder, put its lines into the space, then kerege space apply DIR")
        }
    }

    // MARK: - Seals

    private func seals(_ space: Space, _ directory: Directory) -> [Check] {
        let systems = Set(space.systems.map(\.id))
        return folder.seals.keys.sorted().flatMap { system -> [Check] in
            guard let own = folder.seals[system]?.publicKey, systems.contains(system) else { return [] }
            guard let entry = space.seals.first(where: { $0.system == system && $0.seal == "\(own)" }) else {
                return [
                    .bad(
                        "seal \(system)", "\(system).seal is not in the space: nothing is sealed to it",
                        mend:
                            "put the key of \(path("\(system).seal.pub")) as `- {system: \(system), seal: …}` under "
                            + "`keys` of the space, then kerege space apply DIR")
                ]
            }
            if let stated = entry.order, let own = folder.seals[system]?.order.name, stated != own {
                return [
                    .bad(
                        "seal \(system)",
                        "the space states another secret for order keys (\(stated)) than \(system).seal has (\(own)): its consumers take none",
                        mend:
                            "copy \(system).seal from another agent of \(system), or put `order: '\(own)'` into its entry, "
                            + "then kerege space apply DIR")
                ]
            }
            if let inUse = directory.seal(of: system, at: now)?.key {
                let isKept = folder.retired[system, default: []].contains { $0.publicKey == inUse }
                // It may be in a file that cannot be read, which is told by itself.
                let mayBeKept = folder.unreadable.contains { $0.file.hasPrefix("\(folder.path)/\(system).seal.") }
                if inUse != own, !isKept, !mayBeKept { return [outdated(system)] }
                // Made in time and stated ahead: until its day the one before it counts, and is here.
                if isKept, case .notYet = entry.validity.state(at: now) { return [] }
            }
            return validity(
                "seal \(system)", entry.validity, renew: "kerege keys new NAME --system \(ShellText.word(system))"
            ).map {
                [$0]
            }
                ?? []
        } + missingSeals(space)
    }

    private func outdated(_ system: String) -> Check {
        .bad(
            "seal \(system)",
            "messages to \(system) are sealed to another key of the space than \(system).seal: nobody here can open them",
            mend: ShellText.command(["mv", "\(folder.path)/\(system).seal", folder.nextRetired[system] ?? ""])
                + ", then copy \(system).seal from the agent of \(system) that has the key in use to "
                + "\(ShellText.word(folder.path)), mode 0600")
    }

    /// Agents of this folder whose system has a seal key that is not here: they could not open what is sealed to it.
    private func missingSeals(_ space: Space) -> [Check] {
        let served = Set(agentsHere(space).flatMap(\.systems))
        let sealed = Set(space.seals.filter { $0.validity.isValid(at: now) }.map(\.system))
        let broken = Set(folder.unreadable.map(\.file))
        return served.intersection(sealed).sorted().filter {
            folder.seals[$0] == nil && !broken.contains(SealFile.path($0, in: folder.path))
        }.map { system in
            .bad(
                "seal \(system)", "messages to \(system) are sealed, and \(system).seal is not here",
                mend: "copy \(system).seal from another agent of \(system) to \(ShellText.word(folder.path)), mode 0600"
            )
        }
    }

    /// Agents of this folder that are asked about people and cannot mark it: whom they answered about is in no account.
    private func missingSubjects(_ space: Space) -> [Check] {
        let agents = agentsHere(space)
        let broken = Set(folder.unreadable.map(\.file))
        return Set(agents.flatMap(\.systems)).intersection(aboutPeople).sorted().filter {
            folder.subjects[$0] == nil && !broken.contains(SubjectFile.path($0, in: folder.path))
        }.map { system in
            let agent = agents.first { $0.systems.contains(system) }?.agent ?? "AGENT"
            return .bad(
                "subject \(system)",
                "\(system).subject is not here: \(agent) does not mark whom it is asked about, and kerege access finds nothing",
                mend:
                    "copy \(system).subject from another agent of \(system) to \(ShellText.word(folder.path)), mode 0600; where none "
                    + "has it: kerege keys complete \(path("\(agent).key")) --system \(ShellText.word(system))")
        }
    }

    /// Who goes on as before there were signatures and seals.
    private func older(_ known: KnownSpace) -> [Check] {
        let space = known.snapshot.space
        let silent = space.keys.filter { $0.sign == nil && ($0.validity.times?.upperBound ?? .min) >= now }.map(\.agent)
        let sealed = Set(space.seals.map(\.system))
        let open = space.systems.map(\.id).filter { !sealed.contains($0) }
        guard !(silent.isEmpty && open.isEmpty) else { return [] }
        return [
            .good(
                "not yet protected",
                [
                    silent.isEmpty ? nil : "sign nothing: \(silent.joined(separator: ", "))",
                    open.isEmpty ? nil : "nothing is sealed to: \(open.joined(separator: ", "))",
                ].compactMap(\.self).joined(separator: "; "))
        ]
    }

    // MARK: - Authority

    private var authority: [Check] {
        if let space, let signed = space.signed, !signed.snapshot.succession(to: space.snapshot).mayReplace {
            return [unsigned(space, over: signed)]
        }
        if let space, !space.isOfBroker, let signed = space.signed, let pinned = folder.authority,
            !signed.isSigned(by: pinned)
        {
            return [
                .bad(
                    "authority", "the space kept in the data folder is not signed by authority.pub",
                    mend:
                        "kerege space sign DIR --authority authority.key -o space.signed, then start the broker with it"
                )
            ]
        }
        switch (folder.authority, space?.source) {
        case (nil, .some(.broker(.some))):
            return [
                .bad(
                    "authority", "the broker's space is signed, and no authority is pinned here",
                    mend: "cp AUTHORITY-FOLDER/authority.pub \(path("authority.pub"))")
            ]
        case (nil, _): return [.good("authority", "none is pinned: the space is believed as the broker shows it")]
        case (let pinned?, .some(.broker(.some(let wanted)))) where wanted != "\(pinned)":
            return [
                .bad(
                    "authority",
                    "authority.pub is another key than the broker's authority: agents here refuse it (4094)",
                    mend: "cp AUTHORITY-FOLDER/authority.pub \(path("authority.pub"))")
            ]
        case (_?, .some(.broker(.none))):
            return [
                .bad(
                    "authority", "an authority is pinned here, and the broker has none: agents refuse it (4094)",
                    mend:
                        "kerege space sign DIR --authority authority.key --after \(ShellText.word(data)) -o space.signed, "
                        + "then " + startSigned)
            ]
        case (_?, _): return [.good("authority", "pinned")]
        }
    }

    /// Nothing signed before is taken again: only a version after the one in force leads out.
    private func unsigned(_ space: KnownSpace, over signed: SignedSpace) -> Check {
        .bad(
            "authority",
            "version \(space.snapshot.version) of the space is in force over version \(signed.snapshot.version), the newest "
                + "that an authority signed here: agents that pin it refuse the broker (4094)",
            mend: (space.isOfBroker ? "stop the broker, then " : "")
                + "kerege up --data \(ShellText.word(data)) where that made the folder, which signs the next version; else kerege space sign DIR "
                + "--authority authority.key --after \(ShellText.word(data)) -o space.signed, then \(startSigned)")
    }

    private var startSigned: String {
        ShellText.command([
            "kerege-broker", "--data", data, "--authority", "\(folder.path)/authority.pub", "--signed-space",
            "space.signed",
        ])
    }
}
