import ArgumentParser

/// Options of every command that asks the broker.
struct AdminOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Data folder of the broker: its keys and the token of the admin API.", valueName: "dir"))
    var data = "./data"
    @Option(help: ArgumentHelp("Address of the admin API, loopback only.", valueName: "url"))
    var http = "http://127.0.0.1:7480"
    @Flag(help: "Print one line of JSON; its shape is that of Schemas/admin.openapi.yaml.")
    var json = false

    func client() throws(Failure) -> AdminClient { try AdminClient(address: http, data: data) }
}

/// For commands that ask no broker.
struct JSONOption: ParsableArguments {
    @Flag(help: "Print one line of JSON.")
    var json = false
}
