import Testing

@testable import kerege

/// What is proposed next can be copied as it stands.
@Suite("Given place")
struct GivenPlaceTests {
    private let place = GivenPlace([
        "kerege", "access", "-", "--data", "my data", "--http=http://127.0.0.1:7481", "--broker", "tcp://[::1]:7401",
    ])

    @Test(
        "Every command of a text gets the options it takes, and no others",
        arguments: [
            ("kerege trace ID", "kerege trace --data 'my data' --http http://127.0.0.1:7481 ID"),
            (
                "mend it, then kerege space apply DIR",
                "mend it, then kerege space apply --data 'my data' --http http://127.0.0.1:7481 DIR"
            ),
            (
                "start one with kerege up, name it with --http, or look with kerege doctor",
                "start one with kerege up --data 'my data', name it with --http, or look with kerege doctor"
                    + " --data 'my data' --http http://127.0.0.1:7481"
            ),
            ("examine it; kerege journal verify DIR.", "examine it; kerege journal verify 'my data'."),
            ("kerege journal verify --data 'a copy'", "kerege journal verify --data 'a copy'"),
            ("kerege journal verify reads all", "kerege journal verify --data 'my data' reads all"),
            ("kerege space check deploy/space", "kerege space check deploy/space"),
            ("kerege keys new NAME, then --key FILE", "kerege keys new NAME, then --key FILE"),
            ("`kerege systems` lists", "`kerege systems --data 'my data' --http http://127.0.0.1:7481` lists"),
            ("that kerege and the broker are of one version", "that kerege and the broker are of one version"),
            ("systemctl restart kerege-broker", "systemctl restart kerege-broker"), ("", ""),
        ])
    func completed(text: String, expected: String) { #expect(place.completed(text) == expected) }

    @Test("What stands there already is left alone, and so is what a command line quotes")
    func leftAlone() {
        let there = "kerege trace ID --data other --http http://127.0.0.1:1"
        #expect(place.completed(there) == there)
        let body = #"kerege publish a.b.v1 '{"text":"it'\''s kerege queues"}' --data other --broker tcp://h:1"#
        #expect(place.completed(body) == body)
        #expect(
            place.completed("the broker's kerege agents")
                == "the broker's kerege agents --data 'my data' --http http://127.0.0.1:7481")
        #expect(ShellText.words(#"a 'b '\'' c' d's e"#) == ["a", #"'b '\'' c'"#, "d's", "e"])
    }

    @Test("Of what is told only what is to be typed next is completed")
    func lines() {
        #expect(
            place.completedLines("kerege trace: odd\n  next: kerege trace ID\nagain: kerege queues")
                == "kerege trace: odd\n  next: kerege trace --data 'my data' --http http://127.0.0.1:7481 ID\n"
                + "again: kerege queues --data 'my data' --http http://127.0.0.1:7481")
    }

    @Test("Of an option that is given twice the last is carried, as it is the last that counts")
    func givenTwice() {
        let twice = GivenPlace(["kerege", "status", "--data=a", "--data", "b", "--http", "h:1", "--http=h:2"])
        #expect(twice.completed("kerege queues") == "kerege queues --data b --http h:2")
    }

    @Test("An option of the same name that means something else is not carried")
    func otherMeaning() {
        let up = GivenPlace(["kerege", "up", "--data", "d", "--http", "7481"])
        #expect(up.completed("kerege status") == "kerege status --data d")
        #expect(GivenPlace(["kerege", "status"]).completed("kerege status") == "kerege status")
        #expect(GivenPlace([]).completed("kerege status") == "kerege status")
    }
}
