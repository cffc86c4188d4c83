extension String {
    /// For columns of a terminal.
    func padding(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
