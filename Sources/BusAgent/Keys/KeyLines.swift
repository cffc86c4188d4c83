import Glibc

/// A file of keys: lines `NAME: VALUE`. Secrets are in files of mode 0600, and no other is read.
struct KeyLines {
    /// Largest file that is read, bytes.
    private static let largest = 4096
    /// Read and write for the owner, nothing for others.
    static let secretMode: mode_t = 0o600
    static let publicMode: mode_t = 0o644

    let path: String
    private let values: [String: String]

    subscript(_ name: String) -> String? { values[name] }

    /// Reads a file that only its owner may read.
    /// - Parameter remedy: the command that makes it when it is missing.
    static func secret(_ path: String, remedy: String) throws(KeyFile.Problem) -> KeyLines {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw KeyFile.Problem(
                description: "there is no key file \(path): \(String(cString: strerror(errno))). Make one: \(remedy)")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw KeyFile.Problem(
                description: "others than its owner may read the key file \(path) (mode "
                    + "\(String(status.st_mode & 0o777, radix: 8))). Run: chmod 600 \(path)")
        }
        return try KeyLines(path)
    }

    /// Reads a file whatever its mode: for its public lines.
    init(_ path: String) throws(KeyFile.Problem) {
        guard let file = fopen(path, "re") else {
            throw KeyFile.Problem(description: "cannot read \(path): \(String(cString: strerror(errno)))")
        }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: Self.largest)
        let count = fread(&bytes, 1, bytes.count, file)
        var found: [String: String] = [:]
        for line in String(decoding: bytes[..<count], as: UTF8.self).split(whereSeparator: \.isNewline) {
            // Z85 has colons itself: only the first one divides.
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            found[String(parts[0])] = String(parts[1].drop { $0 == " " }.prefix { $0 != " " })
        }
        self.path = path
        values = found
    }

    private static func text(_ lines: KeyValuePairs<String, String>) -> String {
        lines.map { "\($0.key): \($0.value)\n" }.joined()
    }

    /// Makes a secret file and, beside it, the one with its public lines. A secret file that exists is never overwritten.
    static func create(
        secret: String, _ lines: KeyValuePairs<String, String>, shown: String,
        _ publicLines: KeyValuePairs<String, String>
    ) throws(KeyFile.Problem) {
        try create(secret: secret, lines)
        unlink(shown)  // the public half follows the secret one
        try write(text(publicLines), to: shown, mode: publicMode, hint: "")
    }

    /// Makes a secret file that has no public half.
    static func create(secret: String, _ lines: KeyValuePairs<String, String>) throws(KeyFile.Problem) {
        if let slash = secret.lastIndex(of: "/") { try makeDirectory(String(secret[..<slash])) }
        try write(text(lines), to: secret, mode: secretMode, hint: "Remove it first if it is not used any more")
    }

    /// Puts more lines into a secret file: written beside it and renamed, so that no half of it is ever there.
    static func replace(secret path: String, _ lines: KeyValuePairs<String, String>) throws(KeyFile.Problem) {
        let next = path + ".new"
        unlink(next)
        try write(text(lines), to: next, mode: secretMode, hint: "")
        guard rename(next, path) == 0 else {
            throw KeyFile.Problem(description: "cannot write \(path): \(String(cString: strerror(errno)))")
        }
    }

    static func replace(shown path: String, _ lines: KeyValuePairs<String, String>) throws(KeyFile.Problem) {
        unlink(path)
        try write(text(lines), to: path, mode: publicMode, hint: "")
    }

    private static func makeDirectory(_ path: String) throws(KeyFile.Problem) {
        var built = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            built += "\(part)/"
            if mkdir(built, 0o700) != 0, errno != EEXIST {
                throw KeyFile.Problem(
                    description: "cannot make the directory \(built): \(String(cString: strerror(errno)))")
            }
        }
    }

    /// Writes a file that must not exist; its rights are set before a byte is in it.
    private static func write(
        _ text: String, to path: String, mode: mode_t, hint: String
    ) throws(KeyFile.Problem) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else {
            let reason = String(cString: strerror(errno))
            throw KeyFile.Problem(description: "cannot make \(path): \(reason). \(hint)")
        }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
            let reason = String(cString: strerror(errno))
            unlink(path)
            throw KeyFile.Problem(description: "cannot write \(path): \(reason)")
        }
    }
}
