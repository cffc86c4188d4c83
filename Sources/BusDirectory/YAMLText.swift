import Yams

/// A parsed YAML value with its place, free of anchors, tags and anything else a space does not need.
struct Element {
    enum Shape {
        /// `~`, `null` or nothing after the colon.
        case empty
        case scalar(String)
        case list([Element])
        case mapping([Member])
    }

    struct Member {
        var name: String
        var namePlace: Place
        var value: Element
    }

    var place: Place
    var shape: Shape

    /// Whether it is a mapping with a member of this name.
    func hasMember(_ name: String) -> Bool {
        if case .mapping(let members) = shape { members.contains { $0.name == name } } else { false }
    }

    /// How findings call it.
    var shapeName: String {
        switch shape {
        case .empty: "nothing"
        case .scalar: "a text"
        case .list: "a list"
        case .mapping: "a mapping"
        }
    }
}

/// Bounds on what is read; every one is far above a real space and far below what hurts.
package enum SpaceLimits {
    package static let files = 64
    package static let bytesPerFile = 1 << 20
    /// Scalars, lists and mappings of all files together.
    package static let elements = 500_000
    package static let depth = 16
    package static let bytesPerText = 4_096
    package static let identifierLength = 64
    package static let serviceNameLength = 128
}

/// Text of one file → `Element`, or findings saying why not.
///
/// The texts are scanned before the parser sees them: the parser expands an alias wherever it stands, so a few lines can
/// grow without bound while it compares keys. A file without an anchor has no alias, therefore anchors are refused by a
/// rule that may refuse too much (`text &word`) and never too little.
struct YAMLText {
    let file: SpaceFile
    /// Elements seen so far in all files.
    private(set) var elements: Int

    init(_ file: SpaceFile, elementsBefore elements: Int) {
        self.file = file
        self.elements = elements
    }

    /// The root, nil when the file is empty or has errors.
    mutating func parse(into findings: inout Findings) -> Element? {
        guard file.text.utf8.count <= SpaceLimits.bytesPerFile else {
            findings.error(
                .tooLarge, at: place(1, 1), "the file has \(file.text.utf8.count) bytes",
                right: "at most \(SpaceLimits.bytesPerFile) bytes; split it, every file may hold any section")
            return nil
        }
        guard scan(into: &findings) else { return nil }
        do {
            // `.basic` resolves nothing: `no` stays a text and no regular expression runs over each scalar.
            let parser = try Parser(yaml: file.text, resolver: .basic, encoding: .utf8)
            guard let root = try parser.singleRoot() else { return nil }
            return try convert(root, depth: 0)
        } catch let refusal as Refusal {
            findings.error(refusal.code, at: refusal.place, refusal.what, right: refusal.right)
        } catch let error as YamlError {
            report(error, into: &findings)
        } catch {
            findings.error(.yamlSyntax, at: place(1, 1), "the file cannot be read: \(error)", right: "valid YAML")
        }
        return nil
    }

    private struct Refusal: Error {
        var code: Finding.Code
        var place: Place
        var what: String
        var right: String
    }

    private func place(_ line: Int, _ column: Int) -> Place { Place(file: file.name, line: line, column: column) }

    // MARK: - Before parsing

