import Foundation
import Glibc

/// A file of evidence that is written: for its owner alone, and over another one only when that is asked for.
struct EvidenceOutput {
    let path: String
    var replaces = false
    /// Option that replaces a file that is there; nil: the command has none.
    var force: String?

    /// Asked before anything is done: afterwards there would be an effect, and no evidence of it.
    func expectPlace() throws(Failure) {
        if !replaces, FileManager.default.fileExists(atPath: path) { throw exists }
        let parent = URL(fileURLWithPath: path).deletingLastPathComponent().path
        guard FileManager.default.isWritableFile(atPath: parent) else {
            throw .wrongUse(
                "\(path) cannot be written", why: "there is no folder \(parent), or this user may not write in it",
                next: "make the folder, or name another file")
        }
    }

    private var exists: Failure {
        .wrongUse(
            "\(path) is there already", why: "evidence is not written over",
            next: "name another file" + (force.map { ", or add \($0)" } ?? ""))
    }

    /// For its owner alone: bodies may be in it.
    func write(_ data: Data) throws(Failure) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (replaces ? O_TRUNC : O_EXCL), 0o600)
        if descriptor < 0, errno == EEXIST { throw exists }
        guard descriptor >= 0 else { throw notWritten(String(cString: strerror(errno))) }
        // One that is replaced may have been open to others.
        guard fchmod(descriptor, 0o600) == 0 else {
            close(descriptor)
            throw notWritten(String(cString: strerror(errno)))
        }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            try file.write(contentsOf: data)
            try file.synchronize()
            try file.close()
        } catch { throw notWritten(error.localizedDescription) }
    }

    private func notWritten(_ why: String) -> Failure {
        Failure(.no, "not-written", "\(path) was not written", why: why, next: "name another file")
    }
}
