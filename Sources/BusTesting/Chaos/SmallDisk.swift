import Foundation

/// A file system in memory of a few megabytes, where this user may mount one.
struct SmallDisk: Sendable {
    let path: String
    private var ballast: String { path + "/ballast" }
    /// A broker's data folder on it.
    var data: String { path + "/data" }

    static let notRun = "a small file system cannot be mounted here"

    init?(megabytes: Int) {
        path = NSTemporaryDirectory() + "kerege-disk-" + UUID().uuidString.prefix(8).lowercased()
        guard (try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)) != nil,
            Program.succeeds("mount", ["-t", "tmpfs", "-o", "size=\(megabytes)m", "tmpfs", path])
        else { return nil }
    }

    func remove() {
        _ = Program.succeeds("umount", ["-l", path])
        try? FileManager.default.removeItem(atPath: path)
    }

    func remount(_ mode: String) throws {
        guard Program.succeeds("mount", ["-o", "remount,\(mode)", path]) else {
            throw MeshError("\(path) cannot be remounted \(mode)", remedy: "look at what holds it")
        }
    }

    /// Takes all the room that is left.
    func fill() throws {
        _ = FileManager.default.createFile(atPath: ballast, contents: nil)
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: ballast))
        defer { try? handle.close() }
        for size in [1 << 20, 4096] {
            let block = Data(count: size)
            while (try? handle.write(contentsOf: block)) != nil {}
        }
    }

    func free() throws { try FileManager.default.removeItem(atPath: ballast) }
}
