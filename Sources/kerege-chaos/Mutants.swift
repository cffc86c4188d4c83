import ArgumentParser
import BusProtocol
import BusTesting

/// Every promise broken on purpose, one after the other: the simulator must see each.
struct Mutants: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Prove that the simulator sees broken promises.")

    @Option(help: "Seeds to try for each.") var seeds = 2000
    @Option(help: "The first of them.") var from: UInt64 = 1
    @Option(help: "Only this one.") var only: String?

    func run() throws {
        #if KEREGE_MUTANTS
            var missed = 0
            for mutant in Mutant.allCases where only == nil || mutant.rawValue == only {
                Mutant.active = mutant
                let found = try SeedRun.firstFailure(from: from, count: seeds)
                let name = mutant.rawValue.padding(to: 30)
                guard let found else {
                    missed += 1
                    print("\(name) NOT FOUND in \(seeds) seeds")
                    continue
                }
                print("\(name) seed \(found.seed), step \(found.steps): \(found.violation ?? "")")
            }
            if missed > 0 { throw ExitCode.failure }
        #else
            throw ValidationError("This program was built without mutants; build it with KEREGE_MUTANTS=1.")
        #endif
    }
}
