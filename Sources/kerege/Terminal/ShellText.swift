import BusProtocol

/// Command lines as a person can paste them into a shell.
enum ShellText {
    static func command(_ words: [String]) -> String { words.map(word).joined(separator: " ") }

    /// The trace of a message whose id somebody else said: nothing of it is more than one word, or steers the terminal.
    static func trace(_ id: String) -> String { command(["kerege", "trace", id.plain()]) }

    /// The words of a text with command lines in it. What a command line quotes stays one word; an apostrophe within a word is prose.
    static func words(_ text: String) -> [String] {
        var words: [String] = []
        var word = ""
        var (isOpen, isOfShell, isEscaped) = (false, false, false)
        for character in text {
            if character == " ", !isOpen {
                words.append(word)
                (word, isOfShell, isEscaped) = ("", false, false)
                continue
            }
            if character == "'", !isEscaped, isOfShell || word.isEmpty {
                isOpen.toggle()
                isOfShell = true
            }
            isEscaped = character == "\\" && !isOpen
            word.append(character)
        }
        return words + [word]
    }

    /// One word of a command line, quoted where the shell would read more in it.
    static func word(_ word: String) -> String {
        let isPlain = word.utf8.allSatisfy { byte in
            byte.isAlphaNumeric || "-_./:,=@%+".utf8.contains(byte)
        }
        guard !isPlain || word.isEmpty else { return word }
        return "'" + word.replacing("'", with: #"'\''"#) + "'"
    }
}

extension UInt8 {
    fileprivate var isAlphaNumeric: Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self)
    }
}
