import BusEvidence
package import BusProtocol

/// A message for this agent: ranges into the frame it came in.
///
/// It goes through many hands on its way to a handler and back. What never changes of it stands once, so that handing it on counts a
/// reference and copies next to nothing.
package struct Delivery: Sendable {
    private final class Content: Sendable {
        let frame: [UInt8]
        let envelope: EnvelopeView
        let annotations: Annotations
        let mark: DeliveryMark
        let arrived: UInt64
        let leaf: Digest32?
        let refusal: Fault?

        init(
            frame: [UInt8], envelope: EnvelopeView, annotations: Annotations, mark: DeliveryMark, arrived: UInt64,
            leaf: Digest32?, refusal: Fault?
        ) {
            self.frame = frame
            self.envelope = envelope
            self.annotations = annotations
            self.mark = mark
            self.arrived = arrived
            self.leaf = leaf
            self.refusal = refusal
        }
    }

    private let content: Content
    /// The body of a sealed message, once it was opened.
    var opened: [UInt8]?

    init(
        frame: [UInt8], envelope: EnvelopeView, annotations: Annotations, mark: DeliveryMark, arrived: UInt64,
        leaf: Digest32? = nil, refusal: Fault? = nil
    ) {
        content = Content(
            frame: frame, envelope: envelope, annotations: annotations, mark: mark, arrived: arrived, leaf: leaf,
            refusal: refusal)
    }

    package var frame: [UInt8] { content.frame }
    package var envelope: EnvelopeView { content.envelope }
    package var annotations: Annotations { content.annotations }
    package var mark: DeliveryMark { content.mark }
    /// Monotonic arrival, microseconds.
    package var arrived: UInt64 { content.arrived }
    /// What its sender signed, where that was looked at.
    var leaf: Digest32? { content.leaf }
    /// Why nobody may act on it: it is not what its sender signed, not of now, not for this agent, or not in the plan.
    package var refusal: Fault? { content.refusal }
}
