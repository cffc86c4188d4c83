package import BusProtocol

/// The digest of the request in the header of a reply, and of the command in that of an outcome: its leaf. So an answer cannot be passed
/// off as one to another question, not even under the same id. An extension of its own, the last of the header.
package enum RequestDigest {
    package static let type: UInt16 = 1
    package static let size = 32

    /// What a template is made with.
    package static let placeholder = Header.Extension(type: type, value: [UInt8](repeating: 0, count: size))

    package static func item(_ leaf: Digest32) -> Header.Extension { Header.Extension(type: type, value: leaf.bytes) }

    /// What stands in this header, whatever its size; `nil` where nothing does.
    package static func value(in header: Header) -> [UInt8]? { header.extensions.first { $0.type == type }?.value }
}
