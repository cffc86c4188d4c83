/// Compiles a schema, and every schema it refers to, into tables. Schemas are visited from a list of work, never
/// recursively, and each place once, so recursive schemas need no special care.
struct SchemaCompiler {
    /// Schemas of one compilation; a registry of thousands of contracts stays far below.
    static let mostNodes = 200_000

    let options: ContractChecker.Options
    var library: SchemaLibrary
    var nodes: [RuleNode] = []
    var places: [SchemaPlace] = []
    var sources: [JSONValue] = []
    private var nodeAtPlace: [SchemaPlace: Int32] = [:]
    private var compiled = 0

    var strings: [StringRules] = []
    var numbers: [NumberRules] = []
    var arrays: [ArrayRules] = []
    var objects: [ObjectRules] = []
    var slots: [PropertySlot] = []
    var names: [NameRow] = []
    var patternRows: [PatternRow] = []
    var dependentNames: [DependentName] = []
    var dependentSchemas: [DependentSchema] = []
    var valueSets: [ValueSet] = []
    var constants: [JSONValue] = []
    var applicators: [Applicator] = []
    var children: [Int32] = []
    var patterns: [Pattern] = []
    private var patternAtSource: [[UInt8]: Int32] = [:]
    var texts: [UInt8] = []
    private var dynamicNames: [String] = []

    static func compile(
        _ schema: JSONValue, at uri: String, registry: SchemaRegistry, options: ContractChecker.Options
    ) throws(SchemaError) -> CompiledSchema {
        var compiler = SchemaCompiler(options: options, library: SchemaLibrary(registry: registry))
        let root = try compiler.library.add(schema, at: uri)
        let rootNode = try compiler.node(at: root)
        try compiler.compilePending()
        let targets = try compiler.compileDynamicTargets()
        try compiler.refuseEndlessReferences()
        return try compiler.frozen(root: rootNode, dynamicTargets: targets)
    }

    private init(options: ContractChecker.Options, library: SchemaLibrary) {
        self.options = options
        self.library = library
    }

    // MARK: work

    /// The node of a place; a new one is compiled later.
    mutating func node(at place: SchemaPlace) throws(SchemaError) -> Int32 {
        if let known = nodeAtPlace[place] { return known }
        guard nodes.count < Self.mostNodes else {
            throw SchemaError(location: library.location(of: place), what: "more than \(Self.mostNodes) schemas")
        }
        let number = Int32(nodes.count)
        nodeAtPlace[place] = number
        nodes.append(RuleNode())
        places.append(place)
        sources.append(library.value(at: place) ?? .null)
        return number
    }

    private mutating func compilePending() throws(SchemaError) {
        while compiled < nodes.count {
            try compileNode(compiled)
            compiled += 1
        }
    }

    private mutating func compileNode(_ number: Int) throws(SchemaError) {
        let place = places[number]
        let resource = library.resource(of: place)
        nodes[number].resource = Int32(resource)
        switch sources[number] {
        case .bool(true): break
        case .bool(false): nodes[number].flags = RuleNode.never
        case .object(let members):
            var draft = NodeDraft(
                place: place, location: library.location(of: place), members: members,
                vocabularies: library.resources[resource].vocabularies)
            try compile(&draft)
            nodes[number] = finished(draft, resource: Int32(resource))
        default:
            throw SchemaError(
                location: library.location(of: place), what: "a schema is an object, true or false")
        }
    }

    // MARK: dynamic references

    /// The row of a dynamic anchor's name.
    mutating func dynamicName(_ name: String) -> Int32 {
        if let known = dynamicNames.firstIndex(of: name) { return Int32(known) }
        dynamicNames.append(name)
        return Int32(dynamicNames.count - 1)
    }

    /// Compiles every schema a dynamic reference may land on. They may bring more references and resources: repeat
    /// until quiet.
    private mutating func compileDynamicTargets() throws(SchemaError) -> [Int32] {
        var table: [Int32] = []
        var size = -1
        while size != nodes.count {
            size = nodes.count
            table = []
            for name in dynamicNames {
                for resource in library.resources {
                    let target = resource.dynamicAnchors[name]
                    table.append(try target.map { place throws(SchemaError) in try node(at: place) } ?? -1)
                }
            }
            try compilePending()
        }
        return table
    }

