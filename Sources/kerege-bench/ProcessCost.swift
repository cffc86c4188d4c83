import Foundation

/// What a process has used, from `/proc`.
struct ProcessCost {
    var cpuSeconds: Double
    /// Proportional set size: shared pages are counted by their share.
    var pssMegabytes: Double

    static func own() -> ProcessCost { of(getpid()) }

    static func of(_ process: Int32) -> ProcessCost {
        ProcessCost(cpuSeconds: cpu(process), pssMegabytes: pss(process))
    }

    private static func cpu(_ process: Int32) -> Double {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            let end = text.lastIndex(of: ")")
        else { return 0 }
        // Behind the name: state is field 3, so user and system time (14, 15) are 11 and 12 from there.
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return 0 }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    private static func pss(_ process: Int32) -> Double {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/smaps_rollup", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("Pss:") }),
            let kilobytes = line.split(separator: " ").compactMap({ Double($0) }).first
        else { return 0 }
        return kilobytes / 1024
    }
}
