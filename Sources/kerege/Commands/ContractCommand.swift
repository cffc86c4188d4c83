import ArgumentParser
import BusContracts
import Foundation

/// `kerege contract`
struct ContractCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "contract",
        abstract: "Check texts against a contract or a JSON Schema, and compare two versions.",
        subcommands: [ContractCheckCommand.self, ContractDiffCommand.self])

    /// Reads a file, `-` from the standard input.
    static func read(_ path: String) throws(Failure) -> [UInt8] {
        if path == "-" { return Array(FileHandle.standardInput.readDataToEndOfFile()) }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw .wrongUse(
                "cannot read \(path)", why: "there is no such file, or its rights forbid it", next: "check the path")
        }
        return Array(data)
    }

    static func json(_ path: String) throws(Failure) -> JSONValue {
        let bytes = try read(path)
        do throws(JSONParseError) { return try JSONValue.parse(bytes) } catch {
            throw .wrongUse("\(path) is not JSON", why: "\(error)", next: "mend the file")
        }
    }

    /// A document of our own, else any JSON Schema.
    static func isContract(_ document: JSONValue) -> Bool {
        document["contract"]?.string != nil && document["kind"]?.string != nil
    }

    static func contract(_ document: JSONValue, _ path: String) throws(Failure) -> Contract {
        do throws(ContractError) { return try Contract(document) } catch {
            throw .wrongUse(
                "\(path) is no sound contract", why: "\(error)",
                next: "mend what it names; kerege contract check \(path)")
        }
    }
}

/// `kerege contract check`
struct ContractCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check JSON texts against a schema or a part of a contract.",
        discussion: """
            SCHEMA is a JSON Schema (draft 2020-12) of anybody's, or a contract of this bus, whose part is named with --part.
            Without texts the schema or contract itself is checked.

            EXAMPLES
              kerege contract check person.schema.json a.json b.json
              kerege contract check Schemas/contracts/individuals.person-get.v1.json --part request request.json
              echo '{"iin":"…"}' | kerege contract check Schemas/contracts/individuals.person-get.v1.json -

            Exit code 1 when a text breaks the schema, or when the schema itself is asked about and is broken.
            """)

    @Argument(help: "A JSON Schema or a contract.")
    var schema: String
    @Argument(help: "JSON texts, - for the standard input.")
    var instances: [String] = []
    @Option(help: "Of a contract: request, reply or event. (default: its first)")
    var part: String?
    @Flag(inversion: .prefixedNo, help: "Whether `format` is a rule or a remark.")
    var formats = true
    @OptionGroup var output: JSONOption

    /// What a contract points at, by the names of its members.
    private struct Pointers {
        var orderKey: String?
        var subject: String?
    }

    mutating func run() async throws {
        let checker = try soundChecker()
        var results: [(path: String, violations: [Violation])] = []
        for path in instances { results.append((path, checker.check(try ContractCommand.read(path)))) }
        let pointers = pointers()
        if output.json { Output.write(Self.page(results, pointers).text() + "\n") } else { tell(results, pointers) }
        if results.contains(where: { !$0.violations.isEmpty }) { throw ExitCode(ExitStatus.no.rawValue) }
    }

    /// Where nothing but the schema is asked about, a broken one is the answer, not wrong use.
    private func soundChecker() throws(Failure) -> ContractChecker {
        do throws(Failure) { return try checker() } catch {
            guard instances.isEmpty, part == nil else { throw error }
            throw Failure(.no, "not-sound", error.what, why: error.why, next: error.next)
        }
    }

    private func pointers() -> Pointers {
        guard schema != "-", let document = try? ContractCommand.json(schema), ContractCommand.isContract(document),
            let contract = try? Contract(document)
        else { return Pointers() }
        return Pointers(
            orderKey: contract.orderKey.map { "\($0)" }, subject: contract.subject.map { "\($0)" })
    }

    private func checker() throws(Failure) -> ContractChecker {
        let document = try ContractCommand.json(schema)
        guard ContractCommand.isContract(document) else { return try plainChecker(document) }
        let contract = try ContractCommand.contract(document, schema)
        let parts = ContractPart.allCases.filter { contract.checker(for: $0) != nil }
        guard let wanted = part.map({ ContractPart(rawValue: $0) }) ?? parts.first,
            let checker = contract.checker(for: wanted)
        else {
            throw .wrongUse(
                "\(contract.name) has no part `\(part ?? "")`", why: "it is of kind \(contract.kind.rawValue)",
                next: "use --part \(parts.map(\.rawValue).joined(separator: " or --part "))")
        }
        return checker
    }

    private func plainChecker(_ document: JSONValue) throws(Failure) -> ContractChecker {
        if let part {
            throw .wrongUse(
                "\(schema) has no part `\(part)`", why: "it is a JSON Schema and no contract", next: "leave --part out")
        }
        do throws(SchemaError) {
            return try ContractChecker.compile(
                schema: document, options: ContractChecker.Options(assertFormats: formats), uri: "file:\(schema)")
        } catch {
            throw .wrongUse("\(schema) is no usable JSON Schema", why: "\(error)", next: "mend what it names")
        }
    }

    private func tell(_ results: [(path: String, violations: [Violation])], _ pointers: Pointers) {
        if results.isEmpty {
            Output.write("\(schema): sound\n")
            if let pointer = pointers.orderKey { Output.write("  in order by \(pointer)\n") }
            if let pointer = pointers.subject { Output.write("  about the person at \(pointer)\n") }
        }
        for (path, violations) in results {
            if violations.isEmpty { Output.write("\(path): valid\n") }
            for violation in violations { Output.write("\(path): \(violation)\n") }
        }
    }

    /// `{"instances": [{"path", "valid", "violations": [{"pointer", "rule", "schema", "expected"}]}], "valid"}`; of a contract that has
    /// them also `order_key` and `subject`.
    private static func page(_ results: [(path: String, violations: [Violation])], _ pointers: Pointers) -> JSONValue {
        let instances = results.map { path, violations -> JSONValue in
            [
                "path": .string(path), "valid": .bool(violations.isEmpty),
                "violations": .array(
                    violations.map {
                        [
                            "pointer": .string("\($0.instance)"), "rule": .string($0.rule),
                            "schema": .string($0.schemaLocation), "expected": .string($0.expected),
                        ]
                    }),
            ]
        }
        let named = [("order_key", pointers.orderKey), ("subject", pointers.subject)].compactMap { name, pointer in
            pointer.map { JSONMember(name, .string($0)) }
        }
        return .object(
            [
                JSONMember("instances", .array(instances)),
                JSONMember("valid", .bool(results.allSatisfy(\.violations.isEmpty))),
            ] + named)
    }
}

