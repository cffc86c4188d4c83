import Glibc
package import ZeroMQ

/// A CURVE key pair in a file of two lines, `public: Z85` and `secret: Z85`, readable by its owner alone.
public struct KeyFile: Sendable {
    /// The agent's identity on the wire, Z85, 40 characters: what the space names.
    public var publicKey: String { curvePublic.z85 }
    package let curvePublic: CurveKey
    package let curveSecret: CurveSecretKey

    /// What is wrong with a key file, and the command that mends it.
    public struct Problem: Error, Sendable, CustomStringConvertible {
        public let description: String
    }

    /// Largest file that is read, bytes.
    private static let largest = 4096
    /// Read and write for the owner, nothing for others.
    private static let mode: mode_t = 0o600

    /// Reads a key pair.
    /// - Throws: `Problem` when the file is missing, others may read it, or it is no key file.
    public static func load(_ path: String) throws(Problem) -> KeyFile {
        var status = stat()
        guard stat(path, &status) == 0 else {
            let name = stem(path)
            throw Problem(
                description: "there is no key file \(path): \(String(cString: strerror(errno))). "
                    + "Make one: kerege keys new \(name)")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw Problem(
                description: "others than its owner may read the key file \(path) (mode "
                    + "\(String(status.st_mode & 0o777, radix: 8))). Run: chmod 600 \(path)")
        }
        let lines = try fields(of: path)
        guard let publicText = lines["public"], let publicKey = CurveKey(z85: publicText),
            let secretText = lines["secret"], let secret = CurveSecretKey(z85: secretText)
        else {
            throw Problem(
                description:
                    "\(path) is no key file: it needs the lines \"public: …\" and \"secret: …\" with 40 characters "
                    + "of Z85 each. Make a new one: kerege keys new \(stem(path))")
        }
        guard (try? secret.publicKey()) == publicKey else {
            throw Problem(
                description:
                    "the two keys in \(path) do not belong together. Make a new pair: kerege keys new \(stem(path))")
        }
        return KeyFile(curvePublic: publicKey, curveSecret: secret)
    }

    /// Reads the public key of a file: one with a `public:` line, secret or not.
    public static func publicKey(_ path: String) throws(Problem) -> String {
        guard let text = try fields(of: path)["public"], let key = CurveKey(z85: text) else {
            throw Problem(description: "\(path) has no line \"public: …\" with 40 characters of Z85")
        }
        return key.z85
    }

    /// Makes a key pair: `DIRECTORY/NAME.key`, secret, and `DIRECTORY/NAME.pub`. An existing key is never overwritten.
    public static func create(name: String, in directory: String) throws(Problem) -> KeyFile {
        guard !name.isEmpty, !name.contains("/"), name.first != "." else {
            throw Problem(description: "\"\(name)\" cannot name a key: use letters, digits and hyphens")
        }
        try makeDirectory(directory)
        let pair: (public: CurveKey, secret: CurveSecretKey)
        do throws(ZeroMQError) { pair = try CurveKey.generatePair() } catch { throw Problem(description: "\(error)") }
        let text = "public: \(pair.public.z85)\nsecret: \(pair.secret.revealZ85())\n"
        try write(text, to: "\(directory)/\(name).key", mode: mode, hint: "Remove it first if it is not used any more")
        let shown = "\(directory)/\(name).pub"
        unlink(shown)  // the public half follows the secret one
        try write("public: \(pair.public.z85)\n", to: shown, mode: 0o644, hint: "")
        return KeyFile(curvePublic: pair.public, curveSecret: pair.secret)
    }

    package init(curvePublic: CurveKey, curveSecret: CurveSecretKey) {
        self.curvePublic = curvePublic
        self.curveSecret = curveSecret
    }

    private static func stem(_ path: String) -> String {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        return name.hasSuffix(".key") ? String(name.dropLast(4)) : name
    }

    private static func makeDirectory(_ path: String) throws(Problem) {
        var built = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            built += "\(part)/"
            if mkdir(built, 0o700) != 0, errno != EEXIST {
                throw Problem(description: "cannot make the directory \(built): \(String(cString: strerror(errno)))")
            }
        }
    }

    private static func fields(of path: String) throws(Problem) -> [String: String] {
        guard let file = fopen(path, "re") else {
            throw Problem(description: "cannot read \(path): \(String(cString: strerror(errno)))")
        }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: largest)
        let count = fread(&bytes, 1, bytes.count, file)
        var found: [String: String] = [:]
        for line in String(decoding: bytes[..<count], as: UTF8.self).split(whereSeparator: \.isNewline) {
            // Z85 has colons itself: only the first one divides.
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            found[String(parts[0])] = String(parts[1].drop { $0 == " " }.prefix { $0 != " " })
        }
        return found
    }

    /// Writes a file that must not exist; its rights are set before a byte is in it.
    private static func write(_ text: String, to path: String, mode: mode_t, hint: String) throws(Problem) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else {
            let reason = String(cString: strerror(errno))
            throw Problem(description: "cannot make \(path): \(reason). \(hint)")
        }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
            let reason = String(cString: strerror(errno))
            unlink(path)
            throw Problem(description: "cannot write \(path): \(reason)")
        }
    }
}
