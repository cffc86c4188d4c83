/// Any `Encodable` made of texts, integers, flags, lists and keyed members → `CanonicalValue`. Numbers with a fraction are
/// refused: their text differs between writers, and a digest must not.
enum CanonicalEncoder {
    static func encode(_ value: some Encodable) throws(EncodingError) -> CanonicalValue {
        let node = Node()
        do {
            try value.encode(to: NodeEncoder(node: node, codingPath: []))
        } catch let error as EncodingError {
            throw error
        } catch {
            throw EncodingError.invalidValue(value, .init(codingPath: [], debugDescription: "\(error)"))
        }
        return node.value
    }

    /// A place to be filled; a class because `Encoder` hands out containers that write later.
    fileprivate final class Node {
        private var leaf: CanonicalValue?
        private var list: [Node]?
        private var members: [String: Node]?

        var value: CanonicalValue {
            if let members { return .object(members.mapValues(\.value)) }
            if let list { return .list(list.map(\.value)) }
            return leaf ?? .null
        }

        var count: Int { list?.count ?? 0 }
        func set(_ value: CanonicalValue) { leaf = value }
        func beginObject() { members = members ?? [:] }
        func beginList() { list = list ?? [] }

        func member(_ name: String) -> Node {
            let node = Node()
            members?[name] = node
            return node
        }

        func next() -> Node {
            let node = Node()
            list?.append(node)
            return node
        }
    }

    fileprivate struct NodeEncoder: Encoder {
        let node: Node
        let codingPath: [any CodingKey]
        var userInfo: [CodingUserInfoKey: Any] { [:] }

        func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
            node.beginObject()
            return KeyedEncodingContainer(Members<Key>(node: node, codingPath: codingPath))
        }

        func unkeyedContainer() -> any UnkeyedEncodingContainer {
            node.beginList()
            return Entries(node: node, codingPath: codingPath)
        }

        func singleValueContainer() -> any SingleValueEncodingContainer { Single(node: node, codingPath: codingPath) }
    }

    fileprivate static func write(_ value: some Encodable, to node: Node, _ path: [any CodingKey]) throws {
        switch value {
        case let text as String: node.set(.text(text))
        case let flag as Bool: node.set(.flag(flag))
        case let number as any FixedWidthInteger:
            guard let exact = Int64(exactly: number) else { throw refusal(value, path, "an integer beyond 64 bits") }
            node.set(.integer(exact))
        case is any BinaryFloatingPoint: throw refusal(value, path, "a number with a fraction")
        default: try value.encode(to: NodeEncoder(node: node, codingPath: path))
        }
    }

    private static func refusal(_ value: Any, _ path: [any CodingKey], _ what: String) -> EncodingError {
        .invalidValue(value, .init(codingPath: path, debugDescription: "\(what) has no canonical form here"))
    }

    private struct Members<Key: CodingKey>: KeyedEncodingContainerProtocol {
        let node: Node
        let codingPath: [any CodingKey]

        func encodeNil(forKey key: Key) { node.member(key.stringValue).set(.null) }

        func encode(_ value: some Encodable, forKey key: Key) throws {
            try write(value, to: node.member(key.stringValue), codingPath + [key])
        }

        func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type, forKey key: Key
        ) -> KeyedEncodingContainer<Nested> {
            superEncoder(forKey: key).container(keyedBy: type)
        }

        func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
            superEncoder(forKey: key).unkeyedContainer()
        }

        func superEncoder() -> any Encoder { NodeEncoder(node: node.member("super"), codingPath: codingPath) }

        func superEncoder(forKey key: Key) -> any Encoder {
            NodeEncoder(node: node.member(key.stringValue), codingPath: codingPath + [key])
        }
    }

    private struct Entries: UnkeyedEncodingContainer {
        let node: Node
        let codingPath: [any CodingKey]
        var count: Int { node.count }

        func encodeNil() { node.next().set(.null) }
        func encode(_ value: some Encodable) throws { try write(value, to: node.next(), codingPath) }

        func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
            superEncoder().container(keyedBy: type)
        }

        func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { superEncoder().unkeyedContainer() }
        func superEncoder() -> any Encoder { NodeEncoder(node: node.next(), codingPath: codingPath) }
    }

    private struct Single: SingleValueEncodingContainer {
        let node: Node
        let codingPath: [any CodingKey]

        func encodeNil() { node.set(.null) }
        func encode(_ value: some Encodable) throws { try write(value, to: node, codingPath) }
    }
}
