import BusAgent
import BusContracts

/// Before a company is registered: its people are alive, its shares are a whole, and there is a number for it.
enum FoundersCheck {
    private static let lifeStatus = "individuals.life-status.v1"

    @Sendable static func run(
        _ question: CommandCheck.Question, _ ask: CommandCheck.Ask
    ) async throws -> CommandCheck.Verdict {
        let founders = question.body["founders"]?.array ?? []
        if let reason = wrongFounders(founders) { return .refuse(reason) }
        guard let names = CommandChecks.activity(question.body["oked"]?.string) else {
            return .refuse("there is no activity of this code")
        }
        if let reason = try await wrongPerson("director", question.body["directorIin"]?.string, ask) {
            return .refuse(reason)
        }
        for iin in founders.compactMap({ $0["iin"]?.string }) {
            if let reason = try await wrongPerson("founder", iin, ask) { return .refuse(reason) }
        }
        return .proceed(with: names + [JSONMember("bin", .string(number(for: question)))])
    }

    private static func wrongPerson(
        _ role: String, _ iin: String?, _ ask: CommandCheck.Ask
    ) async throws -> String? {
        guard let iin, let status = try await CommandChecks.record(lifeStatus, ["iin": .string(iin)], ask) else {
            return "the \(role) is not in the register of individuals"
        }
        guard try status.bool("alive") else { return "the \(role) is dead" }
        return try status.string("numberStatus") == "active" ? nil : "the number of the \(role) is not in force"
    }

    private static func wrongFounders(_ founders: [JSONValue]) -> String? {
        let numbers = founders.compactMap { $0["iin"]?.string ?? $0["bin"]?.string }
        let isEachOne = founders.allSatisfy { ($0["iin"]?.string == nil) != ($0["bin"]?.string == nil) }
        guard isEachOne, Set(numbers).count == founders.count else {
            return "each founder is one person or one company, and is named once"
        }
        return isWhole(founders) ? nil : "the shares of the founders do not sum to exactly 1"
    }

    /// Adds as rationals: a third three times is a whole. Shares finer than the numbers here can hold are no shares of a company.
    static func isWhole(_ founders: [JSONValue]) -> Bool {
        var sum: (numerator: Int128, denominator: Int128) = (0, 1)
        for founder in founders {
            guard let numerator = founder["share"]?["numerator"]?.int, numerator > 0,
                let denominator = founder["share"]?["denominator"]?.int, denominator > 0
            else { return false }
            let left = sum.numerator.multipliedReportingOverflow(by: Int128(denominator))
            let right = Int128(numerator).multipliedReportingOverflow(by: sum.denominator)
            let whole = sum.denominator.multipliedReportingOverflow(by: Int128(denominator))
            let top = left.partialValue.addingReportingOverflow(right.partialValue)
            guard !left.overflow, !right.overflow, !whole.overflow, !top.overflow else { return false }
            let divisor = greatestCommonDivisor(top.partialValue, whole.partialValue)
            sum = (top.partialValue / divisor, whole.partialValue / divisor)
        }
        return sum == (1, 1)
    }

    private static func greatestCommonDivisor(_ a: Int128, _ b: Int128) -> Int128 {
        var (a, b) = (a, b)
        while b != 0 { (a, b) = (b, a % b) }
        return a
    }

    /// A number of this month, drawn from the command's id and the attempt: the register refuses one that is taken, and the next
    /// delivery brings another.
    static func number(for question: CommandCheck.Question) -> String {
        let day = CivilDate(daysSince1970: Int(question.now / Moment.millisecondsPerDay))
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in "\(question.id) \(question.attempt)".utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        var serial = Int(hash % 100_000)
        while true {
            // Under a tenth of the serials have no check digit, so this ends soon.
            if let bin = Numbers.bin(registered: day, residency: .resident, sign: .head, serial: serial) { return bin }
            serial = (serial + 1) % 100_000
        }
    }
}
