import BusContracts
import BusEvidence
import BusProtocol

/// `SYSTEM.access-reference.v1`: under which references accesses to somebody's data are kept. Agents with a subject key answer it by
/// themselves; who may ask is decided by the plan, as for every service.
package enum AccessReference {
    package static func service(of system: String) -> String { "\(system).access-reference.v1" }

    /// Whether accesses by this service are questions about accesses.
    package static func isService(_ name: String) -> Bool { name.hasSuffix(".access-reference.v1") }

    static func answer(_ inquiry: Inquiry, _ file: SubjectFile) throws(BusFault) -> [UInt8] {
        let body = try? JSONValue.parse(inquiry.body)
        guard let subject = body?["subject"]?.string, !subject.isEmpty else {
            throw BusFault(
                .requestViolatesContract, at: .providerAgent, "expected the number of somebody", pointer: "/subject")
        }
        let references = ([file.key] + file.earlier).map { key -> JSONValue in
            .string(text(key.reference(to: subject.utf8, at: file.system)))
        }
        return (["references": .array(references)] as JSONValue).bytes()
    }

    /// What an answer lists.
    package static func references(_ body: [UInt8]) -> [String] {
        (try? JSONValue.parse(body))?["references"]?.array?.compactMap(\.string) ?? []
    }

    /// 32 lower-case hexadecimal digits, in the order of the bytes on the wire.
    package static func text(_ reference: UInt128) -> String {
        withUnsafeBytes(of: reference.bigEndian) { Array($0) }.hex
    }
}
