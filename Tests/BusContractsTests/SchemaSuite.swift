import BusContracts
import Foundation
import Testing

/// The official JSON Schema test suite, read from where it is; it is not part of the project.
enum SchemaSuite {
    /// Cases of the editions that have been counted: the suite's own repository, and the copy in jsonschema 4.26.0.
    static let requiredCases: Set<Int> = [1_299, 1_257]

    /// The folder with `tests` and `remotes`: KEREGE_SCHEMA_SUITE, else a copy beside the package, else the copy that
    /// Tests/fetch-schema-suite.sh makes.
    static let folder: String? = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let candidates: [String?] = [
            ProcessInfo.processInfo.environment["KEREGE_SCHEMA_SUITE"],
            root.deletingLastPathComponent().appendingPathComponent("shared/json-schema-test-suite").path,
            root.appendingPathComponent(".build-suite/json-schema-test-suite").path,
        ]
        return candidates.compactMap { $0 }.first { path in
            FileManager.default.fileExists(atPath: path + "/tests/draft2020-12")
        }
    }()

    struct Group {
        let file: String
        let description: String
        let schema: JSONValue
        let cases: [(description: String, data: JSONValue, valid: Bool)]
    }

    /// The groups of the JSON files right in a folder of the suite.
    static func groups(in subfolder: String, only names: Set<String>? = nil) throws -> [Group] {
        let path = try #require(folder) + "/tests/draft2020-12/" + subfolder
        var groups: [Group] = []
        for file in try FileManager.default.contentsOfDirectory(atPath: path).sorted() where file.hasSuffix(".json") {
            if let names, !names.contains(String(file.dropLast(5))) { continue }
            let content = try JSONValue.parse(bytes(path + "/" + file))
            for group in content.array ?? [] {
                let cases = (group["tests"]?.array ?? []).map {
                    ($0["description"]?.string ?? "", $0["data"] ?? .null, $0["valid"]?.bool ?? false)
                }
                groups.append(
                    Group(
                        file: file, description: group["description"]?.string ?? "", schema: group["schema"] ?? .null,
                        cases: cases))
            }
        }
        return groups
    }

    /// The schemas the suite refers to, at the URIs it says they are served at.
    static func registry() throws -> SchemaRegistry {
        let remotes = try #require(folder) + "/remotes"
        var registry = SchemaRegistry()
        for file in FileManager.default.enumerator(atPath: remotes)?.compactMap({ $0 as? String }) ?? []
        where file.hasSuffix(".json") {
            registry.add(try JSONValue.parse(bytes(remotes + "/" + file)), at: "http://localhost:1234/" + file)
        }
        return registry
    }

    private static func bytes(_ path: String) throws -> [UInt8] {
        try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
    }

    /// Runs groups; returns how many cases ran and what came out differently.
    static func run(_ groups: [Group], registry: SchemaRegistry, assertFormats: Bool) -> (ran: Int, wrong: [String]) {
        var (ran, wrong): (Int, [String]) = (0, [])
        for group in groups {
            let name = "\(group.file): \(group.description)"
            let checker: ContractChecker
            do {
                checker = try ContractChecker.compile(
                    schema: group.schema, registry: registry, options: .init(assertFormats: assertFormats))
            } catch {
                wrong.append("\(name): \(error)")
                continue
            }
            for test in group.cases {
                ran += 1
                let bytes = test.data.bytes()
                let isValid = checker.isValid(bytes)
                let violations = checker.check(bytes)
                if isValid != test.valid || violations.isEmpty != test.valid {
                    wrong.append(
                        "\(name): \(test.description): \(test.valid ? "valid" : "invalid") expected; \(violations)")
                }
            }
        }
        return (ran, wrong)
    }
}
