import Glibc

/// Ends this process in good order when whoever started it is gone: standard input is a pipe the parent holds, and its end is
/// the parent's end, however that came about.
package enum StopWithParent {
    /// Watches from a thread of its own and raises SIGTERM once.
    package static func watch() {
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { _ in
                var byte: UInt8 = 0
                while true {
                    let count = read(STDIN_FILENO, &byte, 1)
                    if count > 0 || (count < 0 && errno == EINTR) { continue }
                    break
                }
                kill(getpid(), SIGTERM)
                return nil
            }, nil)
        pthread_detach(thread)
    }
}
