// swift-tools-version: 6.2
import PackageDescription

/// With KEREGE_MUTANTS in the environment promises can be broken on purpose, to prove that the simulator sees it, and processes die at
/// named steps. Such a build is for `kerege-chaos` and for nothing else.
let mutants: [SwiftSetting] =
    Context.environment["KEREGE_MUTANTS"] == nil ? [] : [.define("KEREGE_MUTANTS"), .define("KEREGE_FAILPOINTS")]

// One strict list for every target: a warning anywhere stops the build.
let strict: [SwiftSetting] =
    mutants + [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .treatAllWarnings(as: .error),
    ]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let collections = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let histogram = Target.Dependency.product(name: "Histogram", package: "hdrhistogram-swift")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

/// A room of the house: `Sources/NAME`, tested in `Tests/NAMETests`.
func room(_ name: String, _ dependencies: [Target.Dependency], more: [SwiftSetting] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict + more)
}

/// A door: parses options, starts, stops. Nothing else lives in it.
func door(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies + ["Doors", argumentParser], swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict)
}

let package = Package(
    name: "kerege",
    products: [
        .library(name: "BusAgent", targets: ["BusAgent"]),
        .library(name: "BusTesting", targets: ["BusTesting"]),
        .executable(name: "kerege", targets: ["kerege"]),
        .executable(name: "kerege-broker", targets: ["kerege-broker"]),
        .executable(name: "kerege-agent", targets: ["kerege-agent"]),
        .executable(name: "kerege-bench", targets: ["kerege-bench"]),
        .executable(name: "kerege-chaos", targets: ["kerege-chaos"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .systemLibrary(name: "CZeroMQ", pkgConfig: "libzmq", providers: [.apt(["libzmq3-dev"])]),
        .systemLibrary(name: "CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CPCRE2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),

        room("Doors", [argumentParser]),
        room("ZeroMQ", ["CZeroMQ"], more: [.strictMemorySafety()]),
        room("DurableFiles", []),
        room("BusContracts", ["CPCRE2"]),
        room("BusProtocol", [], more: [.define("KEREGE_FAILPOINTS", .when(configuration: .debug))]),
        room("BusEvidence", ["BusProtocol", "CSodium", "CCrypto", crypto]),
        room("BusDirectory", ["BusProtocol", "BusEvidence", crypto, yams]),
        room("BusIntegrations", []),
        room("BusJournal", ["BusProtocol", "BusEvidence", grdb, sqlite]),
        room(
            "BusBroker",
            [
                "ZeroMQ", "DurableFiles", "BusProtocol", "BusDirectory", "BusEvidence", "BusJournal", "BusIntegrations",
                logging, heap, collections,
            ]),
        room(
            "BusAgent",
            [
                "ZeroMQ", "DurableFiles", "BusProtocol", "BusContracts", "BusDirectory", "BusEvidence", grdb, sqlite,
                logging, yams, collections,
            ]),
        room("BusSystems", ["BusAgent", "BusContracts", grdb]),
        room(
            "BusConsole",
            [
                "BusBroker", "BusProtocol", "BusDirectory", "BusEvidence", "BusIntegrations", "BusJournal", hummingbird,
                lifecycle, logging,
            ]),
        room(
            "BusTesting",
            [
                "DurableFiles", "BusAgent", "BusBroker", "BusConsole", "BusDirectory", "BusEvidence", "BusJournal",
                "BusProtocol", "BusSystems", grdb, heap, logging, yams,
            ]),

        door(
            "kerege-broker",
            ["BusAgent", "BusBroker", "BusConsole", "BusDirectory", lifecycle, signals, logging, yams]),
        door("kerege-agent", ["BusAgent", "BusSystems", "BusContracts", grdb, lifecycle, signals, logging]),
        door(
            "kerege",
            [
                "ZeroMQ", "DurableFiles", "BusProtocol", "BusContracts", "BusDirectory", "BusEvidence", "BusJournal",
                "BusAgent", "BusBroker", "BusConsole", "BusTesting", logging,
            ]),
        door(
            "kerege-bench",
            [
                "ZeroMQ", "BusAgent", "BusBroker", "BusContracts", "BusDirectory", "BusJournal", "BusProtocol",
                "BusTesting",
                histogram, logging,
            ]),
        door("kerege-chaos", ["BusTesting", "BusProtocol"]),

        tests("ZeroMQTests", ["ZeroMQ"]),
        tests("BusContractsTests", ["BusContracts"]),
        tests("BusProtocolTests", ["BusProtocol"]),
        tests(
            "BusEvidenceTests", ["BusEvidence", "BusProtocol", "BusDirectory", crypto], exclude: ["verify_evidence.py"]),
        tests("BusDirectoryTests", ["BusDirectory", "BusEvidence", crypto]),
        tests("BusIntegrationsTests", ["BusIntegrations"]),
        tests("BusJournalTests", ["BusJournal", "BusProtocol", "BusEvidence", grdb]),
        tests(
            "BusBrokerTests",
            [
                "BusBroker", "BusProtocol", "BusDirectory", "BusIntegrations", "BusJournal", "BusEvidence", "ZeroMQ",
                logging,
            ]),
        tests(
            "BusAgentTests",
            ["BusAgent", "BusProtocol", "BusContracts", "BusDirectory", "BusEvidence", "ZeroMQ", grdb, logging]),
        tests("BusSystemsTests", ["BusSystems", "BusAgent", "BusContracts", grdb, logging, yams]),
        tests(
            "BusConsoleTests",
            [
                "kerege", "BusConsole", "BusBroker", "BusAgent", "BusContracts", "BusDirectory", "BusEvidence",
                "BusJournal", "BusProtocol",
                "ZeroMQ",
                hummingbird, logging, yams,
            ]),
        tests("SimulationTests", ["BusTesting"]),
        tests(
            "HostileTests", ["BusAgent", "BusBroker", "BusProtocol", "BusDirectory", "BusEvidence", "BusJournal"]),
        tests(
            "FuzzTests",
            [
                "BusAgent", "BusBroker", "BusConsole", "BusContracts", "BusDirectory", "BusEvidence", "BusJournal",
                "BusProtocol", logging,
            ]),
        tests(
            "MeshTests",
            [
                "BusTesting", "ZeroMQ", "BusProtocol", "BusAgent", "BusContracts", "BusDirectory", "BusEvidence",
                "BusJournal", "BusSystems", grdb,
            ]),
    ]
)
