import BusProtocol
import Testing

@testable import BusEvidence

private func digest(_ hex: String) throws -> Digest32 {
    try #require([UInt8](hex: hex).flatMap { Digest32($0) })
}

@Suite struct MerkleLogTests {
    @Test func anEmptyLogHasTheDigestOfNothing() throws {
        #expect(
            MerkleLog().root == (try digest("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")))
    }

    /// The test leaves of the certificate-transparency reference implementation. Their hashes are taken as known, so that
    /// the way of the nodes is checked against roots that others computed.
    @Test func rootsOfTheStandardTestLeaves() throws {
        let leaves = try [
            // SHA-256(0x00 ‖ data) of "", 00, 10, 2021, 3031, 40414243, 50…57, 60…6f
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7",
            "07506a85fd9dd2f120eb694f86011e5bb4662e5c415a62917033d4a9624487e7",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "4271a26be0d8a84f0bd54c8c302e7cb3a3b5d1fa6780a40bcce2873477dab658",
            "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
            "46f6ffadd3d06a09ff3c5860d2755c8b9819db7df44251788c7d8e3180de8eb1",
        ].map(digest)
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ]
        var log = MerkleLog()
        for (leaf, root) in zip(leaves, roots) {
            log.append(leaf)
            #expect(log.root.bytes.hex == root)
        }
        #expect(log.size == 8)
    }

    /// The first of those leaves made by this module: a record without payload is no leaf of the RFC, a message's is.
    @Test func aMessageLeafIsTheLeafOfTheRFC() throws {
        // SHA-256(0x00 ‖ 60…6f ‖ 32 zero bytes), computed with another implementation.
        let header = (0x60...0x6f).map { UInt8($0) }
        let made = header.withUnsafeBytes { LogHash.messageLeaf(header: $0, bodyDigest: Digest32()) }
        #expect(made.bytes.hex == "b10693a243a1bd3f96e4a812039ec9da3e0b47d7f9a9741456884f51039d2cac")
        let body = Array("abc".utf8).withUnsafeBytes { LogHash.body($0) }
        #expect(body.bytes.hex == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    @Test func incrementalRootsAreTheRecursiveOnes() {
        var log = MerkleLog()
        var leaves: [Digest32] = []
        for size in 0...300 {
            #expect(log.root == NaiveTree.root(leaves[...]), "at size \(size)")
            #expect(log.size == UInt64(size))
            #expect(log.savedEdge.count == size.nonzeroBitCount)
            leaves.append(testLeaf(size))
            log.append(testLeaf(size))
        }
    }

    @Test func aLogResumesFromItsSavedEdge() throws {
        var log = MerkleLog()
        for size in 0...130 {
            var resumed = try #require(MerkleLog(size: log.size, edge: log.savedEdge))
            #expect(resumed == log)
            for number in 0..<5 { resumed.append(testLeaf(1000 + number)) }
            var straight = log
            for number in 0..<5 { straight.append(testLeaf(1000 + number)) }
            #expect(resumed.root == straight.root, "resumed at \(size)")
            log.append(testLeaf(size))
        }
    }

    @Test func anEdgeOfTheWrongLengthIsRefused() {
        #expect(MerkleLog(size: 3, edge: [testLeaf(0)]) == nil)
        #expect(MerkleLog(size: 0, edge: [testLeaf(0)]) == nil)
        #expect(MerkleLog(size: 4, edge: [testLeaf(0)]) != nil)
        #expect(Digest32([UInt8](repeating: 0, count: 31)) == nil)
        #expect(Digest32([UInt8](repeating: 0, count: 33)) == nil)
    }
}

@Suite struct DomainSeparationTests {
    private let left = testLeaf(1)
    private let right = testLeaf(2)

    /// A node's input, offered as a message, must not give the node's hash: else a subtree could pass for a message.
    @Test func aNodeIsNoLeaf() {
        let asMessage = left.bytes.withUnsafeBytes { LogHash.messageLeaf(header: $0, bodyDigest: right) }
        #expect(asMessage != LogHash.node(left, right))
        #expect(LogHash.node(left, right) != LogHash.node(right, left))
    }

    @Test func aRecordIsNoMessage() {
        // The bytes of a record leaf are 00 ff type payload; a header of those bytes must be impossible, so format is never ff.
        let payload = [UInt8](repeating: 7, count: 32)
        let record = payload.withUnsafeBytes { LogHash.recordLeaf(type: 2, payload: $0) }
        let other = payload.withUnsafeBytes { LogHash.recordLeaf(type: 3, payload: $0) }
        #expect(record != other)
        #expect(Header.format != 0xff)
        let forged: [UInt8] = [0xff, 2]
        let message = forged.withUnsafeBytes {
            LogHash.messageLeaf(header: $0, bodyDigest: Digest32(payload) ?? Digest32())
        }
        #expect(message == record, "this is why a header may never begin with ff")
        #expect(throws: Fault.self) { try Header(decoding: [UInt8](repeating: 0xff, count: 64)) }
    }

    @Test func aChainLinkCoversWhatWasBeforeItsTimeAndItsBytes() {
        let bytes: [UInt8] = [1, 2, 3]
        let link = bytes.withUnsafeBytes { LogHash.chain(left, committedAt: 5, $0) }
        #expect(link != bytes.withUnsafeBytes { LogHash.chain(right, committedAt: 5, $0) })
        #expect(link != bytes.withUnsafeBytes { LogHash.chain(left, committedAt: 6, $0) })
        #expect(link != [1, 2].withUnsafeBytes { LogHash.chain(left, committedAt: 5, $0) })
        let asLeaf = bytes.withUnsafeBytes { LogHash.recordLeaf(type: 1, payload: $0) }
        #expect(link != asLeaf)
    }
}
