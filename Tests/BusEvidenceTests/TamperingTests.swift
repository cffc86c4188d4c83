import BusProtocol
import Foundation
import Testing

@testable import BusEvidence

@Suite struct TamperingTests {
    private let fixture = EvidenceFixture()

    /// What a reader and verifier say to a file, in one line.
    private func judge(_ json: [UInt8]) -> String {
        do throws(EvidenceFileFault) {
            let file = try EvidenceFile(json: json)
            return firstWrong(EvidenceVerifier.verify(file, authority: fixture.authority.verifier.key))
        } catch { return "file \(error.pointer): \(error.code.rawValue)" }
    }

    @Test func everyChangeIsRefusedWithItsReason() throws {
        let base = try StrictJSON.read(fixture.exchange().json())
        #expect(judge(Array(base.json().utf8)) == "ok")
        let all = try Tamperings(fixture).all
        #expect(all.count > 400)
        let names = Dictionary(grouping: all, by: \.name).filter { $1.count > 1 }
        #expect(names.isEmpty, "\(names.keys.sorted())")
        print("\(all.count) changes of a file of evidence")
        for tampering in all {
            let changed = tampering.edits.reduce(base) { $0.applying($1) }
            let said = judge(Array(changed.json().utf8))
            #expect(tampering.says.contains(said), "\(tampering.name): \(said), not \(tampering.says)")
        }
    }

    @Test func everyMemberMayStandOnce() throws {
        let base = try StrictJSON.read(fixture.exchange().json())
        base.walk { pointer, _ in
            guard Int(pointer.split(separator: "/").last ?? "") == nil else { return }
            #expect(judge(Array(base.json(doubling: pointer).utf8)) == "file \(pointer): duplicate-member")
        }
    }

