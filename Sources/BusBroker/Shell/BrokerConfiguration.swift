package import BusDirectory
package import BusEvidence
package import ZeroMQ

/// Everything a broker is started with.
package struct BrokerConfiguration: Sendable {
    /// `tcp://127.0.0.1:7400`; `tcp://127.0.0.1:*` takes a free port.
    package var listen: String
    /// The data folder; the journal is in it.
    package var data: String
    package var name: String
    package var secretKey: CurveSecretKey
    /// With which the roots of the log are signed; nil: they are not.
    package var signingKey: SigningKey?
    /// Where the space comes from.
    package var space: SpaceSource
    package var limits = BrokerLimits()

    /// A broker without an authority: for tests, and for spaces that nobody signs.
    package init(listen: String, data: String, name: String, secretKey: CurveSecretKey, space: Space) {
        self.init(listen: listen, data: data, name: name, secretKey: secretKey, source: .files(space))
    }

    package init(listen: String, data: String, name: String, secretKey: CurveSecretKey, source: SpaceSource) {
        self.listen = listen
        self.data = data
        self.name = name
        self.secretKey = secretKey
        space = source
    }
}

/// Where a broker has its space from.
package enum SpaceSource: Sendable {
    /// As the files say; applied at start when it differs from the one in force.
    case files(Space)
    /// Only what this authority signed: at the start the newest of the one given and the one kept in the data folder.
    case signed(SignedSpace?, authority: VerifyingKey)

    var authority: VerifyingKey? { if case .signed(_, let authority) = self { authority } else { nil } }
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
