// The compiled form of a schema: rows of plain tables that refer to each other by index, so that a check follows no
// object references and counts none.

/// One schema. An index of −1 means "no such rule".
struct RuleNode: BitwiseCopyable {
    /// The schema `false`.
    static let never: UInt8 = 1
    /// Has unevaluatedProperties or unevaluatedItems, so it must know what its parts have evaluated.
    static let needsMarks: UInt8 = 2

    var flags: UInt8 = 0
    /// Bits of ``TypeMask``.
    var types = TypeMask.all
    var format = ContractFormat.none
    var resource: Int32 = 0
    var string: Int32 = -1
    var number: Int32 = -1
    var array: Int32 = -1
    var object: Int32 = -1
    var values = TableRange()
    var applicators = TableRange()
    var unevaluatedItems: Int32 = -1
    var unevaluatedProperties: Int32 = -1
}

enum TypeMask {
    static let null: UInt8 = 1
    static let boolean: UInt8 = 2
    static let integer: UInt8 = 4
    /// Numbers that are not integers.
    static let fraction: UInt8 = 8
    static let string: UInt8 = 16
    static let array: UInt8 = 32
    static let object: UInt8 = 64
    static let all: UInt8 = 127
    static let number = integer | fraction

    static func named(_ name: String) -> UInt8? {
        switch name {
        case "null": null
        case "boolean": boolean
        case "integer": integer
        case "number": number
        case "string": string
        case "array": array
        case "object": object
        default: nil
        }
    }

    /// The bits of a kind, a byte for each raw value of ``TapeKind`` from the lowest up: a shift instead of branches.
    private static let ofKinds: UInt64 = 0x40_20_10_0C_02_02_01

    @inline(__always)
    static func of(_ kind: TapeKind) -> UInt8 { UInt8(truncatingIfNeeded: ofKinds &>> UInt64(kind.rawValue &* 8)) }
}

/// Rows `first ..< first + count` of some table.
struct TableRange: BitwiseCopyable {
    var first: Int32 = 0
    var count: Int32 = 0
    var indices: Range<Int> { Int(first)..<Int(first) + Int(count) }
}

/// A run of bytes in the table of texts.
struct TextRow: BitwiseCopyable {
    var offset: Int32 = 0
    var length: Int32 = -1
    var isPresent: Bool { length >= 0 }
}

struct StringRules: BitwiseCopyable {
    var minLength: UInt32 = 0
    var maxLength = UInt32.max
    var pattern: Int32 = -1
}

struct NumberRules: BitwiseCopyable {
    /// Bounds for plain integers when every bound of the schema is one too, else unused.
    var low = Int64.min
    var high = Int64.max
    var decidesPlainIntegers = true
    var minimum = TextRow()
    var exclusiveMinimum = TextRow()
    var maximum = TextRow()
    var exclusiveMaximum = TextRow()
    /// multipleOf as digits × 10^exponent; 0 digits when absent.
    var divisor: UInt64 = 0
    var divisorExponent: Int64 = 0
}

struct ArrayRules: BitwiseCopyable {
    var minItems: UInt32 = 0
    var maxItems = UInt32.max
    var uniqueItems = false
    /// Rows of children.
    var prefix = TableRange()
    var items: Int32 = -1
    var contains: Int32 = -1
    var minContains: UInt32 = 1
    var maxContains = UInt32.max
    var hasMinContains = false
}

struct ObjectRules: BitwiseCopyable {
    var minProperties: UInt32 = 0
    var maxProperties = UInt32.max
    /// Open-addressed table of names; `slotMask` + 1 rows. No names: −1.
    var firstSlot: Int32 = -1
    var slotMask: UInt32 = 0
    /// Rows of names; the first 64 have a bit in ``PropertySlot/requiredBit``.
    var required = TableRange()
    var patterns = TableRange()
    var additional: Int32 = -1
    var propertyNames: Int32 = -1
    var dependentRequired = TableRange()
    var dependentSchemas = TableRange()
}

struct PropertySlot: BitwiseCopyable {
    var name = TextRow()
    var hash: UInt32 = 0
    /// −1 when the name is only required.
    var node: Int32 = -1
    var requiredBit: UInt64 = 0
}

/// A name that is looked for rather than met.
struct NameRow: BitwiseCopyable {
    let name: TextRow
    let hash: UInt32
}

struct PatternRow: BitwiseCopyable {
    let pattern: Int32
    let node: Int32
}

struct DependentName: BitwiseCopyable {
    let present: NameRow
    let required: NameRow
}

struct DependentSchema: BitwiseCopyable {
    let present: NameRow
    let node: Int32
}

/// const or enum.
struct ValueSet: BitwiseCopyable {
    let rule: Rule
    /// Ordinals of constants.
    let constants: TableRange
    /// Whether every constant is a string, so that other kinds need no look.
    let onlyStrings: Bool
}

struct Applicator: BitwiseCopyable {
    enum Kind: UInt8, BitwiseCopyable { case ref, dynamicRef, allOf, anyOf, oneOf, not, conditional }

    let kind: Kind
    /// Rows of children. For `conditional`: if, then, else, each −1 when absent.
    let children: TableRange
    /// For `dynamicRef`: the row of the anchor's name, −1 when it behaves like `ref`.
    var dynamicName: Int32 = -1
}
