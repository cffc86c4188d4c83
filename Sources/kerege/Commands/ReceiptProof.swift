import BusAgent
import BusContracts
import BusProtocol
import Foundation

/// What became of the proof that the broker's log has what was sent.
struct ReceiptProof {
    let result: Result<ProvenReceipt, BusFault>
    /// It was sent before under its id. What is sealed anew then is not what the log has, though it is the same command.
    let isRepetition: Bool

    /// Asks the broker and checks its answer.
    static func of(
        _ receipt: Receipt, _ agent: Agent, isRepetition: Bool, within limit: Duration
    ) async -> ReceiptProof {
        let result: Result<ProvenReceipt, BusFault>
        do throws(BusFault) { result = .success(try await agent.prove(receipt, deadline: limit)) } catch {
            result = .failure(error)
        }
        return ReceiptProof(result: result, isRepetition: isRepetition)
    }

    /// The same command is in the log with other bytes: those of an earlier attempt.
    private var isSealedAnew: Bool {
        guard case .failure(let fault) = result else { return false }
        return isRepetition && fault.code == .proofRefused
    }

    /// The broker accepted it and proves something else, rather than nothing.
    var isWrong: Bool {
        guard case .failure(let fault) = result, !isSealedAnew else { return false }
        return [.proofRefused, .logForked, .noSuchMessage].contains(fault.code)
    }

    var line: String {
        switch result {
        case .success(let proven):
            "receipt proven: record \(proven.position) of the log at \(proven.logSize) records, signed with key \(proven.logKey)"
        case .failure where isSealedAnew:
            "receipt not proven: this attempt was sealed anew, and the log has the one that came first"
        case .failure(let fault):
            "receipt \(isWrong ? "WRONG" : "not proven"): \(fault.number) \(fault.name): "
                + (fault.detail.isEmpty ? fault.code?.meaning ?? "" : fault.detail)
        }
    }

    var json: JSONValue {
        switch result {
        case .success(let proven):
            [
                "key": .string(proven.logKey), "log_size": JSONValue(proven.logSize),
                "position": JSONValue(proven.position), "proven": .bool(true),
            ]
        case .failure(let fault):
            [
                "proven": .bool(false),
                "why": ["name": .string(fault.name), "number": JSONValue(Int(fault.number))],
            ]
        }
    }

    /// Writes the receipt as a file of evidence.
    /// - Returns: why it was not written.
    func failure(writing file: EvidenceOutput) -> Failure? {
        do throws(Failure) {
            try write(to: file)
            return nil
        } catch { return error }
    }

    private func write(to file: EvidenceOutput) throws(Failure) {
        let evidence: [UInt8]
        do throws(BusFault) { evidence = try result.get().evidence() } catch {
            guard !isSealedAnew else {
                throw Failure(
                    .no, "no-receipt", "\(file.path) was not written: this attempt was sealed anew under its id",
                    why: "the log has the attempt that came first, and proves no other",
                    next: "kerege evidence export ID -o \(file.path)")
            }
            throw Failure(
                .no, "no-receipt", "\(file.path) was not written: there is no proof to put in it",
                why: "\(error.number) \(error.name): \(error.detail)", next: error.remedy)
        }
        try file.write(Data(evidence))
    }
}
