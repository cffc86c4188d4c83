import BusDirectory
import BusEvidence
import DurableFiles
import Glibc
import Logging

/// The newest space an agent has taken, kept over its starts: what makes a roll-back visible. Unlike `AgentMemory` it waits for the
/// disk, because a forgotten version would be a hole.
struct SpaceMemory {
    private let path: String?
    private let logger: Logger

    init(directory: String?, agent: String, _ logger: Logger) {
        path = directory.map { "\($0)/agents/\(agent).space" }
        self.logger = logger
        if let directory { _ = mkdir("\(directory)/agents", 0o700) }
    }

    /// What was taken before, if the pinned authority signed it.
    func read(_ authority: VerifyingKey?) -> SpaceTrust {
        guard let authority, let path, access(path, F_OK) == 0 else { return SpaceTrust(authority: authority) }
        if let bytes = try? DurableFile.read(path, limit: SignedSpace.fileLimit),
            let held = try? SignedSpace(file: bytes), held.isSigned(by: authority)
        {
            return SpaceTrust(authority: authority, held: held)
        }
        // Another authority was pinned, or the file is damaged: the next space is taken like the first.
        logger.warning(
            "the remembered space is not one of the pinned authority; it is forgotten", metadata: ["path": "\(path)"])
        return SpaceTrust(authority: authority)
    }

    func write(_ space: SignedSpace) {
        guard let path else { return }
        do throws(DurableFile.Problem) { try DurableFile.replace(path, with: space.file) } catch {
            logger.warning("the space was not remembered", metadata: ["path": "\(path)", "reason": "\(error)"])
        }
    }
}
