/// One thing wrong (or doubtful) in the files of a space, with the place to look at and what would be right.
///
/// Prints as `file:line:column: error: what — right`, the shape editors and CI annotate from.
package struct Finding: Sendable, Equatable, CustomStringConvertible {
    package enum Severity: String, Sendable, Codable {
        /// The space is not loaded.
        case error
        /// The space is loaded; somebody should look.
        case warning
    }

    /// Stable names: scripts and tests depend on them.
    package enum Code: String, Sendable, Codable, CaseIterable {
        case yamlSyntax = "yaml-syntax"
        case tab = "tab"
        case duplicateMember = "duplicate-member"
        case anchor = "anchor"
        case tooLarge = "too-large"
        case unknownMember = "unknown-member"
        case missingMember = "missing-member"
        case wrongType = "wrong-type"
        case badValue = "bad-value"
        case badIdentifier = "bad-identifier"
        case badDate = "bad-date"
        case badDuration = "bad-duration"
        case badBIN = "bad-bin"
        case badUUID = "bad-uuid"
        case badKey = "bad-key"
        case duplicateID = "duplicate-id"
        case danglingReference = "dangling-reference"
        case ownService = "own-service"
        case duplicatePair = "duplicate-pair"
        case dueBeforePlan = "due-before-plan"
        case sharedKey = "shared-key"
        case foreignService = "foreign-service"
        case absurdThreshold = "absurd-threshold"
        case retiredSystem = "retired-system"
        case tooManyFindings = "too-many-findings"
    }

    package var severity: Severity
    package var place: Place
    package var code: Code
    /// What is wrong.
    package var what: String
    /// What would be right.
    package var right: String

    package var file: String { place.file }
    package var line: Int { place.line }
    package var column: Int { place.column }

    package init(_ severity: Severity, _ code: Code, at place: Place, what: String, right: String) {
        self.severity = severity
        self.code = code
        self.place = place
        self.what = what
        self.right = right
    }

    package var description: String { "\(place): \(severity.rawValue): \(what) — \(right)" }
}

/// A position in a file of the space; line and column count from 1, columns in Unicode scalars.
package struct Place: Sendable, Hashable, CustomStringConvertible {
    package var file: String
    package var line: Int
    package var column: Int

    package init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }

    package var description: String { "\(file):\(line):\(column)" }
}

/// A file of the space as read by somebody else: this module does no I/O.
package struct SpaceFile: Sendable {
    /// Shown in findings; need not exist.
    package var name: String
    package var text: String

    package init(name: String, text: String) {
        self.name = name
        self.text = text
    }
}

/// Collects findings up to a bound, so that a hostile file cannot make an endless report.
struct Findings {
    /// More findings than this are not read by anybody; the rest is counted.
    static let limit = 200

    private(set) var all: [Finding] = []
    private var unlisted = 0

    /// All errors, also those that are not listed any more.
    private(set) var errorCount = 0
    var hasErrors: Bool { errorCount > 0 }

    mutating func error(_ code: Finding.Code, at place: Place, _ what: String, right: String) {
        add(Finding(.error, code, at: place, what: what, right: right))
    }

    mutating func warning(_ code: Finding.Code, at place: Place, _ what: String, right: String) {
        add(Finding(.warning, code, at: place, what: what, right: right))
    }

    private mutating func add(_ finding: Finding) {
        if finding.severity == .error { errorCount += 1 }
        // The first error must never hide behind a wall of warnings.
        if all.count < Self.limit || (finding.severity == .error && errorCount == 1) {
            all.append(finding)
        } else {
            unlisted += 1
        }
    }

    /// In reading order: by file as given, then by line and column.
    func inReadingOrder(of files: [SpaceFile]) -> [Finding] {
        var order: [String: Int] = [:]
        for (index, file) in files.enumerated() where order[file.name] == nil { order[file.name] = index }
        var sorted = all.enumerated().sorted { left, right in
            let a = (order[left.element.file] ?? files.count, left.element.line, left.element.column, left.offset)
            let b = (order[right.element.file] ?? files.count, right.element.line, right.element.column, right.offset)
            return a < b
        }.map(\.element)
        if unlisted > 0, let last = sorted.last {
            sorted.append(
                Finding(
                    .warning, .tooManyFindings, at: last.place, what: "\(unlisted) more findings are not listed",
                    right: "repair these \(Self.limit) first"))
        }
        return sorted
    }
}