    /// True when the text may go to the parser.
    private func scan(into findings: inout Findings) -> Bool {
        var fine = true
        var line = 1
        for text in file.text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false) {
            defer { line += 1 }
            let indent = text.prefix { $0 == " " || $0 == "\t" }
            let content = text.dropFirst(indent.count)
            guard let first = content.first, first != "\r" else { continue }
            if first == "#", !hidesLine(content) { continue }
            if let tab = indent.firstIndex(of: "\t") {
                let column = text.distance(from: text.startIndex, to: tab) + 1
                findings.error(.tab, at: place(line, column), "a tab in the indentation", right: "spaces")
                fine = false
            }
            if let column = anchorColumn(in: text) {
                findings.error(
                    .anchor, at: place(line, column), "an anchor (&name)",
                    right: "write the value in full; in a text, put a space after &")
                fine = false
            }
        }
        return fine
    }

    /// YAML has more line breaks than the newline: what follows one of them is no longer the comment.
    private func hidesLine(_ comment: Substring.UnicodeScalarView) -> Bool {
        let inner = comment.last == "\r" ? comment.dropLast() : comment
        return inner.contains { ["\r", "\u{85}", "\u{2028}", "\u{2029}"].contains($0) }
    }

    /// 1-based column of the first `&name` that could be an anchor. What is quoted is no anchor: public keys are full of `&`.
    private func anchorColumn(in line: Substring.UnicodeScalarView) -> Int? {
        var before: Unicode.Scalar = " "
        var lastMark: Unicode.Scalar?
        var quote: Unicode.Scalar?
        var column = 0
        var candidate: Int?
        for scalar in line {
            column += 1
            if let open = quote {
                if scalar == open, open == "'" || before != "\\" { quote = nil }
                before = scalar
                continue
            }
            if let candidate, isAnchorName(scalar) { return candidate }
            if scalar == "'" || scalar == "\"", opensValue(lastMark) { quote = scalar }
            candidate = scalar == "&" && Self.openers.contains(before) ? column : nil
            before = scalar
            if scalar != " " && scalar != "\t" { lastMark = scalar }
        }
        return nil
    }

    /// A quotation mark begins a quoted text only where a value begins; anywhere else it is part of a plain text, and an
    /// anchor might hide behind it.
    private func opensValue(_ lastMark: Unicode.Scalar?) -> Bool {
        switch lastMark {
        case nil, "[", "{", ",", ":": true
        default: false
        }
    }

    /// Anything the parser lets stand before a token.
    private static let openers: Set<Unicode.Scalar> = [
        " ", "\t", "[", "{", ",", ":", "-", "?", "\"", "'", "\r", "\u{FEFF}", "\u{85}", "\u{2028}", "\u{2029}",
    ]

    private func isAnchorName(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "_", "-": true
        default: false
        }
    }

    // MARK: - After parsing

    private mutating func convert(_ node: Node, depth: Int) throws -> Element {
        let place = place(node.mark?.line ?? 1, node.mark?.column ?? 1)
        elements += 1
        guard elements <= SpaceLimits.elements else {
            throw Refusal(
                code: .tooLarge, place: place, what: "more than \(SpaceLimits.elements) values in the space",
                right: "a smaller space")
        }
        guard depth <= SpaceLimits.depth else {
            throw Refusal(
                code: .tooLarge, place: place, what: "more than \(SpaceLimits.depth) levels",
                right: "a section of a space needs five")
        }
        switch node {
        case .scalar(let scalar):
            return Element(place: place, shape: try shape(of: scalar, at: place))
        case .sequence(let sequence):
            return Element(place: place, shape: .list(try sequence.map { try convert($0, depth: depth + 1) }))
        case .mapping(let mapping):
            let members = try mapping.map { key, value in
                let keyPlace = self.place(key.mark?.line ?? 1, key.mark?.column ?? 1)
                guard case .scalar(let name) = key else {
                    throw Refusal(
                        code: .wrongType, place: keyPlace, what: "a member name that is a list or a mapping",
                        right: "a plain word before the colon")
                }
                return Element.Member(
                    name: name.string, namePlace: keyPlace, value: try convert(value, depth: depth + 1))
            }
            return Element(place: place, shape: .mapping(members))
        case .alias:
            throw Refusal(
                code: .anchor, place: place, what: "an alias (*name)", right: "write the value in full")
        }
    }

    private func shape(of scalar: Node.Scalar, at place: Place) throws -> Element.Shape {
        let tag = scalar.tag.rawValue
        guard tag.isEmpty || tag == Tag.Name.str.rawValue else {
            throw Refusal(
                code: .yamlSyntax, place: place, what: "a tag (\(tag))", right: "the plain value without a tag")
        }
        guard scalar.string.utf8.count <= SpaceLimits.bytesPerText else {
            throw Refusal(
                code: .tooLarge, place: place, what: "a text of \(scalar.string.utf8.count) bytes",
                right: "at most \(SpaceLimits.bytesPerText) bytes")
        }
        let isPlain = scalar.style == .plain || scalar.style == .any
        if isPlain, ["", "~", "null", "Null", "NULL"].contains(scalar.string) { return .empty }
        return .scalar(scalar.string)
    }

    private func report(_ error: YamlError, into findings: inout Findings) {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let during = context.map { " (\($0.text) at line \($0.mark.line), column \($0.mark.column))" } ?? ""
            findings.error(
                .yamlSyntax, at: place(mark.line, mark.column), "YAML: \(problem)\(during)",
                right: "check the indentation, quotes and colons here and on the line before")
        case .reader(let problem, let offset, _, _):
            let before = file.text.prefix(offset ?? 0)
            let line = before.count(where: \.isNewline) + 1
            let column = before.reversed().prefix { !$0.isNewline }.count + 1
            findings.error(
                .yamlSyntax, at: place(line, column), "YAML: \(problem)", right: "printable text in UTF-8")
        case .duplicatedKeysInMapping(let names, let context):
            reportDuplicate(names.first ?? "", first: context.mark, into: &findings)
        default:
            findings.error(.yamlSyntax, at: place(1, 1), "YAML: \(error)", right: "valid YAML")
        }
    }

    /// The parser tells the first of the two; the second is the next line with the same name and indentation.
    private func reportDuplicate(_ name: String, first: Mark, into findings: inout Findings) {
        let lines = file.text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        let head = String(repeating: " ", count: first.column - 1) + name + ":"
        let second = lines.indices.first { $0 >= first.line && lines[$0].hasPrefix(head) }.map { $0 + 1 }
        findings.error(
            .duplicateMember, at: place(second ?? first.line, first.column),
            "`\(name)` stands twice in one mapping, first at line \(first.line)", right: "keep one of the two")
    }
}
