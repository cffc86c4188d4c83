package import BusDirectory
package import ZeroMQ

/// Everything a broker is started with.
package struct BrokerConfiguration: Sendable {
    /// `tcp://127.0.0.1:7400`; `tcp://127.0.0.1:*` takes a free port.
    package var listen: String
    /// The data folder; the journal is in it.
    package var data: String
    package var name: String
    package var secretKey: CurveSecretKey
    /// The space as its files say; applied at start when it differs from the one in force.
    package var space: Space
    package var limits = BrokerLimits()

    package init(listen: String, data: String, name: String, secretKey: CurveSecretKey, space: Space) {
        self.listen = listen
        self.data = data
        self.name = name
        self.secretKey = secretKey
        self.space = space
    }
}

/// Why a broker cannot start or go on: what happened, why, what to do.
package struct BrokerError: Error, Sendable, CustomStringConvertible {
    package let description: String
    package init(_ what: String, remedy: String) { description = "\(what) — \(remedy)" }
}

/// The version of this software, as it tells others.
package enum Software {
    package static let version = "0.1.0"
    package static let name = "kerege \(version)"
}
