/// HELLO: an agent opens a session. Sent first on every connection, again after every reconnect.
package struct Hello: Sendable, Equatable {
    package var oldestVersion: UInt8 = FrameHead.oldestVersion
    package var newestVersion: UInt8 = FrameHead.newestVersion
    /// Made at random when the process starts: tells a reconnect from a second process with the same key.
    package var instance: UInt128
    /// Starts of this agent, counted in its own data; 0 where it keeps none.
    package var bootCounter: UInt64 = 0
    /// The last receipt this agent holds: the broker's log had this many records and this root (32 bytes).
    package var treeSize: UInt64 = 0
    package var root: [UInt8] = [UInt8](repeating: 0, count: 32)
    package var agent: String
    package var software: String
    package var systems: [String]
    /// The newest space this agent has taken, and its digest (32 bytes); 0 and zeros: none. Since version 3.
    package var spaceVersion: UInt64 = 0
    package var spaceDigest: [UInt8] = [UInt8](repeating: 0, count: 32)
    /// From version 2 on; nil: everything.
    package var takes: Takes?

    package init(instance: UInt128, agent: String, software: String, systems: [String]) {
        self.instance = instance
        self.agent = agent
        self.software = software
        self.systems = systems
    }

    package func encoded() -> [UInt8] {
        var out = ByteWriter(capacity: 128)
        out.put(oldestVersion)
        out.put(newestVersion)
        out.put(UInt16(systems.count))
        out.put(id: instance)
        out.put(bootCounter)
        out.put(treeSize)
        out.put(raw: root)
        out.put(short: agent)
        out.put(short: software)
        for system in systems { out.put(short: system) }
        if newestVersion >= Self.versionWithSpace {
            out.put(spaceVersion)
            out.put(raw: spaceDigest)
        }
        takes?.write(into: &out)
        return out.finish()
    }

    package init(_ reader: inout ByteReader) throws(Fault) {
        oldestVersion = try reader.take()
        newestVersion = try reader.take()
        let count = Int(try reader.take(UInt16.self))
        guard count <= Limits.systemsPerAgent else {
            throw Fault(.badFrame, at: .unknown, "\(count) systems; one agent serves at most \(Limits.systemsPerAgent)")
        }
        instance = try reader.takeID()
        bootCounter = try reader.take()
        treeSize = try reader.take()
        root = try reader.takeArray(32)
        agent = try reader.takeShortText()
        software = try reader.takeShortText()
        systems = []
        for _ in 0..<count { systems.append(try reader.takeShortText()) }
        if newestVersion >= Self.versionWithSpace {
            spaceVersion = try reader.take()
            spaceDigest = try reader.takeArray(32)
        }
        if newestVersion >= 2, reader.remaining > 0 { takes = try Takes(&reader) }
    }

    /// The first version whose speakers name their space.
    fileprivate static let versionWithSpace: UInt8 = 3
}

/// WELCOME: the broker's answer to HELLO.
package struct Welcome: Sendable, Equatable {
    package var version: UInt8 = FrameHead.newestVersion
    /// Missed heartbeats after which either side gives the other up.
    package var missedHeartbeats: UInt8 = 3
    /// Time between PINGs, milliseconds.
    package var heartbeatMilliseconds: UInt32
    package var session: UInt64
    package var broker: UInt128
    package var spaceVersion: UInt64
    package var largestBody: UInt32 = UInt32(Limits.body)
    package var largestFrame: UInt32 = UInt32(Limits.frame)
    package var treeSize: UInt64
    package var root: [UInt8]
    package var name: String
    /// Of the space in force, 32 bytes. Since version 3.
    package var spaceDigest: [UInt8] = [UInt8](repeating: 0, count: 32)

    package init(
        heartbeatMilliseconds: UInt32, session: UInt64, broker: UInt128, spaceVersion: UInt64, treeSize: UInt64,
        root: [UInt8], name: String
    ) {
        self.heartbeatMilliseconds = heartbeatMilliseconds
        self.session = session
        self.broker = broker
        self.spaceVersion = spaceVersion
        self.treeSize = treeSize
        self.root = root
        self.name = name
    }

    package func encoded() -> [UInt8] {
        var out = ByteWriter(capacity: 128)
        out.put(version)
        out.put(missedHeartbeats)
        out.put(UInt16(0))
        out.put(heartbeatMilliseconds)
        out.put(session)
        out.put(id: broker)
        out.put(spaceVersion)
        out.put(largestBody)
        out.put(largestFrame)
        out.put(treeSize)
        out.put(raw: root)
        out.put(short: name)
        if version >= Hello.versionWithSpace { out.put(raw: spaceDigest) }
        return out.finish()
    }

    package init(_ reader: inout ByteReader) throws(Fault) {
        version = try reader.take()
        missedHeartbeats = try reader.take()
        _ = try reader.take(UInt16.self)
        heartbeatMilliseconds = try reader.take()
        session = try reader.take()
        broker = try reader.takeID()
        spaceVersion = try reader.take()
        largestBody = try reader.take()
        largestFrame = try reader.take()
        treeSize = try reader.take()
        root = try reader.takeArray(32)
        name = try reader.takeShortText()
        if version >= Hello.versionWithSpace { spaceDigest = try reader.takeArray(32) }
    }
}
