import BusTesting
import Foundation
import GRDB

/// The registers of a mesh, looked at from outside while its agents work on them.
extension Mesh {
    static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1000) }

    func register(_ name: String) -> String { folder.registers + "/\(name).sqlite" }

    func value(_ sql: String, in name: String) throws -> String? {
        var configuration = Configuration()
        configuration.busyMode = .timeout(5)
        let queue = try DatabaseQueue(path: register(name), configuration: configuration)
        return try queue.read { try String.fetchOne($0, sql: "SELECT CAST((\(sql)) AS TEXT)") }
    }

    /// Waits until a query gives a value.
    func until(_ sql: String, is wanted: String, in name: String, orMore: Bool = false) async throws {
        let isSo = await eventually(within: .seconds(60)) {
            let found = try? value(sql, in: name)
            return found == wanted || (orMore && (Int(found ?? "") ?? 0) >= (Int(wanted) ?? 0))
        }
        guard isSo else {
            let found = try value(sql, in: name) ?? "nothing"
            throw MeshError("\(name): \(sql) gave \(found)", remedy: "\(wanted) was expected")
        }
    }
}
