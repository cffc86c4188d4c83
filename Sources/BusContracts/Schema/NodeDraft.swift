/// A schema on its way into the tables: keywords arrive in any order, rows are written when all have been read.
struct NodeDraft {
    let place: SchemaPlace
    let location: String
    let members: [JSONMember]
    let vocabularies: Vocabularies

    var node = RuleNode()
    var string: StringRules?
    var number: NumberRules?
    var array: ArrayRules?
    var object: ObjectRules?
    var properties: [(name: String, node: Int32)] = []
    var required: [String] = []
    var patterns: [PatternRow] = []
    var dependentNames: [DependentName] = []
    var dependentSchemas: [DependentSchema] = []
    var valueSets: [ValueSet] = []
    var applicators: [Applicator] = []

    subscript(_ keyword: String) -> JSONValue? {
        members.first { $0.name.hasSameScalars(as: keyword) }?.value
    }

    func error(_ keyword: String, _ what: String) -> SchemaError {
        SchemaError(location: "\(location)/\(JSONPointer(tokens: [keyword]).description.dropFirst())", what: what)
    }

    // MARK: shapes of keywords

    func count(_ member: JSONMember) throws(SchemaError) -> UInt32 {
        guard let value = member.value.number, value >= JSONNumber(0), value.isInteger else {
            throw error(member.name, "\(member.name) must be a whole number of at least 0")
        }
        return UInt32(clamping: value.int ?? .max)
    }

    func text(_ member: JSONMember) throws(SchemaError) -> String {
        guard let value = member.value.string else { throw error(member.name, "\(member.name) must be a string") }
        return value
    }

    func number(_ member: JSONMember) throws(SchemaError) -> JSONNumber {
        guard let value = member.value.number else { throw error(member.name, "\(member.name) must be a number") }
        return value
    }

    func names(_ value: JSONValue, _ keyword: String) throws(SchemaError) -> [String] {
        let names = value.array?.map(\.string) ?? [nil]
        guard names.allSatisfy({ $0 != nil }) else { throw error(keyword, "\(keyword) must list names as strings") }
        return names.compactMap(\.self)
    }

    func map(_ member: JSONMember) throws(SchemaError) -> [JSONMember] {
        guard let value = member.value.object else {
            throw error(member.name, "\(member.name) must be an object of schemas")
        }
        return value
    }
}
