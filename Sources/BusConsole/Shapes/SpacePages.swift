package import Foundation

/// Body of POST /v1/space/check, diff and apply.
package struct SpaceFiles: Codable, Sendable {
    /// Empty where the space comes signed.
    package var files: [File]
    /// The text of a signed space, as `kerege space sign` writes it.
    package var signed: String?

    package struct File: Codable, Sendable {
        /// Shown in findings.
        package var name: String
        package var text: String
        package init(name: String, text: String) {
            self.name = name
            self.text = text
        }
    }

    package init(files: [File]) { self.files = files }

    package init(signed: String) {
        files = []
        self.signed = signed
    }
}

/// GET /v1/space, without the snapshot itself.
package struct SpaceInForcePage: Codable, Sendable {
    /// Public key whose signature a space needs to take effect; nil: none is needed.
    package var authority: String?
    package var digest: String

    static let marker = #""snapshot":"#

    /// The snapshot's bytes out of the answer, exactly as they are digested.
    package static func snapshot(in answer: Data) -> [UInt8]? {
        guard let start = answer.firstRange(of: Data(marker.utf8))?.upperBound, answer.last == UInt8(ascii: "}") else {
            return nil
        }
        return Array(answer[start..<answer.index(before: answer.endIndex)])
    }
}

/// One thing wrong or doubtful in the files of a space.
package struct SpaceFinding: Codable, Sendable, Equatable {
    /// error, warning.
    package var severity: String
    package var code: String
    package var file: String
    package var line: Int
    package var column: Int
    package var what: String
    package var right: String
}

/// POST /v1/space/check
package struct SpaceCheckPage: Codable, Sendable {
    package var valid: Bool
    package var findings: [SpaceFinding]
    package var counts: Counts?

    package struct Counts: Codable, Sendable {
        package var agencies: Int
        package var systems: Int
        package var services: Int
        package var integrations: Int
        package var keys: Int
    }
}

/// POST /v1/space/diff: from the space in force to the files.
package struct SpaceDiffPage: Codable, Sendable {
    package var fromVersion: UInt64
    package var changes: [Change]
    /// What stops working for somebody.
    package var breaking: [String]
    package var findings: [SpaceFinding]

    package struct Change: Codable, Sendable {
        /// space, broker, thresholds, agency, system, service, integration, key.
        package var kind: String
        package var id: String
        /// added, removed, changed.
        package var change: String
        package var fields: [Field]
    }

    package struct Field: Codable, Sendable {
        package var path: String
        /// As JSON.
        package var before: String?
        package var after: String?
    }
}

/// POST /v1/space/apply
package struct SpaceApplyPage: Codable, Sendable {
    package var previousVersion: UInt64
    package var version: UInt64
    package var digest: String
    /// False when the files say what is in force already.
    package var changed: Bool
    package var breaking: [String]
    package var findings: [SpaceFinding]
    /// Whether the keys are those of the space in force, because the files carry none.
    package var keysKept: Bool
}
