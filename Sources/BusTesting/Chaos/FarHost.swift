import Foundation

/// Another host, as far as the network knows: a namespace with one cable to this one.
package struct FarHost: Sendable {
    package let name: String
    private let cable: String
    /// This host's address on the cable.
    package let near: String

    /// Nil where this user may not make one.
    package init?() {
        let number = Int.random(in: 1...250)
        name = "kerege-\(number)"
        cable = "krg\(number)"
        near = "10.231.\(number).1"
        let steps = [
            ["netns", "add", name], ["link", "add", cable, "type", "veth", "peer", "name", "far0", "netns", name],
            ["addr", "add", "\(near)/30", "dev", cable], ["link", "set", cable, "up"],
            ["-n", name, "addr", "add", "10.231.\(number).2/30", "dev", "far0"],
            ["-n", name, "link", "set", "far0", "up"],
            ["-n", name, "link", "set", "lo", "up"],
        ]
        for step in steps where !Self.ip(step) {
            remove()
            return nil
        }
    }

    package func pull() { _ = Self.ip(["-n", name, "link", "set", "far0", "down"]) }
    package func plug() { _ = Self.ip(["-n", name, "link", "set", "far0", "up"]) }
    package func remove() {
        _ = Self.ip(["link", "del", cable])
        _ = Self.ip(["netns", "del", name])
    }

    /// Where a mesh's broker is reached from both sides of the cable.
    package func address(of mesh: Mesh) -> String {
        "tcp://\(near):\(mesh.brokerAddress.split(separator: ":").last ?? "")"
    }

    /// The same process, over there.
    package func moved(_ process: ChildProcess) -> ChildProcess {
        process.moved(
            executable: "/usr/bin/env",
            arguments: ["ip", "netns", "exec", name, process.executable] + process.arguments)
    }

    private static func ip(_ arguments: [String]) -> Bool { Program.succeeds("ip", arguments) }
}

/// A program of the system that does a step for a campaign.
enum Program {
    static func succeeds(_ name: String, _ arguments: [String]) -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [name] + arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }
}
