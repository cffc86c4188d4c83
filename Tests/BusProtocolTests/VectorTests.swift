import BusProtocol
import Foundation
import Testing

@Suite struct VectorTests {
    @Test func headersReadAsTheirFieldsAndBack() throws {
        let vectors = try Vectors.headers()
        #expect(Set(vectors.map(\.header.kind)).count == MessageKind.allCases.count, "a kind of message has no vector")
        for vector in vectors {
            let wanted = try vector.header.value()
            #expect(try vector.hex.bytes.readHeader().get() == wanted, "\(vector.name)")
            #expect(wanted.encoded() == vector.hex.bytes, "\(vector.name)")
        }
    }

    @Test func headersInPlaceShowWhatRoutingNeeds() throws {
        for vector in try Vectors.headers() {
            let bytes = vector.hex.bytes
            let wanted = try vector.header.value()
            let view = try bytes.readHeaderView().get()
            #expect(
                view.kind == wanted.kind && view.id == wanted.id && view.created == wanted.created, "\(vector.name)")
            #expect(view.priority == wanted.priority && view.sealSuite == wanted.sealSuite, "\(vector.name)")
            #expect(view.outcome == wanted.outcome && view.remaining == wanted.remaining, "\(vector.name)")
            #expect(view.correlation == wanted.correlation, "\(vector.name)")
            bytes.withUnsafeBytes { raw in
                #expect(view.number(.keyEpoch, in: raw) == wanted.keyEpoch, "\(vector.name)")
                #expect(view.number(.counter, in: raw) == wanted.counter, "\(vector.name)")
                #expect(view.number(.publisherSequence, in: raw) == wanted.publisherSequence, "\(vector.name)")
            }
            #expect(bytes[view.target].elementsEqual(wanted.target.utf8), "\(vector.name)")
            #expect(bytes[view.consumer].elementsEqual(wanted.consumer.utf8), "\(vector.name)")
            #expect(bytes[view.provider].elementsEqual(wanted.provider.utf8), "\(vector.name)")
        }
    }

    @Test func framesReadAsTheirFieldsAndBack() throws {
        let vectors = try Vectors.frames()
        #expect(Set(vectors.map(\.frame.head.command)).count == Command.allCases.count, "a command has no vector")
        for vector in vectors {
            let wanted = try vector.frame.value()
            #expect(try vector.hex.bytes.readFrame().get() == wanted, "\(vector.name)")
            #expect(wanted.encoded() == vector.hex.bytes, "\(vector.name)")
        }
        let versions = Dictionary(grouping: vectors) { $0.frame.head.version ?? 1 }
        #expect(versions.keys.sorted() == Array(FrameHead.oldestVersion...FrameHead.newestVersion))
        #expect(
            Set(versions[1, default: []].map(\.frame.head.command))
                == Set(Command.allCases.filter { $0.since == 1 }.map { "\($0)" }))
    }

    @Test func laterAndCarelessSendersAreUnderstood() throws {
        let vectors = try Vectors.lenient()
        #expect(vectors.count > 10)
        for vector in vectors {
            var found = try vector.hex.bytes.readFrame().get()
            // The vectors of version 1 say nothing of signed roots.
            if vector.name == "root-and-proof" { found = found.withoutRoots }
            #expect(try found == vector.reads.value(), "\(vector.name)")
        }
    }

    @Test func badBytesAreRefusedWithTheNamedFault() throws {
        let vectors = try Vectors.bad()
        #expect(vectors.count > 80)
        for vector in vectors {
            switch (vector.of, vector.envelope) {
            case (.header, _):
                #expect(vector.hex.bytes.readHeaderView().fault?.name == vector.fault, "\(vector.name)")
                #expect(vector.hex.bytes.readHeader().fault?.name == vector.fault, "\(vector.name)")
            case (.frame, nil):
                #expect(vector.hex.bytes.readFrame().fault?.name == vector.fault, "\(vector.name)")
            case (.frame, let index?):
                let faults = try vector.hex.bytes.readFrame().get().faults
                #expect(faults.mapValues(\.name) == [index: vector.fault], "\(vector.name)")
            }
        }
    }

    @Test func everyTruncationOfAFrameIsRefused() throws {
        for vector in try Vectors.frames() {
            let accepted = vector.hex.bytes.withUnsafeBytes { raw in
                (0..<raw.count).filter { size in
                    let cut = UnsafeRawBufferPointer(rebasing: raw[..<size])
                    do throws(Fault) {
                        _ = try WholeFrame(cut)
                        return true
                    } catch {
                        return error.code != .badFrame
                    }
                }
            }
            #expect(accepted.isEmpty, "\(vector.name)")
        }
    }

    /// The head is mended after the cut, so that the decoders of the fields meet the end themselves.
    @Test func everyTruncationOfTheFieldsIsRefused() throws {
        for vector in try Vectors.frames() {
            let bytes = vector.hex.bytes
            let head = try bytes.withUnsafeBytes { raw in try FrameHead(raw) }
            let fieldsEnd = FrameHead.size + Int(head.entriesSize)
            for end in FrameHead.size..<fieldsEnd {
                var out = ByteWriter()
                out.put(raw: bytes[..<end])
                out.put(raw: bytes[fieldsEnd...])
                out.overwrite(UInt32(end - FrameHead.size), at: 36)
                // What a session takes may be left out, whole.
                if vector.name.contains("takes"), (try? out.bytes.readFrame().get().encoded()) == out.bytes { continue }
                #expect(out.bytes.readFrame().fault == .badFrame, "\(vector.name) cut at \(end)")
            }
        }
    }

    @Test func everyTruncationOfAHeaderIsRefused() throws {
        for vector in try Vectors.headers() {
            for size in 0..<vector.hex.bytes.count {
                let cut = Array(vector.hex.bytes[..<size])
                #expect(cut.readHeaderView().fault == .badHeader, "\(vector.name) cut at \(size)")
                #expect(cut.readHeader().fault == .badHeader, "\(vector.name) cut at \(size)")
            }
        }
    }

    /// The vectors come from a second implementation; here it reads and writes them, and the page's examples, again.
    @Test(.enabled(if: python != nil, "python3 is not installed"))
    func theSecondImplementationAgrees() throws {
        let interpreter = try #require(python)
        let process = Process()
        process.executableURL = interpreter
        process.arguments = [Project.root.appendingPathComponent("Schemas/vectors/generate.py").path, "--check"]
        process.environment = ProcessInfo.processInfo.environment.merging(["PYTHONDONTWRITEBYTECODE": "1"]) { $1 }
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let words = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(words)")
    }
}

private let python: URL? = ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":")
    .map { URL(fileURLWithPath: String($0)).appendingPathComponent("python3") }
    .first { FileManager.default.isExecutableFile(atPath: $0.path) }
