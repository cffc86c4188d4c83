public import ArgumentParser
import Foundation

/// Exit codes of every program of the bus; scripts and service units depend on them.
public enum DoorExit {
    /// Wrong use: unknown options, values that cannot be, a configuration that cannot be read.
    public static let wrongUse: Int32 = 2
}

extension AsyncParsableCommand {
    /// Parses the command line and runs what it names. Wrong use ends with code 2, whatever the parser thinks; help and versions go
    /// to the standard output.
    ///
    /// - Parameter explain: ends the process for errors that have words and a code of their own, and returns for all others.
    public static func open(explaining explain: (any Error) -> Void = { _ in }) async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            explain(error)
            leave(error)
        }
    }

    private static func leave(_ error: any Error) -> Never {
        let code = exitCode(for: error)
        let text = fullMessage(for: error)
        guard code != .success else {
            if !text.isEmpty { print(text) }
            Foundation.exit(0)
        }
        if !text.isEmpty { try? FileHandle.standardError.write(contentsOf: Data((text + "\n").utf8)) }
        Foundation.exit(code == .validationFailure ? DoorExit.wrongUse : code.rawValue)
    }
}
