import BusAgent
import BusBroker
import BusConsole
import BusDirectory
import Foundation
import Logging
import Yams

/// Options of the command line over those of the configuration file over the defaults.
struct BrokerOptions {
    var name = "broker-1"
    var listen = "tcp://127.0.0.1:7400"
    var http = "127.0.0.1:7480"
    var data = "./data"
    var key: String?
    var space: [String] = []
    var authority: String?
    var signedSpace: String?
    var contracts = "Schemas/contracts"
    var level = "info"

    init(_ command: BrokerCommand) throws {
        if let path = command.config { try read(path) }
        listen = command.listen ?? listen
        http = command.http ?? http
        data = command.data ?? data
        key = command.key ?? key
        if !command.space.isEmpty { space = command.space }
        authority = command.authority ?? authority
        signedSpace = command.signedSpace ?? signedSpace
        contracts = command.contracts ?? contracts
        if authority == nil, signedSpace != nil {
            throw BrokerError(
                "a signed space is given and no authority to check it with", remedy: "add --authority authority.pub")
        }
        if authority != nil, !space.isEmpty {
            throw BrokerError(
                "an authority is pinned, and files are given that nobody signed",
                remedy:
                    "leave --space out; kerege space sign \(space.joined(separator: " ")) makes a signed space of them")
        }
        level = command.logLevel ?? level
    }

    private mutating func read(_ path: String) throws {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw BrokerError("cannot read the configuration \(path)", remedy: "check the path given with --config")
        }
        guard let node = try Yams.compose(yaml: text), case .mapping(let members) = node else {
            throw BrokerError(
                "\(path) is no YAML mapping", remedy: "write members such as `listen: tcp://127.0.0.1:7400`")
        }
        for (member, value) in members {
            let place = "\(path):\(member.mark?.line ?? 0)"
            switch member.string ?? "" {
            case "name": name = try self.value(value, place)
            case "listen": listen = try self.value(value, place)
            case "http": http = try self.value(value, place)
            case "data": data = try self.value(value, place)
            case "key": key = try self.value(value, place)
            case "authority": authority = try self.value(value, place)
            case "signed-space": signedSpace = try self.value(value, place)
            case "contracts": contracts = try self.value(value, place)
            case "log": level = try self.value(value, place)
            case "space":
                if let list = value.sequence {
                    space = try list.map { try self.value($0, place) }
                } else {
                    space = [try self.value(value, place)]
                }
            case let other:
                throw BrokerError(
                    "\(place): unknown member `\(other)`",
                    remedy: "known are name, listen, http, data, key, space, authority, signed-space, contracts, log")
            }
        }
    }

    private func value(_ node: Node, _ place: String) throws -> String {
        guard let text = node.string else {
            throw BrokerError("\(place): a text is expected", remedy: "write one value")
        }
        return text
    }

    var logger: Logger {
        get throws {
            guard let level = Logger.Level(rawValue: level) else {
                throw BrokerError(
                    "`\(level)` is no log level", remedy: "use trace, debug, info, notice, warning or error")
            }
            var logger = Logger(label: "kerege.broker", factory: StreamLogHandler.standardError(label:))
            logger.logLevel = level
            return logger
        }
    }

    func brokerConfiguration() throws -> BrokerConfiguration {
        let keys = try KeyFile.load(key ?? data + "/keys/broker.key")
        var configuration = BrokerConfiguration(
            listen: listen, data: data, name: name, secretKey: keys.curveSecret, source: try source())
        configuration.signingKey = keys.signing
        return configuration
    }

    private func source() throws -> SpaceSource {
        guard let authority else { return .files(try readSpace()) }
        let key = try AuthorityFile.publicKey(authority)
        guard let signedSpace else { return .signed(nil, authority: key) }
        guard let signed = try SpaceStore.read(signedSpace) else {
            throw BrokerError(
                "there is no signed space \(signedSpace)",
                remedy: "kerege space sign DIR --authority authority.key -o \(signedSpace)")
        }
        return .signed(signed, authority: key)
    }

    /// The space of all its files together; errors are printed as `file:line: …`.
    private func readSpace() throws -> Space {
        let places = space.isEmpty ? ["deploy/space", data + "/keys/keys.yaml"] : space
        var files: [SpaceFile] = []
        for place in places { files += try SpaceFolder.files(at: place) }
        let reading = Space.load(files, knownContracts: SpaceFolder.contractNames(in: contracts))
        guard let space = reading.space, reading.errors.isEmpty else {
            let lines = reading.errors.map { "  \($0)" }.joined(separator: "\n")
            throw BrokerError(
                "the space has errors:\n\(lines)\n",
                remedy: "mend them; kerege space check \(places.joined(separator: " "))")
        }
        return space
    }

    func console(_ broker: Broker, _ logger: Logger) throws -> Console {
        let parts = http.split(separator: ":")
        guard parts.count == 2, let port = Int(parts[1]), (0...65535).contains(port) else {
            throw BrokerError("`\(http)` is no address of the form HOST:PORT", remedy: "use --http 127.0.0.1:7480")
        }
        return try Console(
            broker: broker, journalFolder: data, host: String(parts[0]), port: port, dataFolder: data,
            contractsFolder: contracts, logger: logger)
    }
}
