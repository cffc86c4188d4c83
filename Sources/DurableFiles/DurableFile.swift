import Glibc

/// A small file that is there after a power cut, whole: the old one or the new one, never half of either.
package enum DurableFile {
    package struct Problem: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// Nil when there is none.
    /// - Parameter limit: larger files are refused, bytes.
    package static func read(_ path: String, limit: Int) throws(Problem) -> [UInt8]? {
        guard let file = fopen(path, "re") else {
            if errno == ENOENT { return nil }
            throw Problem(description: "cannot read \(path): \(String(cString: strerror(errno)))")
        }
        defer { fclose(file) }
        var found: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&piece, 1, piece.count, file)
            if count == 0 { break }
            found += piece[..<count]
            guard found.count <= limit else { throw Problem(description: "\(path) is larger than \(limit) bytes") }
        }
        guard ferror(file) == 0 else { throw Problem(description: "cannot read \(path) to its end") }
        return found
    }

    /// Writes beside the file, waits for the disk, renames, and waits for the folder.
    /// - Parameter isPrivate: for its owner alone. No one process holds such a file: each writes one of its own beside it, so that none
    ///   renames what another has half written.
    package static func replace(_ path: String, with bytes: [UInt8], isPrivate: Bool = false) throws(Problem) {
        let next = isPrivate ? "\(path).\(getpid()).new" : path + ".new"
        // One that was left behind may be open to others, and what stands there now may be anybody's: it is made, never opened.
        if isPrivate, unlink(next) != 0, errno != ENOENT { throw failure("cannot remove", next) }
        let how = isPrivate ? O_EXCL | O_NOFOLLOW : O_TRUNC
        let descriptor = open(next, O_WRONLY | O_CREAT | O_CLOEXEC | how, isPrivate ? 0o600 : 0o644)
        guard descriptor >= 0 else { throw failure("cannot make", next) }
        let isWritten = writeAll(bytes, to: descriptor) && fsync(descriptor) == 0
        let problem = failure("cannot write", next)
        guard close(descriptor) == 0, isWritten else {
            unlink(next)
            throw problem
        }
        guard rename(next, path) == 0 else {
            let problem = failure("cannot replace", path)
            unlink(next)
            throw problem
        }
        syncFolder(of: path)
    }

    /// Reads, decides and replaces with no other process between that does so by this function as well. On a file system without locks
    /// nobody waits for anybody.
    package static func undisturbed<Result, Failure: Error>(
        _ path: String, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // The folder's lock: a file's own would go with it when it is replaced.
        let folder = openFolder(of: path)
        defer { if folder >= 0 { close(folder) } }
        while folder >= 0, flock(folder, LOCK_EX) != 0, errno == EINTR {}
        return try body()
    }

    private static func writeAll(_ bytes: [UInt8], to descriptor: CInt) -> Bool {
        // The pointer stays inside the call.
        bytes.withUnsafeBytes { raw in
            var done = 0
            while done < raw.count {
                let count = write(descriptor, raw.baseAddress! + done, raw.count - done)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return false }
                done += count
            }
            return true
        }
    }

    private static func syncFolder(of path: String) {
        let descriptor = openFolder(of: path)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    private static func openFolder(of path: String) -> CInt {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        return open(folder.isEmpty ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    }

    private static func failure(_ what: String, _ path: String) -> Problem {
        Problem(description: "\(what) \(path): \(String(cString: strerror(errno)))")
    }
}