/// `kerege contract diff`
struct ContractDiffCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Whether a new version of a contract or schema may replace the old one.",
        discussion: """
            backward: new readers accept old data; forward: old readers accept new data; full: both.
            What cannot be proven is told as such and counts as not compatible.

            EXAMPLES
              kerege contract diff old/individuals.person-get.v1.json Schemas/contracts/individuals.person-get.v1.json

            Exit code 1 when backward compatibility is broken or not proven.
            """)

    @Argument(help: "The old contract or schema.")
    var old: String
    @Argument(help: "The new one.")
    var new: String
    @OptionGroup var output: JSONOption

    mutating func run() async throws {
        let report = try compare()
        if output.json { Output.write(Self.page(report).text() + "\n") } else { tell(report) }
        if !report.isBackwardCompatible { throw ExitCode(ExitStatus.no.rawValue) }
    }

    private func compare() throws(Failure) -> ContractCompatibility.Report {
        let before = try ContractCommand.json(old)
        let after = try ContractCommand.json(new)
        let areContracts = (ContractCommand.isContract(before), ContractCommand.isContract(after))
        switch areContracts {
        case (true, true):
            return ContractCompatibility.compare(
                old: try ContractCommand.contract(before, old), new: try ContractCommand.contract(after, new))
        case (false, false): return ContractCompatibility.compare(old: before, new: after)
        default:
            throw .wrongUse(
                "\(old) and \(new) cannot be compared", why: "one is a contract, the other a plain JSON Schema",
                next: "name two of one kind")
        }
    }

    private func tell(_ report: ContractCompatibility.Report) {
        for finding in report.findings { Output.write("\(finding)\n") }
        Output.write("compatible: \(report.level)\n")
    }

    /// `{"level", "backward", "forward", "full", "findings": [{"direction", "verdict", "pointer", "rule", "why"}]}`
    private static func page(_ report: ContractCompatibility.Report) -> JSONValue {
        [
            "level": .string(report.level), "backward": .bool(report.isBackwardCompatible),
            "forward": .bool(report.isForwardCompatible), "full": .bool(report.isFullyCompatible),
            "findings": .array(
                report.findings.map {
                    [
                        "direction": .string($0.direction.rawValue), "verdict": .string($0.verdict.rawValue),
                        "pointer": .string("\($0.pointer)"), "rule": .string($0.rule), "why": .string($0.why),
                    ]
                }),
        ]
    }
}
