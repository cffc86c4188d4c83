import ArgumentParser
import BusAgent
import BusContracts
import Foundation

/// `kerege call`
struct CallCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "call",
        abstract: "Ask a service and print its answer.",
        discussion: """
            Connects with the operator's key, which serves no system, and asks as the system you name; the call is journaled
            and counted like every other.

            EXAMPLES
              kerege call individuals.person-get.v1 '{"iin":"…"}'
              kerege call legal-entities.entity-get.v1 '{"bin":"…"}' --as e-licensing --deadline 2s
              kerege call individuals.person-get.v1 '{"iin":"…"}' --purpose "complaint 17/2026" --user clerk-204
              echo '{"iin":"…"}' | kerege call individuals.person-get.v1 -

            Exit code 1 when the call was refused or failed, 3 without a broker.
            """)

    @Argument(help: "system.name.vN; kerege services lists them.")
    var service: String
    @Argument(help: "The request as JSON, or - to read it from the standard input.")
    var body: String
    @Option(name: .customLong("as"), help: ArgumentHelp("The system that asks.", valueName: "system"))
    var consumer = "portal"
    @OptionGroup var context: ContextOptions
    @OptionGroup var options: AgentOptions

    mutating func run() async throws {
        let body = try MessageBody.read(body)
        let agent = try await options.connect(serving: [])
        let start = ContinuousClock.now
        do throws(BusFault) {
            let answer = try await agent.ask(
                service, body, as: consumer, deadline: try? options.span(), context: context.context)
            let elapsed = Int64((ContinuousClock.now - start) / .microseconds(1))
            await agent.drain()
            await agent.close()
            tell(answer, elapsed)
        } catch {
            let failure = await options.explain(error, about: service, as: consumer, agent)
            await agent.drain()
            await agent.close()
            throw failure
        }
    }

    private func tell(_ answer: Answer, _ elapsed: Int64) {
        let value = try? JSONValue.parse(answer.body)
        if options.json {
            let page: JSONValue = [
                "answer": value ?? .string(String(decoding: answer.body, as: UTF8.self)), "consumer": .string(consumer),
                "elapsed_us": JSONValue(elapsed), "id": .string(answer.id), "service": .string(service),
            ]
            return Output.write(page.text() + "\n")
        }
        Output.write(value?.text(.pretty) ?? String(decoding: answer.body, as: UTF8.self) + "\n")
        Output.tell(
            "answered in \(Spans.text(microseconds: elapsed)), message \(answer.id)\nnext: kerege trace \(answer.id)"
        )
    }
}

/// The body of a message as it is given on the command line.
enum MessageBody {
    static func read(_ text: String) throws(Failure) -> [UInt8] {
        let bytes = text == "-" ? Array(FileHandle.standardInput.readDataToEndOfFile()) : Array(text.utf8)
        do throws(JSONParseError) { _ = try JSONValue.parse(bytes) } catch {
            throw .wrongUse(
                text == "-" ? "the standard input is not JSON" : "the body is not JSON", why: "\(error)",
                next: text == "-"
                    ? #"give it one JSON value: echo '{"iin":"…"}' |"# : #"quote it for the shell: '{"iin":"…"}'"#)
        }
        return bytes
    }
}
