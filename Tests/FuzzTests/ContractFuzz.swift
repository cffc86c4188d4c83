import BusContracts

/// Schemas and texts for the checker of contracts.
enum ContractFuzz {
    private static let names = [
        "$ref", "$dynamicRef", "$defs", "$id", "$anchor", "$dynamicAnchor", "allOf", "anyOf", "oneOf", "not", "if",
        "then",
        "else", "properties", "patternProperties", "additionalProperties", "propertyNames", "unevaluatedProperties",
        "items", "prefixItems", "contains", "minContains", "maxContains", "uniqueItems", "unevaluatedItems", "pattern",
        "format", "type", "enum", "const", "multipleOf", "minimum", "maximum", "exclusiveMinimum", "minLength",
        "maxLength", "minItems", "maxItems", "required", "dependentRequired", "dependentSchemas", "iin", "x-note", "",
    ]
    /// Values at boundaries, patterns that are costly, references that lead nowhere or back.
    private static let values = ##"""
        [0, -0, 1e400, 1e-400, 9007199254740993, 0.1, -1, 1e99999999, null, true, false, {}, [], "", "#",
        "#/$defs/person", "#/properties", "iin", "bin", "date", "date-time", "uuid", "string", "object", "^(a+)+$",
        "^(?=(a+)+$)", "[^\\p{L}]{3,40}(?!x)", "600101300014", "2026-02-30", "2026-05-02T00:00:00Z",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", ["string", "null"], {"$ref": "#"}, {"not": {"$ref": "#"}},
        {"type": "integer", "multipleOf": 0.01}, [[[[[[[[1]]]]]]]], {"$dynamicRef": "#n"}, {"pattern": "(a|a?)+b"}]
        """##

    private static func json() throws -> JSONMutator {
        JSONMutator(values: try JSONValue.parse(Array(values.utf8)).array ?? [], names: names)
    }

    /// A contract's document: read, compiled, its own examples checked, and compared with what it grew from.
    static func schemas() throws -> FuzzTarget {
        let mutator = TextMutator(
            bytes: Mutator(
                vectors: try FuzzTarget.files("Schemas/contracts", ".json"), words: names.map { Array($0.utf8) }))
        let json = try json()
        return FuzzTarget(name: "schema", fewInputs: 400) { random in
            mutator.grow(&random) { json.change(&$0, &$1) }
        } judge: { text in
            guard (try? JSONValue.parse(text)) != nil else { return Verdict(isPastHead: false, outcomes: ["no JSON"]) }
            let contract: Contract
            do throws(ContractError) { contract = try Contract.parse(text) } catch {
                return Verdict(isPastHead: true, outcomes: [String(error.what.prefix(24))])
            }
            let again = try? Contract.parse(contract.canonicalBytes)
            guard again?.document == contract.document else {
                throw Broken(what: "the canonical text is another contract")
            }
            return Verdict(isPastHead: true, outcomes: ["\(contract.kind)"])
        }
    }

    /// Bodies against the contracts of the country: a decision, and the same one when all violations are asked for.
    static func instances() throws -> FuzzTarget {
        var checkers: [ContractChecker] = []
        var vectors: [[UInt8]] = []
        for text in try FuzzTarget.files("Schemas/contracts", ".json") {
            let contract = try Contract.parse(text)
            for example in contract.examples {
                for (part, value) in example.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
                    guard let checker = contract.checker(for: part) else { continue }
                    checkers.append(checker)
                    vectors.append(value.bytes())
                }
            }
        }
        let json = try json()
        let all = checkers
        let mutator = Mutator(vectors: vectors, words: names.map { Array($0.utf8) })
        return FuzzTarget(name: "instance", fewInputs: 3000) { random in
            // The first byte says which contract is asked.
            let which = random.below(min(all.count, 256))
            let text = TextMutator(bytes: Mutator(vectors: [mutator.vectors[which]], words: mutator.words))
                .grow(&random) { json.change(&$0, &$1) }
            return [UInt8(which)] + text
        } judge: { input in
            let checker = all[Int(input[0]) % all.count]
            let text = Array(input.dropFirst())
            let violations = checker.check(text)
            guard checker.isValid(text) == violations.isEmpty else { throw Broken(what: "two decisions") }
            guard checker.firstViolation(text)?.rule == violations.first?.rule else { throw Broken(what: "two firsts") }
            let rules = Set(violations.map(\.rule))
            return Verdict(isPastHead: !rules.contains("json"), outcomes: rules.isEmpty ? ["valid"] : Array(rules))
        }
    }
}
