/// One answer about a person, as the provider's agent knows it when it gives it out.
package struct Access: Sendable, Equatable {
    package let service: String
    /// The person's number, as the request had it.
    package let subject: String
    /// The system that asked.
    package let consumer: String
    /// Why, as it said; may be empty.
    package let purpose: String
    /// Of the request.
    package let request: String
    /// 0: something was given. Else why nothing was.
    package let outcome: UInt16
    /// Unix milliseconds.
    package let at: Int64

    package init(
        service: String, subject: String, consumer: String, purpose: String, request: String, outcome: UInt16, at: Int64
    ) {
        self.service = service
        self.subject = subject
        self.consumer = consumer
        self.purpose = purpose
        self.request = request
        self.outcome = outcome
        self.at = at
    }
}
