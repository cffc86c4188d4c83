import BusBroker
package import BusDirectory

/// Checking, comparing and applying a space. What is broken changes nothing.
extension AdminAnswers {
    /// `{"authority": …, "digest": …, "snapshot": …}`: the snapshot's bytes as they are digested and journaled; the public key of
    /// the authority where one is pinned.
    func space() -> [UInt8] {
        let snapshot = broker.readModel.overview.snapshot
        let authority = broker.authority.map { #""authority":"\#($0)","# } ?? ""
        return Array(#"{\#(authority)"digest":"\#(snapshot.digest)",\#(SpaceInForcePage.marker)"#.utf8)
            + snapshot.canonical
            + Array("}".utf8)
    }

    func check(_ files: SpaceFiles) -> SpaceCheckPage {
        SpaceCheckPage(read(files))
    }

    func diff(_ files: SpaceFiles) throws(AdminError) -> SpaceDiffPage {
        let wanted = try wanted(files)
        let diff = SpaceDiff(from: wanted.inForce.space, to: wanted.space)
        return SpaceDiffPage(
            fromVersion: wanted.inForce.version,
            changes: diff.entries.map { entry in
                SpaceDiffPage.Change(
                    kind: entry.kind.rawValue, id: entry.id, change: entry.change.rawValue,
                    fields: entry.fields.map { SpaceDiffPage.Field(path: $0.path, before: $0.before, after: $0.after) })
            },
            breaking: diff.breaking, findings: wanted.findings)
    }

    func apply(_ files: SpaceFiles) async throws(AdminError) -> SpaceApplyPage {
        let wanted = try wanted(files)
        let diff = SpaceDiff(from: wanted.inForce.space, to: wanted.space)
        let applied: SpaceSnapshot
        do throws(BrokerError) {
            if let signed = wanted.signed {
                applied = try await broker.apply(signed)
            } else {
                applied = try await broker.apply(wanted.space)
            }
        } catch {
            throw AdminError(
                409, "not-applied", "the space does not take effect", why: "\(error)",
                next: "kerege status tells what is in force")
        }
        return SpaceApplyPage(
            previousVersion: wanted.inForce.version, version: applied.version, digest: applied.digest.description,
            changed: applied.version != wanted.inForce.version, breaking: diff.breaking, findings: wanted.findings,
            keysKept: wanted.keysKept)
    }

    private struct Wanted {
        var space: Space
        var inForce: SpaceSnapshot
        var findings: [SpaceFinding]
        var keysKept: Bool
        /// As it came, where it came signed.
        var signed: SignedSpace?
    }

    private func read(_ files: SpaceFiles) -> SpaceReading {
        Space.load(
            files.files.map { SpaceFile(name: $0.name, text: $0.text) },
            knownContracts: contractsFolder.flatMap(SpaceFolder.contractNames(in:)))
    }

    /// The space of the files, with what they leave to the space in force.
    private func wanted(_ files: SpaceFiles) throws(AdminError) -> Wanted {
        if let text = files.signed { return try wanted(signed: text) }
        let reading = read(files)
        let findings = reading.findings.map(SpaceFinding.init)
        guard let read = reading.space else {
            var error = AdminError(
                422, "space-broken", "the space has \(reading.errors.count) errors; nothing was changed",
                why: reading.errors.first?.description ?? "it cannot be read",
                next: "mend what `findings` names, then kerege space check DIR")
            error.findings = findings
            throw error
        }
        let inForce = broker.readModel.overview.snapshot
        let (space, keysKept) = read.completed(from: inForce.space)
        return Wanted(space: space, inForce: inForce, findings: findings, keysKept: keysKept)
    }

    private func wanted(signed text: String) throws(AdminError) -> Wanted {
        let signed: SignedSpace
        do throws(SnapshotError) { signed = try SignedSpace(file: Array(text.utf8)) } catch {
            throw AdminError.badRequest(
                "the signed space cannot be read", why: "\(error)",
                next: "send the whole text of the file that kerege space sign wrote")
        }
        return Wanted(
            space: signed.snapshot.space, inForce: broker.readModel.overview.snapshot, findings: [], keysKept: false,
            signed: signed)
    }
}

extension SpaceFinding {
    init(_ finding: Finding) {
        self.init(
            severity: finding.severity.rawValue, code: finding.code.rawValue, file: finding.file, line: finding.line,
            column: finding.column, what: finding.what, right: finding.right)
    }
}

extension SpaceCheckPage {
    package init(_ reading: SpaceReading) {
        self.init(
            valid: reading.space != nil, findings: reading.findings.map(SpaceFinding.init),
            counts: reading.space.map {
                Counts(
                    agencies: $0.agencies.count, systems: $0.systems.count, services: $0.services.count,
                    integrations: $0.integrations.count, keys: $0.keys.count)
            })
    }
}
