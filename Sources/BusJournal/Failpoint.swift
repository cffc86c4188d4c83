#if KEREGE_FAILPOINTS
    import Foundation
    import Synchronization

    /// Places at which a test lets the process die as by `kill -9`: `KEREGE_FAILPOINT=after-commit:37` is the 37th passage of
    /// that place. Compiled into debug builds only.
    enum Failpoint: String, CaseIterable {
        case beforeBegin = "before-begin"
        case beforeCommit = "before-commit"
        case afterCommit = "after-commit"
        case beforeCheckpoint = "before-checkpoint"
        case afterCheckpoint = "after-checkpoint"
        case beforeView = "before-view"
        case afterView = "after-view"

        private static let armed: (point: String, count: Int)? = {
            let parts = (ProcessInfo.processInfo.environment["KEREGE_FAILPOINT"] ?? "").split(separator: ":")
            guard parts.count == 2, let count = Int(parts[1]) else { return nil }
            return (String(parts[0]), count)
        }()
        private static let passages = Atomic(0)

        func pass() {
            guard let armed = Self.armed, armed.point == rawValue else { return }
            if Self.passages.wrappingAdd(1, ordering: .relaxed).newValue == armed.count { kill(getpid(), SIGKILL) }
        }
    }
#else
    /// Places at which a test build can let the process die; here they are nothing.
    enum Failpoint {
        case beforeBegin, beforeCommit, afterCommit, beforeCheckpoint, afterCheckpoint, beforeView, afterView
        @inline(__always) func pass() {}
    }
#endif
