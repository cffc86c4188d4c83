import Foundation

/// A shared library that stands before the C library's `fsync` and `fdatasync` and lets them fail while a file is there: what a dying
/// disk does.
struct FailingSync: Sendable {
    /// The environment that loads it into a process.
    let environment: [String: String]
    private let library: String
    private let trigger: String

    static let notRun = "no C compiler for the failing sync"

    init?() {
        let name = NSTemporaryDirectory() + "kerege-sync-\(UUID().uuidString.prefix(8))"
        library = name + ".so"
        trigger = name + ".fails"
        environment = ["LD_PRELOAD": library, "KEREGE_SYNC_ERROR_WHEN": trigger]
        let source = name + ".c"
        defer { try? FileManager.default.removeItem(atPath: source) }
        guard (try? Self.source.write(toFile: source, atomically: true, encoding: .utf8)) != nil,
            Program.succeeds("cc", ["-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"])
        else { return nil }
    }

    func begin() { _ = FileManager.default.createFile(atPath: trigger, contents: nil) }
    func end() { try? FileManager.default.removeItem(atPath: trigger) }

    func remove() {
        end()
        try? FileManager.default.removeItem(atPath: library)
    }

    private static let source = """
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <errno.h>
        #include <stdlib.h>
        #include <unistd.h>

        static int fails(void) {
            const char *trigger = getenv("KEREGE_SYNC_ERROR_WHEN");
            return trigger && access(trigger, F_OK) == 0;
        }

        int fdatasync(int descriptor) {
            static int (*real)(int);
            if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
            if (fails()) { errno = EIO; return -1; }
            return real(descriptor);
        }

        int fsync(int descriptor) {
            static int (*real)(int);
            if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
            if (fails()) { errno = EIO; return -1; }
            return real(descriptor);
        }

        """
}
