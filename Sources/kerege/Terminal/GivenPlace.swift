import ArgumentParser

/// Where this run was told to look (`--data`, `--http`, …), carried into every command that it proposes: copied as it stands, what is
/// typed next meets the same broker and the same folder.
///
/// The one place for it. What is proposed are texts of this program, of the catalogue of faults and of the broker, and none of them
/// knows how this run was called.
struct GivenPlace: Sendable {
    /// An option that says where something is, and what the help of a command shows that has it: what only shares the name, like the
    /// port of `kerege up --http`, is not carried.
    private struct Carried: Sendable {
        let name: String
        let shown: String
    }

    private static let options = [
        Carried(name: "--data", shown: "--data <"), Carried(name: "--http", shown: "--http <url>"),
        Carried(name: "--broker", shown: "--broker <address>"), Carried(name: "--key", shown: "--key <file>"),
        Carried(name: "--contracts", shown: "--contracts <dir>"),
    ]

    static let ofThisRun = GivenPlace(CommandLine.arguments)

    private let given: [(option: Carried, value: String)]

    /// - Parameter arguments: of the process, its own name first.
    init(_ arguments: [String]) {
        guard let command = Self.command(arguments.dropFirst()) else {
            given = []
            return
        }
        given = Self.options.filter { Self.takes(command.type, $0) }.compactMap { option in
            Self.value(of: option.name, in: arguments).map { (option: option, value: $0) }
        }
    }

    /// A text in which every command of this program has the options of this run that it takes and does not have yet.
    func completed(_ text: String) -> String {
        guard !given.isEmpty else { return text }
        var words = ShellText.words(text)
        for index in words.indices where Self.isProgram(words[index]) {
            guard let command = Self.command(words[(index + 1)...]) else { continue }
            let last = index + command.length
            if command.type == JournalVerifyCommand.self, nameFolder(in: &words, after: last) { continue }
            let own = Self.arguments(in: words, after: last)
            let missing = given.filter { Self.takes(command.type, $0.option) && !Self.has($0.option.name, own) }
            guard !missing.isEmpty else { continue }
            let added = ShellText.command(missing.flatMap { [$0.option.name, $0.value] })
            let verb = Self.name(words[last])
            words[last] = "\(verb) \(added)\(words[last].dropFirst(verb.count))"
        }
        return words.joined(separator: " ")
    }

    /// `kerege journal verify DIR`, as the catalogue and the broker write it, means the folder that was given.
    private func nameFolder(in words: inout [String], after last: Int) -> Bool {
        guard last + 1 < words.count, words[last + 1].hasPrefix("DIR"),
            let folder = given.first(where: { $0.option.name == "--data" })
        else { return false }
        words[last + 1] = "\(ShellText.command([folder.value]))\(words[last + 1].dropFirst("DIR".count))"
        return true
    }

    /// What is told line by line: only what is to be typed next is completed.
    func completedLines(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            let isProposal = ["next:", "again:"].contains { line.drop { $0 == " " }.hasPrefix($0) }
            return isProposal ? completed(String(line)) : String(line)
        }.joined(separator: "\n")
    }

    // MARK: - Reading a command line

    private static func value(of option: String, in arguments: [String]) -> String? {
        // Of an option that is given twice the last counts, as for the command itself.
        var found: String?
        for (index, word) in arguments.enumerated() {
            if word.hasPrefix(option + "=") { found = String(word.dropFirst(option.count + 1)) }
            if word == option, index + 1 < arguments.count { found = arguments[index + 1] }
        }
        return found
    }

    private static func has(_ option: String, _ words: ArraySlice<String>) -> Bool {
        words.contains { $0 == option || $0.hasPrefix(option + "=") }
    }

    /// In prose a command ends with its sentence, or where the next one begins.
    private static func arguments(in words: [String], after last: Int) -> ArraySlice<String> {
        guard last + 1 < words.count, name(words[last]) == words[last] else { return [] }
        let rest = words[(last + 1)...]
        let end = rest.firstIndex { isProgram($0) || ($0.count > 1 && $0.last.map { ",;:.".contains($0) } ?? false) }
        return rest[..<(end ?? rest.endIndex)]
    }

    private static func isProgram(_ word: String) -> Bool { word.drop { "(`".contains($0) } == "kerege" }

    /// The command that words name, and how many of them it takes to name it.
    private static func command(_ words: ArraySlice<String>) -> (type: any ParsableCommand.Type, length: Int)? {
        var found: (type: any ParsableCommand.Type, length: Int)?
        var types = Kerege.configuration.subcommands
        for word in words.prefix(2) {
            let name = Self.name(word)
            guard let type = types.first(where: { $0.configuration.commandName == name }) else { break }
            found = (type, (found?.length ?? 0) + 1)
            // A comma behind it, and what follows is prose.
            types = name == word ? type.configuration.subcommands : []
        }
        return found
    }

    /// The name of a command at the beginning of a word of prose.
    private static func name(_ word: String) -> String { String(word.prefix { $0.isLetter || $0 == "-" }) }

    private static func takes(_ command: any ParsableCommand.Type, _ option: Carried) -> Bool {
        Kerege.helpMessage(for: command).contains(option.shown)
    }
}
