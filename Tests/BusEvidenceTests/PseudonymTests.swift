import BusProtocol
import Testing

@testable import BusEvidence

@Suite struct PseudonymTests {
    private let value = Array(#""000000000000""#.utf8)

    @Test func orderKeysDependOnSecretSystemAndValue() throws {
        let secret = OrderSecret(system: "individuals")
        let key = secret.orderKey(of: value)
        #expect(key != 0 && key == secret.orderKey(of: value))
        #expect(key != secret.orderKey(of: Array(#""000000000001""#.utf8)))
        #expect(key != OrderSecret(system: "individuals").orderKey(of: value))
    }

    @Test func aConsumerWithTheWrappedSecretMakesTheSameKeys() throws {
        let consumer = try SystemKey()
        let secret = OrderSecret(system: "individuals")
        let wrapped = try secret.wrapped(for: consumer.publicKey)
        let same = try OrderSecret(unwrapping: wrapped, system: "individuals") { $0 == consumer.id ? consumer : nil }
        #expect(same.id == secret.id && same.orderKey(of: value) == secret.orderKey(of: value))
        #expect(throws: SealFault.wrongKey) {
            try OrderSecret(unwrapping: wrapped, system: "legal-entities") { _ in consumer }
        }
        #expect(throws: SealFault.unknownRecipient(consumer.id)) {
            try OrderSecret(unwrapping: wrapped, system: "individuals") { _ in nil }
        }
        // A wrapped content key is no order secret, though both have the same form.
        let event = try EventSealer(event: "individuals", now: 0).key.wrapped(for: consumer.publicKey)
        #expect(throws: SealFault.wrongKey) {
            try OrderSecret(unwrapping: event, system: "individuals") { _ in consumer }
        }
    }

    /// Computed with another implementation: HMAC-SHA-256 under 32 zero bytes.
    @Test func subjectReferencesAreTheRecordedOnes() throws {
        let key = try #require(SubjectKey([UInt8](repeating: 0, count: 32)))
        let reference = key.reference(to: Array("000000000000".utf8), at: "individuals")
        #expect(String(reference, radix: 16) == "763926ddb364d07ca8aa467cf7751410")
        #expect(reference != key.reference(to: Array("000000000000".utf8), at: "legal-entities"))
        #expect(reference != SubjectKey().reference(to: Array("000000000000".utf8), at: "individuals"))
        #expect(SubjectKey([1]) == nil && SubjectKey(key.bytes)?.bytes == key.bytes)
    }
}
