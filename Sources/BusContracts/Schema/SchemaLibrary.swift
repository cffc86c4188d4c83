/// A place in one of the documents of a library.
struct SchemaPlace: Hashable, Sendable {
    let document: Int
    var pointer: JSONPointer

    func appending(_ token: String) -> SchemaPlace {
        SchemaPlace(document: document, pointer: pointer.appending(token))
    }
    func appending(_ index: Int) -> SchemaPlace { appending(String(index)) }
}

/// A schema with a URI of its own: a document's root, or a subschema with `$id`.
struct SchemaResource {
    let uri: URIReference
    let root: SchemaPlace
    let vocabularies: Vocabularies
    var anchors: [String: SchemaPlace] = [:]
    var dynamicAnchors: [String: SchemaPlace] = [:]
}

/// The documents of one compilation, indexed by URI and anchor, and the resolution of references between them.
struct SchemaLibrary {
    /// Levels of subschemas; schemas built in code are not bounded by the parser.
    private static let deepest = JSONLimits.deepest

    private let registry: SchemaRegistry
    private var documents: [JSONValue] = []
    private(set) var resources: [SchemaResource] = []
    private var resourceAtURI: [String: Int] = [:]
    private var resourceAtRoot: [SchemaPlace: Int] = [:]

    init(registry: SchemaRegistry) { self.registry = registry }

    /// Takes a document in; returns the place of its root.
    mutating func add(_ schema: JSONValue, at uri: String) throws(SchemaError) -> SchemaPlace {
        let root = SchemaPlace(document: documents.count, pointer: .whole)
        documents.append(schema)
        let base = URIReference(uri)
        let resource = try openResource(schema, at: root, uri: base, inherited: nil)
        resourceAtURI[base.withoutFragment] = resource
        try index(schema, at: root, in: resource, depth: 0)
        return root
    }

    func value(at place: SchemaPlace) -> JSONValue? { documents[place.document][place.pointer] }

    // MARK: indexing

    private mutating func openResource(
        _ schema: JSONValue, at place: SchemaPlace, uri base: URIReference, inherited: Vocabularies?
    ) throws(SchemaError) -> Int {
        var uri = base
        if let id = schema["$id"] {
            guard let id = id.string else {
                throw SchemaError(location: "\(base.withoutFragment)#\(place.pointer)", what: "$id must be a string")
            }
            uri = URIReference(id).resolved(against: base)
        }
        uri.fragment = nil
        let vocabularies =
            if let dialect = schema["$schema"]?.string {
                try self.vocabularies(of: dialect, location: uri.withoutFragment)
            } else { inherited ?? .standard }
        let number = resources.count
        resources.append(SchemaResource(uri: uri, root: place, vocabularies: vocabularies))
        resourceAtURI[uri.withoutFragment] = number
        resourceAtRoot[place] = number
        return number
    }

    private func vocabularies(of dialect: String, location: String) throws(SchemaError) -> Vocabularies {
        let uri = URIReference(dialect).withoutFragment
        if uri == MetaSchemas.dialect { return .standard }
        guard let metaschema = registry.document(at: uri) else {
            throw SchemaError(
                location: location, what: "$schema \(dialect) is not known here; write \(MetaSchemas.dialect)")
        }
        guard let declared = metaschema["$vocabulary"]?.object else { return .standard }
        var result: Vocabularies = []
        for member in declared {
            if let known = Vocabularies.named(member.name) {
                result.formUnion(known)
            } else if member.value.bool == true {
                throw SchemaError(location: location, what: "$schema requires the unknown vocabulary \(member.name)")
            }
        }
        return result
    }

    private mutating func index(
        _ schema: JSONValue, at place: SchemaPlace, in resource: Int, depth: Int
    ) throws(SchemaError) {
        guard let members = schema.object else { return }
        guard depth < Self.deepest else {
            throw SchemaError(location: location(of: place), what: "schemas are nested deeper than \(Self.deepest)")
        }
        for member in members {
            switch member.name {
            case "$anchor":
                if let name = member.value.string { resources[resource].anchors[name] = place }
            case "$dynamicAnchor":
                if let name = member.value.string { resources[resource].dynamicAnchors[name] = place }
            default:
                for (child, path) in Self.subschemas(of: member, at: place) {
                    let isResource = child["$id"] != nil
                    let owner =
                        isResource
                        ? try openResource(
                            child, at: path, uri: resources[resource].uri, inherited: resources[resource].vocabularies)
                        : resource
                    try index(child, at: path, in: owner, depth: depth + 1)
                }
            }
        }
    }

    private static func subschemas(of member: JSONMember, at place: SchemaPlace) -> [(JSONValue, SchemaPlace)] {
        let path = place.appending(member.name)
        if SchemaKeywords.holdingOne.contains(member.name) { return [(member.value, path)] }
        if SchemaKeywords.holdingList.contains(member.name), let list = member.value.array {
            return list.enumerated().map { ($1, path.appending($0)) }
        }
        if SchemaKeywords.holdingMap.contains(member.name), let map = member.value.object {
            return map.map { ($0.value, path.appending($0.name)) }
        }
        return []
    }

    // MARK: resolution

    /// The resource a place belongs to: the nearest enclosing one.
    func resource(of place: SchemaPlace) -> Int {
        var place = place
        while true {
            if let resource = resourceAtRoot[place] { return resource }
            guard place.pointer.tokens.popLast() != nil else { return 0 }
        }
    }

    func location(of place: SchemaPlace) -> String {
        let resource = resources[resource(of: place)]
        let inside = JSONPointer(tokens: Array(place.pointer.tokens.dropFirst(resource.root.pointer.tokens.count)))
        return "\(resource.uri.withoutFragment)#\(inside)"
    }

    /// Where a reference leads, and the name of the dynamic anchor it went through, if it did.
    mutating func resolve(
        _ reference: String, from place: SchemaPlace
    ) throws(SchemaError) -> (place: SchemaPlace, dynamicAnchor: String?) {
        let target = URIReference(reference).resolved(against: resources[resource(of: place)].uri)
        let location = location(of: place)
        guard let resource = try loadedResource(at: target.withoutFragment) else {
            throw SchemaError(location: location, what: "\(reference) leads to no schema of the registry")
        }
        guard let fragment = target.decodedFragment else {
            throw SchemaError(location: location, what: "\(reference) has a broken %xx escape")
        }
        let root = resources[resource].root
        if fragment.isEmpty { return (root, nil) }
        if let pointer = JSONPointer(fragment) {
            let place = SchemaPlace(
                document: root.document, pointer: JSONPointer(tokens: root.pointer.tokens + pointer.tokens))
            if value(at: place) != nil { return (place, nil) }
        }
        if let place = resources[resource].dynamicAnchors[fragment] { return (place, fragment) }
        if let place = resources[resource].anchors[fragment] { return (place, nil) }
        throw SchemaError(location: location, what: "\(reference) leads nowhere: the schema has no \(fragment)")
    }

    private mutating func loadedResource(at uri: String) throws(SchemaError) -> Int? {
        if let known = resourceAtURI[uri] { return known }
        guard let document = registry.document(at: uri) else { return nil }
        _ = try add(document, at: uri)
        return resourceAtURI[uri]
    }
}
