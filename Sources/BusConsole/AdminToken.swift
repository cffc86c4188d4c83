import Foundation
import Glibc

/// The secret of the admin API: 256 bits in hexadecimal, in a file that only its owner may read.
package struct AdminToken: Sendable, CustomStringConvertible {
    package static let fileName = "admin.token"
    /// Hexadecimal digits.
    static let length = 64
    private let digits: [UInt8]

    package static func path(in dataFolder: String) -> String {
        dataFolder.hasSuffix("/") ? dataFolder + fileName : dataFolder + "/" + fileName
    }

    /// Takes the token of the data folder, or makes one where there is none.
    /// - Throws: `ConsoleError` when the file cannot be written, others may read it, or it holds no token.
    package static func takeOrMake(in dataFolder: String) throws(ConsoleError) -> AdminToken {
        let path = path(in: dataFolder)
        if access(path, F_OK) == 0 { return try read(path) }
        var random = SystemRandomNumberGenerator()
        let words = (0..<4).map { _ in random.next() }
        let text = words.map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
        try write(text + "\n", to: path)
        return AdminToken(digits: Array(text.utf8))
    }

    /// - Throws: `ConsoleError` when there is no token that this user may take.
    package static func read(_ path: String) throws(ConsoleError) -> AdminToken {
        guard let file = fopen(path, "re") else {
            throw ConsoleError(
                "cannot read \(path): \(String(cString: strerror(errno)))", remedy: "run as the user of the broker")
        }
        defer { fclose(file) }
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        guard let mode = (attributes?[.posixPermissions] as? NSNumber)?.intValue, mode & 0o077 == 0 else {
            throw ConsoleError("others than its owner may read \(path)", remedy: "chmod 600 \(path)")
        }
        var bytes = [UInt8](repeating: 0, count: length + 2)
        let count = fread(&bytes, 1, bytes.count, file)
        let digits = Array(bytes[..<count].prefix { $0 > UInt8(ascii: " ") })
        guard digits.count == length, digits.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }) else {
            throw ConsoleError(
                "\(path) holds no token of \(length) hexadecimal digits", remedy: "remove it and start the broker again"
            )
        }
        return AdminToken(digits: digits)
    }

    /// The text that clients send; for a request's header and for nothing else.
    package func reveal() -> String { String(decoding: digits, as: UTF8.self) }

    package var description: String { "AdminToken(redacted)" }

    /// Whether it is this token, in a time that does not tell how much of it is right.
    func matches(_ offered: some Collection<UInt8>) -> Bool {
        let offered = Array(offered.prefix(Self.length + 1))
        var difference = offered.count ^ digits.count
        for index in digits.indices {
            difference |= Int(digits[index] ^ (index < offered.count ? offered[index] : 0))
        }
        return difference == 0
    }

    /// The file must be new; its rights are set before a byte is in it.
    private static func write(_ text: String, to path: String) throws(ConsoleError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        let bytes = Array(text.utf8)
        guard descriptor >= 0, Glibc.write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
            let reason = String(cString: strerror(errno))
            if descriptor >= 0 { close(descriptor) }
            throw ConsoleError(
                "cannot write \(path): \(reason)",
                remedy: "make the data folder writable, or choose another with --data")
        }
        close(descriptor)
    }
}