    /// Whatever byte of the file is changed: it is refused, or it means the same.
    @Test(.timeLimit(.minutes(2))) func aChangedByteIsRefusedOrMeansTheSame() throws {
        let file = fixture.exchange()
        let json = file.json()
        for index in stride(from: 0, to: json.count, by: 13) {
            var changed = json
            changed[index] ^= 1 << UInt8(index % 7)
            let said = judge(changed)
            if said == "ok" { #expect(try EvidenceFile(json: changed) == file, "byte \(index)") }
        }
    }

    // MARK: Vectors for other verifiers

    private struct Cases: Codable, Equatable {
        struct Whole: Codable, Equatable {
            var file: String
            /// The log's public key, where it is given beside the file.
            var log: String?
            /// Step, part of the file, word.
            var steps: [[String]]
        }
        struct Change: Codable, Equatable {
            struct Edit: Codable, Equatable {
                var pointer: String
                /// JSON; absent: the member is removed.
                var value: String?
            }
            var name: String
            var edits: [Edit]
            var says: String
        }
        struct Text: Codable, Equatable {
            var name: String
            var text: String
            var says: String
        }
        var about: String
        var authority: String
        var files: [Whole]
        /// Of `exchange.json`.
        var changes: [Change]
        var texts: [Text]
    }

    private func wholes() -> [(name: String, file: EvidenceFile, log: VerifyingKey?)] {
        let silent = fixture.file(1, 11, space: fixture.space(statesLog: false))
        let twice = EvidenceFixture { [RequestDigest.placeholder, RequestDigest.item($0)] }
        var unread = fixture.file(1, 11)
        unread.messages[0].header[0] = 9
        var elsewhere = fixture.exchange()
        elsewhere.checkpoint = fixture.checkpoint(23, of: "demo/broker-2")
        return [
            ("exchange", fixture.exchange(), nil), ("request-alone", fixture.file(3, withBody: false), nil),
            ("command", fixture.file(21, 31), nil), ("command-expired", fixture.file(22, 32), nil),
            ("command-other-digest", fixture.file(21, 33), nil), ("command-no-digest", fixture.file(21, 34), nil),
            ("exchange-other-digest", fixture.file(1, 15), nil), ("exchange-no-digest", fixture.file(1, 13), nil),
            ("exchange-two-digests", twice.file(1, 11), nil), ("request-unread", unread, nil),
            ("two-requests", fixture.file(1, 2), nil), ("event", fixture.file(41), nil),
            ("other-log", elsewhere, nil), ("log-key-given", silent, fixture.log.verifier.key),
            ("log-key-not-given", silent, nil), ("log-key-other", fixture.file(4), fixture.authority.verifier.key),
            ("log-key-wrong", silent, fixture.authority.verifier.key),
            ("key-days", fixture.exchange(withKeyOf: #""from":"2026-01-01","until":"2026-01-01""#), nil),
            ("key-expired", fixture.exchange(withKeyOf: #""until":"2025-12-31""#), nil),
            ("key-not-yet", fixture.exchange(withKeyOf: #""from":"2026-01-02""#), nil),
            ("key-revoked", fixture.exchange(withKeyOf: #""revoked":"2030-01-01""#), nil),
            ("key-no-day", fixture.exchange(withKeyOf: #""from":"2026-02-30""#), nil),
        ]
    }

    private func cases() throws -> Cases {
        let authority = fixture.authority.verifier.key
        let base = try StrictJSON.read(fixture.exchange().json())
        let texts = [
            "", "{", "[]", "{}", "nul", "{\"format\":\"kerege-evidence/1\",\"format\":\"kerege-evidence/1\"}",
            "{\"format\":\"kerege-evidence/2\",\"more\":1}", "{\"format\":1}", "{\"format\":1.0}", "{\"a\":01}",
            "{\"\\ud800\":1}",
            "{\"a/~\":{\"b\":[0,{\"c\":1,\"c\":2}]}}", "{} {}", "{\"a\":\"\t\"}", String(repeating: "[", count: 40),
        ]
        return Cases(
            about:
                "Files of evidence and what a verifier says, by docs/EVIDENCE.md, section 9. Made by TamperingTests.",
            authority: authority.bytes.hex,
            files: wholes().map { whole in
                let steps = EvidenceVerifier.verify(whole.file, authority: authority, log: whole.log)
                return Cases.Whole(
                    file: "\(whole.name).json", log: whole.log?.bytes.hex,
                    steps: steps.map { [$0.name.rawValue, $0.about, $0.word] })
            },
            changes: try Tamperings(fixture).all.filter(\.isSmall).map { tampering in
                let changed = tampering.edits.reduce(base) { $0.applying($1) }
                return Cases.Change(
                    name: tampering.name,
                    edits: tampering.edits.map { Cases.Change.Edit(pointer: $0.pointer, value: $0.value?.json()) },
                    says: judge(Array(changed.json().utf8)))
            },
            texts: texts.enumerated().map { number, text in
                Cases.Text(name: "text \(number)", text: text, says: judge(Array(text.utf8)))
            })
    }

    /// The vectors are what this code says; another verifier, written from the page alone, says the same.
    @Test func theVectorsAreThese() throws {
        let folder = EvidenceVectors.root.appendingPathComponent("Schemas/vectors/evidence")
        let cases = try cases()
        if ProcessInfo.processInfo.environment["KEREGE_WRITE_VECTORS"] != nil {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            for whole in wholes() {
                try Data(whole.file.json()).write(to: folder.appendingPathComponent("\(whole.name).json"))
            }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            try (encoder.encode(cases) + Data("\n".utf8)).write(to: folder.appendingPathComponent("cases.json"))
        }
        for whole in wholes() {
            let stored = try EvidenceVectors.data("evidence/\(whole.name).json")
            #expect(Array(stored) == whole.file.json(), "\(whole.name)")
        }
        let stored = try JSONDecoder().decode(Cases.self, from: EvidenceVectors.data("evidence/cases.json"))
        #expect(stored == cases, "run with KEREGE_WRITE_VECTORS=1 and look at what changed")
    }

    @Test(.enabled(if: python != nil, "python3 is not installed"), .timeLimit(.minutes(5)))
    func theSecondVerifierSaysTheSame() throws {
        let interpreter = try #require(python)
        let process = Process()
        process.executableURL = interpreter
        process.arguments = [
            EvidenceVectors.root.appendingPathComponent("Tests/BusEvidenceTests/verify_evidence.py").path, "--vectors",
            EvidenceVectors.root.appendingPathComponent("Schemas/vectors/evidence").path,
        ]
        process.environment = ProcessInfo.processInfo.environment.merging(["PYTHONDONTWRITEBYTECODE": "1"]) { $1 }
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let words = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(words)")
    }
}

private let python: URL? = ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":")
    .map { URL(fileURLWithPath: String($0)).appendingPathComponent("python3") }
    .first { FileManager.default.isExecutableFile(atPath: $0.path) }
