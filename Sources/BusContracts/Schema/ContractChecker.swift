/// A schema of JSON Schema draft 2020-12, compiled once, that checks texts on their bytes. It may be used from any
/// number of threads at once; a check allocates nothing as long as the text is valid and no larger than those before
/// it.
package struct ContractChecker: Sendable {
    package struct Options: Sendable {
        /// Whether `format` is a rule or a remark.
        package var assertFormats: Bool
        /// Refuse schemas with a format that is not checked.
        package var refuseUnknownFormats: Bool
        /// Refuse schemas with keywords that neither the standard has nor start with "x-".
        package var refuseUnknownKeywords: Bool
        package var limits: JSONLimits
        /// The most violations told of one text.
        package var maxViolations: Int
        /// Steps any check may take: one per schema applied to a value, more for long comparisons.
        package var baseSteps: Int
        /// Steps on top for each value of the text.
        package var stepsPerValue: Int

        package init(
            assertFormats: Bool = true, refuseUnknownFormats: Bool = false, refuseUnknownKeywords: Bool = false,
            limits: JSONLimits = JSONLimits(), maxViolations: Int = 100, baseSteps: Int = 100_000,
            stepsPerValue: Int = 100
        ) {
            self.assertFormats = assertFormats
            self.refuseUnknownFormats = refuseUnknownFormats
            self.refuseUnknownKeywords = refuseUnknownKeywords
            self.limits = limits
            self.maxViolations = min(max(1, maxViolations), 10_000)
            self.baseSteps = min(max(1, baseSteps), 100_000_000)
            self.stepsPerValue = min(max(1, stepsPerValue), 10_000)
        }
    }

    private let schema: CompiledSchema
    private var options: Options { schema.options }

    /// Compiles a schema. `uri` is where it is, if it has no absolute `$id`; references are resolved against it and in
    /// `registry`.
    package static func compile(
        schema: JSONValue, registry: SchemaRegistry = SchemaRegistry(), options: Options = Options(), uri: String = ""
    ) throws(SchemaError) -> ContractChecker {
        ContractChecker(schema: try SchemaCompiler.compile(schema, at: uri, registry: registry, options: options))
    }

    /// Whether a text is JSON and satisfies the schema.
    package func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool { run(bytes, mostViolations: 0) == nil }
    package func isValid(_ bytes: RawSpan) -> Bool { bytes.withUnsafeBytes { isValid($0) } }
    package func isValid(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { isValid($0) } }

    /// Everything a text breaks, up to the limit of the options; empty when it is valid.
    package func check(_ bytes: UnsafeRawBufferPointer) -> [Violation] {
        run(bytes, mostViolations: options.maxViolations) ?? []
    }
    package func check(_ bytes: RawSpan) -> [Violation] { bytes.withUnsafeBytes { check($0) } }
    package func check(_ bytes: [UInt8]) -> [Violation] { bytes.withUnsafeBytes { check($0) } }

    /// The first rule a text breaks; nil when it is valid.
    package func firstViolation(_ bytes: UnsafeRawBufferPointer) -> Violation? {
        run(bytes, mostViolations: 1)?.first
    }
    package func firstViolation(_ bytes: RawSpan) -> Violation? { bytes.withUnsafeBytes { firstViolation($0) } }
    package func firstViolation(_ bytes: [UInt8]) -> Violation? { bytes.withUnsafeBytes { firstViolation($0) } }

    /// Nil for a valid text; else violations, none if none are asked for.
    private func run(_ bytes: UnsafeRawBufferPointer, mostViolations: Int) -> [Violation]? {
        let body = bytes.assumingMemoryBound(to: UInt8.self)
        let scratch = ScratchPool.take()
        defer { ScratchPool.giveBack(scratch) }
        do throws(ScanFault) {
            try TapeScanner.scan(body, limits: options.limits, into: &scratch.buffers)
        } catch {
            return mostViolations == 0 ? [] : [Self.notJSON(JSONParseError(error, in: body))]
        }
        let tape = scratch.buffers.view(of: body)
        let budget = options.baseSteps + options.stepsPerValue * scratch.buffers.entries.count
        var decision = Evaluation(schema, tape: tape, scratch: scratch, budget: budget, collector: nil)
        if decision.evaluate(schema.root, 0, Evaluation.noMarks), !decision.hasHalted { return nil }
        guard mostViolations > 0 else { return [] }
        let collector = ViolationCollector(schema, most: mostViolations)
        var telling = Evaluation(schema, tape: tape, scratch: scratch, budget: budget, collector: collector)
        _ = telling.evaluate(schema.root, 0, Evaluation.noMarks)
        return collector.violations
    }

    private static func notJSON(_ error: JSONParseError) -> Violation {
        Violation(instance: .whole, rule: "json", schemaLocation: "", expected: "JSON: \(error)")
    }
}
