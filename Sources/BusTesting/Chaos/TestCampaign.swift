import Foundation

/// Tests that damage what is read, in the size of a campaign. They run in the test bundle beside this program.
package struct TestCampaign: Campaign {
    package let name: String
    package let fault: String
    package let injector: String
    package let runs: (usual: Int, long: Int)
    /// The suite.
    private let filter: String
    private let environment: @Sendable (CampaignOrder) -> [String: String]
    /// Takes a line that says how much was done.
    private let read: @Sendable (Substring, inout CampaignResult) -> Void

    private static let bundle = "keregePackageTests.xctest"

    package func run(_ order: CampaignOrder, _ begun: CampaignResult) async throws -> CampaignResult {
        var result = begun
        let bundle = Mesh.besideThisExecutable() + "/" + Self.bundle
        guard FileManager.default.isExecutableFile(atPath: bundle) else {
            result.notRun = "\(Self.bundle) is not beside this program: swift build --build-tests"
            return result
        }
        let (lines, code) = try await Self.output(of: bundle, ["--filter", filter], environment(order))
        for line in lines { read(line, &result) }
        let issues = lines.filter { $0.contains("recorded an issue") }
        result.breakPromise(issues.map(String.init))
        if code != 0, issues.isEmpty {
            result.breakPromise(["the tests ended with \(code):\n\(lines.suffix(10).joined(separator: "\n"))"])
        }
        if result.runs == 0 { result.breakPromise(["the tests did not say what they did"]) }
        order.progress(result.runs)
        return result
    }

    /// On a thread of its own: reading waits for the end of the process.
    private static func output(
        of program: String, _ arguments: [String], _ environment: [String: String]
    ) async throws -> ([Substring], Int32) {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                let process = Process()
                process.executableURL = URL(fileURLWithPath: program)
                process.arguments = ["--testing-library", "swift-testing"] + arguments
                process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
                let pipe = Pipe()
                process.standardOutput = pipe
                process.standardError = pipe
                do { try process.run() } catch { return continuation.resume(throwing: error) }
                let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                process.waitUntilExit()
                continuation.resume(returning: (text.split(separator: "\n"), process.terminationStatus))
            }
        }
    }
}

// MARK: - Damage

extension TestCampaign {
    /// Flips of each file in a long run of `DamageTests`.
    private static let flips = 10_000

    package static let damage = TestCampaign(
        name: "damage", fault: "files of the journal are damaged",
        injector:
            "every byte of both tails cut off and flipped, random bits of database, WAL and what a broker rebuilds from them flipped",
        runs: (flips, flips), filter: "DamageTests|DamagedStartTests",
        environment: { order in
            ["KEREGE_LONG": order.runs >= flips ? "1" : "0", "KEREGE_SEED": "\(order.seed)"]
        },
        read: { line, result in
            // Such as: tails of killed: identical 12, prefix 3, found 4, refused 5
            guard let words = line.split(separator: ": ").last, words.hasPrefix("identical ") else { return }
            for part in words.split(separator: ", ") {
                let pair = part.split(separator: " ")
                guard pair.count == 2, let number = Int(pair[1]) else { continue }
                result.count(String(pair[0]), number)
            }
            let sound = result.kinds["identical", default: 0] + result.kinds["prefix", default: 0]
            let refused = result.kinds["found", default: 0] + result.kinds["refused", default: 0]
            result.load =
                "read as written up to a commit \(CampaignTable.grouped(sound)), found or refused \(CampaignTable.grouped(refused))"
        })
}

// MARK: - Fuzz

extension TestCampaign {
    package static let fuzz = TestCampaign(
        name: "fuzz", fault: "others send or write what is no message, contract, space or request",
        injector: "damaged inputs, grown from valid ones, to each reader", runs: (20_000, 1_000_000),
        filter: "FuzzTests",
        environment: { order in
            // An index of one input is meant for another run.
            ["KEREGE_FUZZ": "\(order.runs)", "KEREGE_FUZZ_SEED": "\(order.seed)"]
        },
        read: { line, result in
            // Such as: fuzz broker: 5000 inputs, 97 % past the head, 31 distinct outcomes, …
            guard line.hasPrefix("fuzz "), let colon = line.firstIndex(of: ":"),
                let count = line[colon...].split(separator: " ").dropFirst().first.flatMap({ Int($0) }),
                line.contains(" inputs, ")
            else { return }
            result.count(String(line[..<colon].dropFirst(5)), count)
            result.load = "\(result.kinds.count) readers"
        })
}
