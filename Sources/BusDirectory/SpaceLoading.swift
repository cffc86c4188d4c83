/// What became of the files.
package struct SpaceReading: Sendable {
    /// Nil when any finding is an error: nothing is half applied.
    package var space: Space?
    /// In the order of the files, then of lines.
    package var findings: [Finding]

    package var errors: [Finding] { findings.filter { $0.severity == .error } }
}

extension Space {
    /// Reads the files of a space.
    ///
    /// - Parameters:
    ///   - files: Every file of the space; sections may be spread over them in any way.
    ///   - knownContracts: Names of all contracts; nil leaves contract names unchecked.
    /// - Returns: The space, or every finding that stands in its way.
    package static func load(_ files: [SpaceFile], knownContracts: Set<String>? = nil) -> SpaceReading {
        var findings = Findings()
        let space = read(files, knownContracts: knownContracts, into: &findings)
        return SpaceReading(space: findings.hasErrors ? nil : space, findings: findings.inReadingOrder(of: files))
    }

    private static func read(_ files: [SpaceFile], knownContracts: Set<String>?, into findings: inout Findings)
        -> Space?
    {
        let start = Place(file: files.first?.name ?? "space.yaml", line: 1, column: 1)
        guard files.count <= SpaceLimits.files else {
            findings.error(
                .tooLarge, at: start, "\(files.count) files", right: "at most \(SpaceLimits.files) files in a space")
            return nil
        }
        var sections = SpaceSections()
        var elements = 0
        // A file that could not be read leaves its entries out, and every reference to them would seem to dangle.
        var isComplete = true
        for file in files {
            let errorsBefore = findings.errorCount
            var text = YAMLText(file, elementsBefore: elements)
            let root = text.parse(into: &findings)
            elements = text.elements
            if findings.errorCount > errorsBefore { isComplete = false }
            if let root { sections.add(root, into: &findings) }
        }
        let head = isComplete || sections.space != nil ? sections.head(start: start, into: &findings) : nil
        if isComplete { SpaceReferences(sections, knownContracts: knownContracts).check(into: &findings) }
        guard let head, !findings.hasErrors else { return nil }
        return Space(
            id: head.id, title: head.title, isDemo: head.isDemo, note: head.note, broker: head.broker,
            thresholds: head.thresholds, agencies: sections.agencies.map(\.value),
            systems: sections.systems.map(\.value),
            services: sections.services.map(\.value), integrations: sections.integrations.map(\.value),
            keys: sections.keys.map(\.value), seals: sections.seals.map(\.value))
    }
}
