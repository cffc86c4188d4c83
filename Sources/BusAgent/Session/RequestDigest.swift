import BusProtocol

/// The digest of the request in the header of a reply, so that an answer cannot be passed off as one to another question: an
/// extension of its own, the last of the header.
enum RequestDigest {
    static let type: UInt16 = 1
    static let size = 32

    /// What a template is made with.
    static let placeholder = Header.Extension(type: type, value: [UInt8](repeating: 0, count: size))
}
