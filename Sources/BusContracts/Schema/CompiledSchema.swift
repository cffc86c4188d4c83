/// A table that is filled once and then only read.
struct FrozenTable<Element: BitwiseCopyable>: BitwiseCopyable {
    let rows: UnsafePointer<Element>
    let count: Int

    /// Allocates; the owner calls ``deallocate()``.
    init(_ elements: [Element]) {
        let copy = UnsafeMutablePointer<Element>.allocate(capacity: max(1, elements.count))
        for (index, element) in elements.enumerated() { (copy + index).initialize(to: element) }
        rows = UnsafePointer(copy)
        count = elements.count
    }

    func deallocate() { rows.deallocate() }

    @inline(__always)
    subscript(_ index: Int) -> Element { rows[index] }
}

/// The tables of a compiled schema as plain pointers; ``CompiledSchema`` keeps them alive.
struct RuleTables: BitwiseCopyable {
    let nodes: FrozenTable<RuleNode>
    let strings: FrozenTable<StringRules>
    let numbers: FrozenTable<NumberRules>
    let arrays: FrozenTable<ArrayRules>
    let objects: FrozenTable<ObjectRules>
    let slots: FrozenTable<PropertySlot>
    let names: FrozenTable<NameRow>
    let patternRows: FrozenTable<PatternRow>
    let dependentNames: FrozenTable<DependentName>
    let dependentSchemas: FrozenTable<DependentSchema>
    let valueSets: FrozenTable<ValueSet>
    /// Ordinal of a constant → index on the tape of constants.
    let constants: FrozenTable<Int32>
    let applicators: FrozenTable<Applicator>
    let children: FrozenTable<Int32>
    let patterns: FrozenTable<PatternCode>
    let texts: FrozenTable<UInt8>
    /// anchor name × resource → node, −1 when the resource has no such dynamic anchor.
    let dynamicTargets: FrozenTable<Int32>
    let resourceCount: Int
    let constantTape: TapeView

    @inline(__always)
    func text(_ row: TextRow) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: texts.rows + Int(row.offset), count: Int(row.length))
    }
}

/// A compiled schema with everything its tables point into.
final class CompiledSchema: @unchecked Sendable {
    // Everything is written during init and only read afterwards.
    let tables: RuleTables
    let root: Int32
    let options: ContractChecker.Options
    /// Per node: where it is, and the schema itself, for the wording of violations.
    let locations: [String]
    let sources: [JSONValue]
    private let patterns: [Pattern]
    private let constantText: FrozenTable<UInt8>
    private let constantBuffers: OwnedTape

    init(
        tables: RuleTables, root: Int32, options: ContractChecker.Options, locations: [String], sources: [JSONValue],
        patterns: [Pattern], constantText: FrozenTable<UInt8>, constantBuffers: OwnedTape
    ) {
        self.tables = tables
        self.root = root
        self.options = options
        self.locations = locations
        self.sources = sources
        self.patterns = patterns
        self.constantText = constantText
        self.constantBuffers = constantBuffers
    }

    deinit {
        tables.nodes.deallocate()
        tables.strings.deallocate()
        tables.numbers.deallocate()
        tables.arrays.deallocate()
        tables.objects.deallocate()
        tables.slots.deallocate()
        tables.names.deallocate()
        tables.patternRows.deallocate()
        tables.dependentNames.deallocate()
        tables.dependentSchemas.deallocate()
        tables.valueSets.deallocate()
        tables.constants.deallocate()
        tables.applicators.deallocate()
        tables.children.deallocate()
        tables.patterns.deallocate()
        tables.texts.deallocate()
        tables.dynamicTargets.deallocate()
        constantText.deallocate()
    }
}

/// Keeps the tape of the constants of a schema.
final class OwnedTape {
    var buffers = TapeBuffers()
}
