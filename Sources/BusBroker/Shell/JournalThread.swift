import BusJournal
import Dispatch
import Synchronization
import ZeroMQ

/// The journal's own thread: writes one batch at a time, and checkpoints and saves views between batches.
///
/// The broker's thread may also commit small batches itself while this one has nothing to do: two hand-offs between threads
/// cost more than the write.
final class JournalThread: Sendable {
    enum Job: Sendable {
        case commit(JournalBatch, at: Int64)
        case saveView(String, position: UInt64, [UInt8])
        case checkpoint
        case stop
    }

    private struct State {
        var jobs: [Job] = []
        var isBusy = false
        var results: [Result<Committed, JournalError>] = []
    }

    let journal: Journal
    private let state = Mutex(State())
    private let work = DispatchSemaphore(value: 0)
    private let done: Wakeup
    private let thread = Mutex<SocketThread?>(nil)

    /// - Parameter done: signalled when a result waits.
    init(_ journal: Journal, done: Wakeup) throws(ZeroMQError) {
        self.journal = journal
        self.done = done
        let started = try SocketThread(name: "journal") { [self] in run() }
        thread.withLock { $0 = started }
    }

    /// Nothing to do and nothing being done: the caller may commit by itself.
    var isIdle: Bool { state.withLock { !$0.isBusy && $0.jobs.isEmpty } }

    func add(_ job: Job) {
        state.withLock { $0.jobs.append(job) }
        work.signal()
    }

    func takeResults() -> [Result<Committed, JournalError>] {
        state.withLock { state in
            defer { state.results.removeAll(keepingCapacity: true) }
            return state.results
        }
    }

    func stop() {
        add(.stop)
        thread.withLock { $0 }?.join()
    }

    private func run() {
        while true {
            work.wait()
            guard
                let job = state.withLock({ state -> Job? in
                    guard !state.jobs.isEmpty else { return nil }
                    state.isBusy = true
                    return state.jobs.removeFirst()
                })
            else { continue }
            let goesOn = perform(job)
            state.withLock { $0.isBusy = false }
            if !goesOn { return }
        }
    }

    private func perform(_ job: Job) -> Bool {
        switch job {
        case .commit(let batch, let time):
            let result: Result<Committed, JournalError>
            do throws(JournalError) { result = .success(try journal.commit(batch, at: time)) } catch {
                result = .failure(error)
            }
            state.withLock { $0.results.append(result) }
            done.signal()
            journal.checkpointIfDue()
        case .saveView(let name, let position, let bytes):
            // A view that could not be saved is folded again from the journal at the next start.
            try? journal.saveView(name, position: position, bytes)
        case .checkpoint: journal.checkpointIfDue()
        case .stop: return false
        }
        return true
    }
}
