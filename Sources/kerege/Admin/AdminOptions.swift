import ArgumentParser

/// Options of every command that asks the broker.
struct AdminOptions: ParsableArguments {
    private static let usualData = "./data"
    private static let usualHTTP = "http://127.0.0.1:7480"

    @Option(help: ArgumentHelp("Data folder of the broker: its keys and the token of the admin API.", valueName: "dir"))
    var data = usualData
    @Option(help: ArgumentHelp("Address of the admin API, loopback only.", valueName: "url"))
    var http = usualHTTP
    @Flag(help: "Print one line of JSON; its shape is that of Schemas/admin.openapi.yaml.")
    var json = false

    /// What was given, as words of a command line.
    var words: [String] {
        (data == Self.usualData ? [] : ["--data", data]) + (http == Self.usualHTTP ? [] : ["--http", http])
            + (json ? ["--json"] : [])
    }

    func client() throws(Failure) -> AdminClient { try AdminClient(address: http, data: data) }
}

/// For commands that ask no broker.
struct JSONOption: ParsableArguments {
    @Flag(help: "Print one line of JSON.")
    var json = false
}