    /// Refuses schemas that lead back to themselves on the same value: they would never end.
    private func refuseEndlessReferences() throws(SchemaError) {
        var state = Array(repeating: UInt8(0), count: nodes.count)
        for start in nodes.indices where state[start] == 0 {
            var path: [(node: Int, next: [Int])] = [(start, inPlace(start))]
            state[start] = 1
            while let (node, next) = path.last {
                guard let child = next.last else {
                    state[node] = 2
                    path.removeLast()
                    continue
                }
                path[path.count - 1].next.removeLast()
                if state[child] == 1 {
                    throw SchemaError(
                        location: library.location(of: places[child]),
                        what: "its references lead back to itself on the same value; checking would never end")
                }
                if state[child] == 0 {
                    state[child] = 1
                    path.append((child, inPlace(child)))
                }
            }
        }
    }

    /// The schemas a node applies to the value it is applied to.
    private func inPlace(_ number: Int) -> [Int] {
        var result: [Int] = []
        for row in nodes[number].applicators.indices {
            result += applicators[row].children.indices.map { Int(children[$0]) }
        }
        if nodes[number].object >= 0 {
            let range = objects[Int(nodes[number].object)].dependentSchemas
            result += range.indices.map { Int(dependentSchemas[$0].node) }
        }
        return result.filter { $0 >= 0 }
    }

    // MARK: texts and patterns

    mutating func text(_ text: String) -> TextRow {
        let row = TextRow(offset: Int32(texts.count), length: Int32(text.utf8.count))
        texts += text.utf8
        return row
    }

    mutating func name(_ name: String) -> NameRow {
        NameRow(name: text(name), hash: UInt32(truncatingIfNeeded: NameHash.of(Array(name.utf8))))
    }

    mutating func pattern(_ source: String, location: String) throws(SchemaError) -> Int32 {
        if let known = patternAtSource[Array(source.utf8)] { return known }
        let number = Int32(patterns.count)
        do throws(PatternError) {
            patterns.append(try Pattern(source))
        } catch {
            throw SchemaError(location: location, what: "the pattern \(source) is not usable, \(error)")
        }
        patternAtSource[Array(source.utf8)] = number
        return number
    }

    // MARK: freezing

    private func frozen(root: Int32, dynamicTargets: [Int32]) throws(SchemaError) -> CompiledSchema {
        let constantText = FrozenTable(JSONValue.array(constants).bytes())
        let body = UnsafeBufferPointer(start: constantText.rows, count: constantText.count)
        let tape = OwnedTape()
        do {
            let limits = JSONLimits(
                maxBytes: JSONLimits.largest, maxDepth: JSONLimits.deepest, maxValues: JSONLimits.largest,
                maxNumberBytes: JSONLimits.largest)
            try TapeScanner.scan(body, limits: limits, into: &tape.buffers)
        } catch {
            constantText.deallocate()
            throw SchemaError(location: library.location(of: places[Int(root)]), what: "a const or enum is not JSON")
        }
        let view = tape.buffers.view(of: body)
        var constantRows: [Int32] = []
        var at = 1
        for _ in constants {
            constantRows.append(Int32(at))
            at = view.after(at)
        }
        let tables = RuleTables(
            nodes: FrozenTable(nodes), strings: FrozenTable(strings), numbers: FrozenTable(numbers),
            arrays: FrozenTable(arrays), objects: FrozenTable(objects), slots: FrozenTable(slots),
            names: FrozenTable(names), patternRows: FrozenTable(patternRows),
            dependentNames: FrozenTable(dependentNames), dependentSchemas: FrozenTable(dependentSchemas),
            valueSets: FrozenTable(valueSets), constants: FrozenTable(constantRows),
            applicators: FrozenTable(applicators), children: FrozenTable(children),
            patterns: FrozenTable(patterns.map(\.code)), texts: FrozenTable(texts),
            dynamicTargets: FrozenTable(dynamicTargets), resourceCount: library.resources.count, constantTape: view)
        return CompiledSchema(
            tables: tables, root: root, options: options, locations: places.map { library.location(of: $0) },
            sources: sources, patterns: patterns, constantText: constantText, constantBuffers: tape)
    }
}
