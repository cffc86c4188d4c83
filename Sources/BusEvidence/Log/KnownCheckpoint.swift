/// A checkpoint that somebody outside of the broker keeps: what the log has to go on from.
package struct KnownCheckpoint: Sendable, Equatable {
    package let head: TreeHead
    /// The signed note it came as.
    package let note: String

    package init(head: TreeHead, note: String) {
        self.head = head
        self.note = note
    }

    /// One that was checked before it was kept; `nil` when the text is no checkpoint.
    package init?(kept note: String) {
        guard let checkpoint = Checkpoint(unchecked: note) else { return nil }
        self.init(head: checkpoint.head, note: note)
    }
}
