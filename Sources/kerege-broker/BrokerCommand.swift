import ArgumentParser
import BusAgent
import BusBroker
import BusConsole
import BusDirectory
import Doors
import Foundation
import Logging
import ServiceLifecycle
import UnixSignals

/// The door of the broker: reads options, starts, waits for SIGTERM, drains, stops.
@main
struct BrokerCommand: AsyncParsableCommand {
    static func main() async { await open() }

    static let configuration = CommandConfiguration(
        commandName: "kerege-broker",
        abstract: "The broker: accepts, authorizes, journals and delivers messages between state systems.",
        discussion: """
            Options given here win over the configuration file; without either the defaults apply.

            EXAMPLES
              kerege-broker --space deploy/space --space data/keys/keys.yaml
              kerege-broker --authority data/keys/authority.pub --signed-space space.signed
              kerege-broker --config broker.yaml
              kerege-broker --data /var/lib/kerege --listen tcp://0.0.0.0:7400

            SIGTERM drains: no new requests, open ones end, then the broker stops.
            """,
        version: Software.version)

    @Option(
        help:
            "YAML file with the members name, listen, http, data, key, space, authority, signed-space, contracts, log.")
    var config: String?
    @Option(help: "Address for agents. (default: tcp://127.0.0.1:7400)")
    var listen: String?
    @Option(help: "Address of the admin API, loopback only. (default: 127.0.0.1:7480)")
    var http: String?
    @Option(help: "Data folder: journal, admin token. (default: ./data)")
    var data: String?
    @Option(help: "Secret keys of the broker. (default: DATA/keys/broker.key)")
    var key: String?
    @Option(
        help: "Folder or file of the space; may be given several times. (default: deploy/space and DATA/keys/keys.yaml)"
    )
    var space: [String] = []
    @Option(
        help: ArgumentHelp(
            "Public key of the authority: only spaces that it signed take effect, and --space is not used.",
            valueName: "file"))
    var authority: String?
    @Option(
        name: .customLong("signed-space"),
        help: ArgumentHelp(
            "Signed space to start with, where it is newer than the one kept in DATA/space.signed.", valueName: "file"))
    var signedSpace: String?
    @Option(help: "Folder of the contracts the space may name. (default: Schemas/contracts)")
    var contracts: String?
    @Option(name: .customLong("log-level"), help: "trace, debug, info, notice, warning, error. (default: info)")
    var logLevel: String?

    @Flag(help: ArgumentHelp("End when standard input closes, as a parent's end does.", visibility: .hidden))
    var stopWithParent = false

    mutating func run() async throws {
        if stopWithParent { StopWithParent.watch() }
        let options: BrokerOptions
        let broker: Broker
        let logger: Logger
        do {
            options = try BrokerOptions(self)
            logger = try options.logger
            broker = try Broker(options.brokerConfiguration(), logger: logger)
        } catch {
            FileHandle.standardError.write(Data("kerege-broker: \(error)\n".utf8))
            throw ExitCode(2)
        }
        let console = try await start(options, broker, logger)
        // Told when both doors are open.
        let telling = Task {
            guard let port = await console.boundPort else { return }
            logger.info(
                "broker listens",
                metadata: [
                    "endpoint": "\(broker.endpoint)", "http": "\(console.host):\(port)", "data": "\(options.data)",
                ])
        }
        defer { telling.cancel() }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    .init(service: console, successTerminationBehavior: .gracefullyShutdownGroup),
                    .init(service: BrokerService(broker: broker), successTerminationBehavior: .gracefullyShutdownGroup),
                ],
                gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        do { try await group.run() } catch let error as ConsoleError {
            FileHandle.standardError.write(Data("kerege-broker: \(error)\n".utf8))
            throw ExitCode(2)
        }
        logger.info("broker stopped")
    }

    private func start(_ options: BrokerOptions, _ broker: Broker, _ logger: Logger) async throws -> Console {
        do { return try options.console(broker, logger) } catch {
            await broker.stop()
            FileHandle.standardError.write(Data("kerege-broker: \(error)\n".utf8))
            throw ExitCode(2)
        }
    }
}

/// Keeps the broker until it is told to stop, then drains it.
struct BrokerService: Service {
    let broker: Broker

    func run() async throws {
        let broker = broker
        // Cancelled when the console could not start: nobody has come yet, so there is nothing to drain.
        let failure = await withTaskCancellationHandler {
            await withGracefulShutdownHandler {
                await broker.ending()
            } onGracefulShutdown: {
                Task {
                    await broker.drain()
                    await broker.stop()
                }
            }
        } onCancel: {
            Task { await broker.stop() }
        }
        if let failure { throw failure }
    }
}
