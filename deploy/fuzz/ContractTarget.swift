// Compiled together with BusContracts by deploy/fuzz.sh; the toolchain's libFuzzer calls it and steers by what it covers.

/// A schema and a text, with a zero byte between them. Work is bounded by counted steps: libFuzzer's own time limit catches a
/// bound that is gone.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzContract(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    guard let schema = try? JSONValue.parse(Array(parts[0])) else { return 0 }
    precondition((try? JSONValue.parse(schema.bytes(.canonical))) == schema, "written back it is another value")
    guard parts.count == 2, let checker = try? ContractChecker.compile(schema: schema) else { return 0 }
    let text = Array(parts[1])
    precondition(checker.isValid(text) == checker.check(text).isEmpty, "two decisions")
    return 0
}
