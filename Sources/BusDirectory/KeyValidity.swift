/// When a key of the space counts. Days are those of Kazakhstan, both ends included.
package struct KeyValidity: Sendable, Equatable {
    /// First day; nil: from the beginning.
    package var from: CalendarDate?
    /// Last day; nil: without an end.
    package var until: CalendarDate?
    /// The day it was declared lost or stolen. It counts from the moment the space takes effect, whatever the day says: a
    /// revocation never waits.
    package var revoked: CalendarDate?

    package init(from: CalendarDate? = nil, until: CalendarDate? = nil, revoked: CalendarDate? = nil) {
        self.from = from
        self.until = until
        self.revoked = revoked
    }

    package enum State: Sendable, Equatable {
        case valid
        case notYet(CalendarDate)
        case expired(CalendarDate)
        case revoked(CalendarDate)

        /// `was revoked on 2026-11-27`; empty when valid.
        package var words: String {
            switch self {
            case .valid: ""
            case .notYet(let day): "counts from \(day) on"
            case .expired(let day): "expired after \(day)"
            case .revoked(let day): "was revoked on \(day)"
            }
        }
    }

    /// - Parameter now: Unix milliseconds.
    package func state(at now: Int64) -> State {
        if let revoked { return .revoked(revoked) }
        if let from, now < from.startOfDayMilliseconds { return .notYet(from) }
        if let until, now > until.endOfDayMilliseconds { return .expired(until) }
        return .valid
    }

    package func isValid(at now: Int64) -> Bool { state(at: now) == .valid }

    /// Unix milliseconds at which it counts; nil: never, it is revoked or ends before it begins.
    package var times: ClosedRange<Int64>? {
        let first = from?.startOfDayMilliseconds ?? .min
        let last = until?.endOfDayMilliseconds ?? .max
        return revoked == nil && first <= last ? first...last : nil
    }

    /// The last millisecond it may count; nil: without an end.
    package var end: Int64? { until?.endOfDayMilliseconds }
}

extension CalendarDate {
    /// The first millisecond of the day at UTC+5, Unix milliseconds.
    package var startOfDayMilliseconds: Int64 { endOfDayMilliseconds + 1 - 86_400_000 }
}
