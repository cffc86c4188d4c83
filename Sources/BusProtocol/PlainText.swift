/// Text of others on its way to a terminal or a log.
extension String {
    /// Without characters that would steer a terminal, or begin a line of a log that nobody wrote; and not longer than is read.
    package func plain(atMost count: Int = 2048) -> String {
        var plain = String()
        for scalar in unicodeScalars.prefix(count) {
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator: plain.append(" ")
            default: plain.unicodeScalars.append(scalar)
            }
        }
        return plain
    }
}
