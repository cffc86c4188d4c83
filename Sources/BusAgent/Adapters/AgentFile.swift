package import BusDirectory
import Yams

/// What `kerege-agent --config FILE` reads: an agent, its systems, and how a database answers for them.
package struct AgentFile: Sendable, Equatable {
    package struct Service: Sendable, Equatable {
        package var service: String
        package var sql: String
        /// Simulated slowness of the system.
        package var delay: Milliseconds?
        package var place: Place
    }
    package struct Subscription: Sendable, Equatable {
        package var event: String
        package var sql: String
        package var place: Place
    }
    package struct Publication: Sendable, Equatable {
        package var event: String
        package var sql: String
        package var place: Place
    }
    /// A command this system carries out.
    package struct Command: Sendable, Equatable {
        package var service: String
        /// Name of a check in Swift that looks at other systems first.
        package var before: String?
        /// A SELECT of code and detail; with its first row the command is refused and nothing changes.
        package var refuse: Statement?
        /// The change: one or several statements.
        package var sql: Statement
        /// A SELECT whose first column is the outcome's body; nil: a later statement tells the outcome.
        package var outcome: Statement?
        package var place: Place
    }
    /// Commands this system sends: rows of an outbox.
    package struct Sending: Sendable, Equatable {
        package var service: String
        package var sql: String
        package var place: Place
    }
    /// What is done with the outcome of a command this system sent.
    package struct OutcomeTaking: Sendable, Equatable {
        package var service: String
        package var sql: String
        package var place: Place
    }
    package struct Statement: Sendable, Equatable {
        package var sql: String
        package var place: Place
    }
    /// Accesses to people's data of which the people are told.
    package struct Notices: Sendable, Equatable {
        package var event: String
        /// Systems that ask for the people concerned themselves: nobody is told of what one did oneself.
        package var without: [String]
        package var place: Place
    }
    package struct Traffic: Sendable, Equatable {
        package var flow: String
        package var perSecond: Double
        package var place: Place
    }

    package var agent = ""
    package var systems: [String] = []
    /// Name of the SQLite file, relative to DATA/registers.
    package var database: String?
    /// The generated register the file holds; `kerege up` makes it.
    package var register: String?
    package var services: [Service] = []
    package var subscriptions: [Subscription] = []
    package var publications: [Publication] = []
    package var commands: [Command] = []
    package var sends: [Sending] = []
    package var outcomes: [OutcomeTaking] = []
    package var notices: Notices?
    /// SQL that gives the time of the newest change, Unix milliseconds.
    package var dataUpdated: String?
    package var traffic: [Traffic] = []

    /// Largest file, bytes.
    package static let largest = 1 << 20
    /// Most plays of a flow in one second.
    package static let fastest = 100_000.0
}

/// Everything that is wrong with an agent's file.
package struct AgentFileProblem: Error, Sendable, CustomStringConvertible {
    package let findings: [Finding]
    package var description: String { findings.map(\.description).joined(separator: "\n") }
}

extension AgentFile {
    /// Reads a file's text.
    /// - Parameter name: how findings call the file.
    /// - Throws: all findings, each with file, line, column, what is wrong and what would be right.
    package init(_ text: String, name: String) throws(AgentFileProblem) {
        var reader = AgentFileReader(file: name)
        guard text.utf8.count <= Self.largest else {
            reader.error(
                1, 1, .tooLarge, "the file has \(text.utf8.count) bytes", right: "at most \(Self.largest) bytes")
            throw AgentFileProblem(findings: reader.findings)
        }
        guard let root = reader.parse(text) else { throw AgentFileProblem(findings: reader.findings) }
        self = reader.read(root)
        guard reader.findings.isEmpty else { throw AgentFileProblem(findings: reader.findings) }
    }
}

extension AgentFile {
    /// Every statement, with its place.
    var statements: [(sql: String, place: Place)] {
        var all = services.map { ($0.sql, $0.place) }
        for command in commands {
            let parts = [command.refuse, command.sql, command.outcome]
            all += parts.compactMap { $0 }.map { ($0.sql, $0.place) }
        }
        all += sends.map { ($0.sql, $0.place) } + outcomes.map { ($0.sql, $0.place) }
        all += subscriptions.map { ($0.sql, $0.place) } + publications.map { ($0.sql, $0.place) }
        if let sql = dataUpdated { all.append((sql, Place(file: agent, line: 1, column: 1))) }
        return all
    }
}
