#!/usr/bin/env python3
"""Makes and checks the golden vectors of the wire; wire.md, section 14, says how to use it."""

import base64
import hashlib
import json
import pathlib
import re
import struct
import sys

sys.dont_write_bytecode = True  # no folder of compiled files among the vectors
import ed25519  # noqa: E402
import wire  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
PAGE = HERE.parent / "wire.md"

T = 1767225600000  # 2026-01-01T00:00:00Z in milliseconds
REQUEST_ID = "019b76da-a800-7000-8000-000000000001"
REPLY_ID = "019b76da-a80c-7abc-9def-0123456789ab"
EVENT_ID = "019b76da-abe8-7fff-bfff-ffffffffffff"
ROOT = bytes(range(32)).hex()
DIGEST = bytes(range(255, 223, -1)).hex()


def header(kind, identifier, **fields):
    return {"kind": kind, "priority": 4, "sealSuite": 0, "id": identifier, "created": str(T), "outcome": 0,
            "remaining": 0} | fields


MINIMAL = header("event", EVENT_ID)
REQUEST = header("request", REQUEST_ID, remaining=5000, target="individuals.person-get.v1", consumer="portal")
TYPICAL = REQUEST | {"contractDigest": DIGEST, "provider": "individuals", "purpose": "address certificate", "user": "u-71"}
REPLY = header("reply", REPLY_ID, created=str(T + 12), correlation=REQUEST_ID, target="individuals.person-get.v1",
               consumer="portal", provider="individuals")
EVERYTHING = header(
    "event", EVENT_ID, priority=9, created=str(T + 1000), outcome=65535, remaining=300000, correlation=REQUEST_ID,
    causation=REPLY_ID, expiry=str(T + 86400000), orderKey="00112233445566778899aabbccddeeff",
    subjectReference="ffeeddccbbaa99887766554433221100", contractDigest=DIGEST, keyEpoch="18446744073709551615",
    counter="1", publisherSequence="9007199254740993",
    chunk={"id": "0f0e0d0c0b0a09080706050403020100", "index": 2, "total": 4294967295},
    replaces="019b76da-a7ff-7001-8001-00000000000a",
    traceparent="00" + "4bf92f3577b34da6a3ce929d0e0e4736" + "00f067aa0ba902b7" + "01",
    target="individuals.birth.v1", consumer="individuals", provider="registry-office", purpose="тіркеу",
    consent="c/2026/17", user="қызметкер-7", extensions=[{"type": 1, "value": "cafe"}])
EXTENSIONS = REQUEST | {"extensions": [{"type": 32767, "value": ""}, {"type": 2, "value": "00ff"}]}
LONGEST_TEXTS = REQUEST | {name: name[0] * 255 for name in ("purpose", "consent", "user")}

HEADERS = {
    "minimal": MINIMAL, "request": REQUEST, "request-typical": TYPICAL, "reply": REPLY,
    "reply-fault": REPLY | {"outcome": 4220},
    "command": header("command", REQUEST_ID, priority=0, expiry=str(T + 1), orderKey="ab" * 16,
                      target="real-estate.encumbrance-impose.v12", consumer="e-notary"),
    "outcome": header("outcome", REPLY_ID, correlation=REQUEST_ID, target="real-estate.encumbrance-impose.v12",
                      consumer="e-notary"),
    "event-with-everything": EVERYTHING,
    "created-before-1970": MINIMAL | {"created": "-1"},
    "key-epoch": header("keyEpoch", EVENT_ID, keyEpoch="0"), "key-wrap": header("keyWrap", EVENT_ID, keyEpoch="1"),
    "extensions-not-critical": EXTENSIONS, "longest-texts": LONGEST_TEXTS,
    "largest": MINIMAL | {"extensions": [{"type": 3, "value": "5a" * (4096 - 40 - 6)}]},
}


def head(command, sequence=0, messages=4096, size=16777216):
    return {"command": command, "sequence": str(sequence), "messageLimit": str(messages), "byteLimit": str(size)}


def frame(command, fields=None, **more):
    return {"head": head(command, **more)} | ({command: fields} if fields else {})


def envelope(header, body=b"", annotations=None):
    made = {"header": header, "proof": "", "body": wire.shorten(body)}
    return made | ({"annotations": annotations} if annotations else {})


def envelopes(command, items, sequence=1, **more):
    return {"head": head(command, sequence=sequence, **more), "envelopes": items}


ASK = envelope(REQUEST, b'{"iin":"000000000000"}')
HELLO = {"oldestVersion": 1, "newestVersion": 1, "instance": "000102030405060708090a0b0c0d0e0f", "bootCounter": "3",
         "treeSize": "17", "root": ROOT, "agent": "portal-1", "software": "kerege-agent 1.0.0", "systems": ["portal"]}
WELCOME = {"version": 1, "missedHeartbeats": 3, "heartbeatMilliseconds": 1000, "session": "42",
           "broker": "f0e0d0c0b0a090807060504030201000", "spaceVersion": "7", "largestBody": 65536,
           "largestFrame": 4194304, "treeSize": "17", "root": ROOT, "name": "broker-1"}
ANNOTATIONS = {"position": "1001", "attempt": 2, "requestIn": str(T * 1000 + 1), "requestOut": str(T * 1000 + 2),
               "replyIn": "0"}
REFUSED = {"sequence": "2", "code": 4030, "hop": "broker", "retryAfterMilliseconds": 0}
BUSY = {"sequence": "3", "code": 4291, "hop": "provider-agent", "retryAfterMilliseconds": 250}
ROW = {"position": "1001", "delayMilliseconds": 0, "code": 0}
REPORT = {"uptimeMilliseconds": "60000",
          "systems": [{"dataUpdatedAt": str(T), "healthy": True, "system": "portal"},
                      {"dataUpdatedAt": "-1", "healthy": False, "system": "mobile"}],
          "counts": [{"count": 2, "code": 5021, "hop": "consumer-agent", "target": "individuals.person-get.v1",
                      "consumer": "portal"}]}

FRAMES = {
    "hello": frame("hello", HELLO),
    "hello-no-receipt-64-systems": frame("hello", HELLO | {
        "treeSize": "0", "root": "00" * 32, "systems": [f"s{n}" for n in range(64)]}),
    "welcome": frame("welcome", WELCOME),
    "error": frame("error", {"code": 4091, "hop": "broker", "retryAfterMilliseconds": 3000,
                             "detail": "another instance – басқа дана"}, messages=0, size=0),
    "submit-one-request": envelopes("submit", [ASK]),
    "submit-several": envelopes("submit", [
        ASK, envelope(REPLY, b'{"name":"A"}'), envelope(MINIMAL),
        envelope(REPLY | {"outcome": 4220}, b'{"hop":"provider-agent","pointer":"/iin"}'),
        envelope(EVERYTHING, "сәлем".encode())], sequence=4294967297),
    "submit-none": envelopes("submit", []),
    "submit-largest-body": envelopes("submit", [envelope(REQUEST, b"\x20" * 65536)]),
    "deliver-event": envelopes("deliver", [envelope(EVERYTHING, b"{}", ANNOTATIONS)], sequence=9),
    "deliver-several": envelopes("deliver", [
        envelope(REQUEST, b"[1]", ANNOTATIONS | {"attempt": 1}), envelope(REPLY, b"[2]", ANNOTATIONS | {
            "position": "18446744073709551615", "replyIn": str(T * 1000 + 3)})], sequence=10),
    "accept": frame("accept", {"sequence": "3", "treeSize": "18", "root": ROOT, "refused": []}),
    "accept-one-refused": frame("accept", {"sequence": "3", "treeSize": "19", "root": ROOT, "refused": [REFUSED]}),
    "accept-two-refused": frame("accept", {"sequence": "3", "treeSize": "19", "root": ROOT, "refused": [REFUSED, BUSY]}),
    "ack": frame("ack", {"rows": [ROW, ROW | {"position": "1002"}]}),
    "ack-none": frame("ack", {"rows": []}),
    "nak": frame("nak", {"rows": [ROW | {"delayMilliseconds": 1500}]}),
    "term": frame("term", {"rows": [ROW | {"code": 4221}]}),
    "report": frame("report", REPORT),
    "report-fullest": frame("report", REPORT | {
        "systems": REPORT["systems"] * 32, "counts": [REPORT["counts"][0] | {"target": "", "consumer": ""}] * 512}),
    "report-empty": frame("report", REPORT | {"systems": [], "counts": []}),
    "credit": frame("credit", messages=18446744073709551615, size=9007199254740993),
    "ping": frame("ping", {"token": "81985529216486895"}),
    "pong": frame("pong", {"token": "81985529216486895"}),
    "drain": frame("drain"),
    "bye": frame("bye", messages=0, size=0),
}


# Version 2.

def later(made, version=2):
    """The same frame in a session of a later version."""
    return made | {"head": made["head"] | {"version": version}}


COMMAND_ID = "019b76da-af00-7123-8456-789abcdef012"
OTHER_ID = "019b76da-af01-7000-8000-000000000000"
STATE = {"command": COMMAND_ID, "state": "accepted", "code": 0, "attempts": 0, "position": "1003",
         "acceptedAt": str(T * 1000 + 4), "outcome": ""}
FINAL = STATE | {"attempts": 1, "outcome": wire.shorten(b'{"number":"AB 17"}')}
FAULT = wire.shorten(b'{"detail":"Nobody took the message before its expiry.","hop":"broker"}')
SEEK = {"token": "17", "start": "beginning", "value": "0", "system": "portal", "event": "individuals.person-born.v1"}
COMMAND = header("command", COMMAND_ID, target="individuals.person-register.v1", consumer="e-notary", orderKey="ab" * 16)
OWN_OUTCOME = header("outcome", OTHER_ID, correlation=COMMAND_ID, outcome=4101, target="individuals.person-register.v1",
                     consumer="e-notary")
OUTCOME = OWN_OUTCOME | {"outcome": 0, "provider": "individuals"}

FRAMES |= {
    "hello-both-versions": frame("hello", HELLO | {"newestVersion": 2}),
    "hello-takes": frame("hello", HELLO | {"newestVersion": 2, "takes": [
        {"kind": "request", "target": "individuals.person-get.v1"}, {"kind": "event", "target": ""}]}),
    "hello-takes-nothing": frame("hello", HELLO | {"newestVersion": 2, "takes": []}),
    "report-takes": later(frame("report", REPORT | {"takes": [{"kind": "outcome", "target": ""}]})),
    "welcome-version-2": later(frame("welcome", WELCOME | {"version": 2})),
    "submit-version-2": later(envelopes("submit", [ASK, envelope(COMMAND, b'{"name":"A"}')])),
    "deliver-command": later(envelopes("deliver", [envelope(COMMAND, b'{"name":"A"}', ANNOTATIONS)], sequence=3)),
    "deliver-outcomes": later(envelopes("deliver", [
        envelope(OUTCOME, b'{"number":"AB 17"}', ANNOTATIONS | {"attempt": 1}),
        envelope(OWN_OUTCOME, wire.expand(FAULT), ANNOTATIONS | {"position": "1004"})], sequence=4)),
    "accept-too-old": later(frame("accept", {"sequence": "1", "treeSize": "19", "root": ROOT, "refused": [
        REFUSED | {"sequence": "1", "code": 4100}]})),
    "query": later(frame("query", {"token": "7", "consumer": "e-notary", "commands": [COMMAND_ID, OTHER_ID]})),
    "query-none": later(frame("query", {"token": "18446744073709551615", "consumer": "e-notary", "commands": []})),
    "query-fullest": later(frame("query", {"token": "7", "consumer": "e-notary", "commands": [COMMAND_ID] * 32})),
    "state": later(frame("state", {"token": "7", "rows": [
        FINAL | {"state": "completed"}, STATE | {"command": OTHER_ID}]})),
    "state-every-state": later(frame("state", {"token": "8", "rows": [
        STATE, STATE | {"state": "delivering", "attempts": 2}, STATE | {"state": "delivered", "attempts": 1},
        FINAL | {"state": "completed"}, FINAL | {"state": "failed", "code": 4093, "outcome": ""},
        FINAL | {"state": "expired", "code": 4101, "attempts": 0, "outcome": FAULT},
        STATE | {"state": "dead-lettered", "code": 5023, "attempts": 20}]})),
    "state-none-known": later(frame("state", {"token": "9", "rows": []})),
    "state-largest-outcome": later(frame("state", {"token": "10", "rows": [
        FINAL | {"state": "completed", "attempts": 65535, "position": "18446744073709551615", "acceptedAt": "-1",
                 "outcome": wire.shorten(b"\x20" * 65536)}]})),
    "seek-beginning": later(frame("seek", SEEK)),
    "seek-position": later(frame("seek", SEEK | {"start": "position", "value": "18446744073709551615"})),
    "seek-time": later(frame("seek", SEEK | {"start": "time", "value": str(T)})),
    "done": later(frame("done", {"token": "17", "code": 0, "count": "9007199254740993"})),
    "done-refused": later(frame("done", {"token": "17", "code": 4030, "count": "0"})),
    "bye-version-2": later(frame("bye", messages=0, size=0)),
}


# Signed batches (docs/EVIDENCE.md, section 2). The seeds are SHA-256 of the agents' names: keys of vectors, never of agents.

def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def leaf(header_bytes, body):
    return hashlib.sha256(b"\x00" + header_bytes + hashlib.sha256(body).digest()).digest()


def split(count):
    """The largest power of two below count."""
    return 1 << (count - 1).bit_length() - 1


def tree(leaves):
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return node(tree(leaves[:k]), tree(leaves[k:]))


def path(index, leaves):
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if index < k:
        return path(index, leaves[:k]) + [tree(leaves[k:])]
    return path(index - k, leaves[k:]) + [tree(leaves[:k])]


def seed(agent):
    return hashlib.sha256(agent.encode()).digest()


def key_id(key):
    return hashlib.sha256(b"kerege signing key v1\0" + key).digest()[:8]


def signed_root(agent, root, count, signed_at):
    fields = root + key_id(ed25519.public_key(seed(agent))) + struct.pack("<Iq", count, signed_at)
    return fields + ed25519.sign(seed(agent), b"kerege batch v1\0" + fields)


def proof(index, hashes, suite=1, row=0):
    return struct.pack("<BBHI", suite, len(hashes), row, index) + b"".join(hashes)


def signed(agent, items, signed_at=T + 5):
    """The envelopes with the proofs of one batch of them all."""
    leaves = [leaf(wire.write_header(e["header"]), wire.expand(e["body"])) for e in items]
    root = signed_root(agent, tree(leaves), len(leaves), signed_at).hex()
    return [e | {"proof": proof(n, path(n, leaves)).hex(), "signedRoot": root} for n, e in enumerate(items)]


def in_row(e, row):
    return e | {"proof": e["proof"][:4] + struct.pack("<H", row).hex() + e["proof"][8:]}


SEALED = REQUEST | {"sealSuite": 1, "keyEpoch": "1311768467463790320", "counter": "1"}
HEADERS |= {"request-sealed": SEALED}
BATCH = signed("portal-1", [ASK, envelope(MINIMAL), envelope(COMMAND, b'{"name":"A"}')])
ANSWER = signed("individuals-1", [envelope(REPLY, b'{"name":"A"}')])[0]
FRAMES |= {
    "submit-signed-one": later(envelopes("submit", signed("portal-1", [ASK]))),
    "submit-signed-three": later(envelopes("submit", BATCH)),
    "deliver-signed-two-senders": later(envelopes("deliver", [
        BATCH[2] | {"annotations": ANNOTATIONS}, in_row(ANSWER, 1) | {"annotations": ANNOTATIONS},
        envelope(MINIMAL, b"", ANNOTATIONS), BATCH[0] | {"annotations": ANNOTATIONS}], sequence=3)),
}


def proofs():
    """Name → (public key, times it is valid, leaf's header and body, proof, signed root, what a checker says)."""
    key, other = ed25519.public_key(seed("portal-1")), ed25519.public_key(seed("individuals-1"))
    always = (-2**63, 2**63 - 1)
    items = [envelope(REQUEST | {"priority": n % 10, "remaining": n + 1}, bytes([n])) for n in range(11)]
    made = signed("portal-1", items)
    six = made[6]
    good, root = bytes.fromhex(six["proof"]), bytes.fromhex(six["signedRoot"])
    parts = wire.write_header(six["header"]), wire.expand(six["body"])
    last = bytes.fromhex(made[10]["proof"])
    stranger = bytes.fromhex(signed("individuals-1", items)[6]["signedRoot"])

    def case(p=good, r=root, says="ok", k=key, validity=always, header_bytes=parts[0], body=parts[1]):
        return k, validity, header_bytes, body, p, r, says

    def of(n):
        return case(bytes.fromhex(made[n]["proof"]), header_bytes=wire.write_header(made[n]["header"]),
                    body=wire.expand(made[n]["body"]))

    single = signed("portal-1", items[6:7])[0]
    cases = {f"leaf-{n}-of-11": of(n) for n in range(11)}
    cases |= {
        "alone": case(bytes.fromhex(single["proof"]), bytes.fromhex(single["signedRoot"])),
        "another-row": case(patched(good, 2, b"\xff\xff")),
        "valid-at-that-time": case(validity=(T + 5, T + 5)),
        "no-proof": case(b"", says="no-proof"),
        "seven-bytes": case(good[:7], says="malformed-proof"),
        "cut-path": case(good[:-1], says="malformed-proof"),
        "count-lies": case(patched(good, 1, b"\x03"), says="malformed-proof"),
        "count-65": case(patched(good, 1, b"\x41") + bytes(32 * 61), says="malformed-proof"),
        "suite-0": case(patched(good, 0, b"\x00"), says="unknown-suite"),
        "suite-2": case(patched(good, 0, b"\x02"), says="unknown-suite"),
        "no-root": case(r=b"", says="no-signed-root"),
        "root-of-115-bytes": case(r=root[:-1], says="no-signed-root"),
        "leaf-11": case(patched(good, 4, b"\x0b"), says="leaf-outside-batch"),
        "batch-of-0": case(r=patched(root, 40, bytes(4)), says="leaf-outside-batch"),
        "key-of-another": case(r=stranger, says="unknown-key"),
        "key-unknown": case(k=other, says="unknown-key"),
        "key-id-changed": case(r=patched(root, 32, bytes([root[32] ^ 1])), says="unknown-key"),
        "before-valid": case(validity=(T + 6, T + 9), says="key-not-valid-then"),
        "after-valid": case(validity=(T, T + 4), says="key-not-valid-then"),
        "path-too-short": case(patched(good, 1, b"\x03")[:-32], says="wrong-path-length"),
        "path-too-long": case(patched(good, 1, b"\x05") + bytes(32), says="wrong-path-length"),
        "path-of-another": case(patched(last, 4, b"\x06"), says="wrong-path-length"),
        "leaf-7": case(patched(good, 4, b"\x07"), says="path-misses-root"),
        "batch-of-12": case(r=patched(root, 40, b"\x0c"), says="wrong-signature"),
        "batch-of-1": case(proof(0, []), patched(root, 40, b"\x01"), says="path-misses-root"),
        "header-changed": case(header_bytes=patched(parts[0], 2, b"\x05"), says="path-misses-root"),
        "body-changed": case(body=b"\x07", says="path-misses-root"),
        "hash-changed": case(patched(good, 8, bytes([good[8] ^ 1])), says="path-misses-root"),
        "hashes-swapped": case(good[:8] + good[40:72] + good[8:40] + good[72:], says="path-misses-root"),
        "root-changed": case(r=patched(root, 0, bytes([root[0] ^ 1])), says="path-misses-root"),
        "time-changed": case(r=patched(root, 44, bytes([root[44] ^ 1])), says="wrong-signature"),
        "signature-changed": case(r=patched(root, 52, bytes([root[52] ^ 1])), says="wrong-signature"),
        "signature-zero": case(r=root[:52] + bytes(64), says="wrong-signature"),
        "scalar-not-reduced": case(r=root[:84] + (int.from_bytes(root[84:], "little") + ed25519.L).to_bytes(32, "little"),
                                   says="wrong-signature"),
    }
    return cases


def check_proof(key, validity, header_bytes, body, data, row):
    """What a reader of EVIDENCE.md says to a proof."""
    if not data:
        return "no-proof"
    if len(data) < 8:
        return "malformed-proof"
    suite, count, _, index = struct.unpack("<BBHI", data[:8])
    if suite != 1:
        return "unknown-suite"
    if count > 64 or len(data) != 8 + 32 * count:
        return "malformed-proof"
    if len(row) != 116:
        return "no-signed-root"
    size, signed_at = struct.unpack("<Iq", row[40:52])
    if index >= size:
        return "leaf-outside-batch"
    if row[32:40] != key_id(key):
        return "unknown-key"
    if not validity[0] <= signed_at <= validity[1]:
        return "key-not-valid-then"
    at, last, found, hashes = index, size - 1, leaf(header_bytes, body), [data[n:n + 32] for n in range(8, len(data), 32)]
    wanted = 0
    while last:
        if at & 1 or at < last:
            if wanted < count:
                found = node(hashes[wanted], found) if at & 1 else node(found, hashes[wanted])
            wanted += 1
        at, last = at >> 1, last >> 1
    if wanted != count:
        return "wrong-path-length"
    if found != row[:32]:
        return "path-misses-root"
    return "ok" if ed25519.verify(key, b"kerege batch v1\0" + row[:52], row[52:]) else "wrong-signature"


# Version 3.

# The signature is made up: vectors of the wire say where it stands, not who signed.
CANONICAL = wire.shorten(b'{"format":"kerege-space/1","space":{"id":"small"},"version":8}')
WANT = {"token": "21", "system": "portal", "epochs": [
    {"epoch": "1311768467463790320", "sender": "individuals"}, {"epoch": "18446744073709551615", "sender": "e-notary"}]}
KEYS = {"token": "21", "rows": [
    {"epoch": "1311768467463790320", "sender": "individuals", "event": "", "record": wire.shorten(bytes(1160))},
    {"epoch": "7", "sender": "individuals", "event": "individuals.person-born.v1", "record": wire.shorten(bytes(1192))}]}
# A log of five records whose third is the request; its checkpoint is signed by the key of a broker of vectors.
LOG = [hashlib.sha256(b"\0" + bytes([n])).digest() for n in range(2)] + [
    leaf(wire.write_header(REQUEST), wire.expand(ASK["body"]))] + [hashlib.sha256(b"\0" + bytes([n])).digest() for n in (3, 4)]


def note(origin, leaves):
    text = f"{origin}\n{len(leaves)}\n{base64.b64encode(tree(leaves)).decode()}\n"
    key = ed25519.public_key(seed("broker"))
    short = hashlib.sha256(origin.encode() + b"\n\x01" + key).digest()[:4]
    line = base64.b64encode(short + ed25519.sign(seed("broker"), text.encode())).decode()
    return f"{text}\n\u2014 {origin} {line}\n"


# From two records to five: the node of the third and fourth, then the fifth (RFC 9162, 2.1.4.1).
GROWN = (tree(LOG[2:4]) + LOG[4]).hex()
PROVE = {"token": "31", "heads": ["2", "5"], "system": "portal", "messages": [
    {"id": REQUEST_ID, "position": "3"}, {"id": COMMAND_ID, "position": "0"}]}
PROOF = {"token": "31", "code": 0, "checkpoint": note("small/b", LOG), "consistency": [GROWN, ""], "rows": [
    {"id": REQUEST_ID, "position": "3", "path": b"".join(path(2, LOG)).hex()}]}
SPACE = {"version": "8", "signature": bytes(range(64)).hex(), "canonical": CANONICAL}

FRAMES |= {
    "hello-version-3": frame("hello", HELLO | {"newestVersion": 3, "spaceVersion": "8", "spaceDigest": DIGEST}),
    "hello-version-3-takes": frame("hello", HELLO | {"newestVersion": 3, "spaceVersion": "8", "spaceDigest": DIGEST, "takes": [
        {"kind": "command", "target": "portal.order-take.v1"}]}),
    "hello-version-3-no-space": frame("hello", HELLO | {"newestVersion": 3, "spaceVersion": "0", "spaceDigest": "00" * 32}),
    "welcome-version-3": later(frame("welcome", WELCOME | {"version": 3, "spaceDigest": DIGEST}), 3),
    "space": later(frame("space", SPACE), 3),
    "space-not-signed": later(frame("space", SPACE | {"version": "18446744073709551615", "signature": "00" * 64}), 3),
    "space-of-no-bytes": later(frame("space", SPACE | {"canonical": ""}), 3),
    "want": later(frame("want", WANT), 3),
    "want-none": later(frame("want", WANT | {"token": "0", "epochs": []}), 3),
    "want-most": later(frame("want", WANT | {"epochs": [WANT["epochs"][0]] * 32}), 3),
    "keys": later(frame("keys", KEYS), 3),
    "keys-none": later(frame("keys", {"token": "0", "rows": []}), 3),
    "prove": later(frame("prove", PROVE), 3),
    "prove-checkpoint": later(frame("prove", {"token": "9223372036854775809", "heads": ["5"], "system": "", "messages": []}), 3),
    "prove-first": later(frame("prove", {"token": "1", "heads": [], "system": "", "messages": []}), 3),
    "prove-most": later(frame("prove", PROVE | {"heads": ["5"] * 4, "messages": [PROVE["messages"][0]] * 32}), 3),
    "proof": later(frame("proof", PROOF), 3),
    "proof-checkpoint": later(frame("proof", PROOF | {"token": "9223372036854775809", "consistency": [""], "rows": []}), 3),
    "proof-refused": later(frame("proof", {"token": "31", "code": 4096, "checkpoint": "", "consistency": [], "rows": []}), 3),
    "proof-longest-paths": later(frame("proof", PROOF | {"consistency": [wire.shorten(bytes(32 * 65))], "rows": [
        {"id": REQUEST_ID, "position": "18446744073709551615", "path": wire.shorten(bytes(32 * 65))}]}), 3),
    "state-sealed-outcome": later(frame("state", {"token": "7", "rows": [
        FINAL | {"state": "completed", "outcomeHeader": wire.write_header(SEALED).hex(), "outcome": "00" * 34}]}), 3),
    "submit-keys": later(envelopes("submit", signed("portal-1", [
        envelope(header("keyEpoch", COMMAND_ID, keyEpoch="1311768467463790320", consumer="portal", provider="individuals"),
                 bytes(1160)),
        envelope(header("keyWrap", OTHER_ID, keyEpoch="7", target="individuals.person-born.v1", consumer="individuals",
                        provider="portal"), bytes(1192)), envelope(SEALED, bytes(33))])), 3),
    "space-large": later(frame("space", SPACE | {"canonical": wire.shorten(b"\x20" * 300000)}), 3),
    "query-version-3": later(frame("query", {"token": "7", "consumer": "e-notary", "commands": []}), 3),
}


# What no sender of these versions writes and every reader takes.

def patched(data, offset, new):
    return data[:offset] + new + data[offset + len(new):]


def grown(name, tail):
    """A frame with more bytes at the end of E, as a later version may send it."""
    data = wire.write_frame(FRAMES[name])
    return patched(data, 36, struct.pack("<I", len(data) - 48 + len(tail))) + tail


def rooted():
    """The request with a signed root and a proof of two hashes."""
    data = wire.write_frame(FRAMES["submit-one-request"])
    root = bytes(range(116))
    proof = struct.pack("<BBHI", 1, 2, 0, 7) + bytes(64)
    size = len(wire.write_header(REQUEST))
    e = struct.pack("<HH", 1, 0) + root + data[52:54] + struct.pack("<H", len(proof)) + data[56:68 + size] + proof
    return patched(data[:48], 36, struct.pack("<I", len(e))) + e + data[68 + size:], proof.hex()


def later_annotations():
    data = wire.write_frame(FRAMES["deliver-event"])
    at = 48 + struct.unpack("<I", data[36:40])[0]
    data = patched(data, 36, struct.pack("<I", at - 48 + 8))
    data = patched(data, 52 + 4, b"\x30")
    return data[:at] + b"\x77" * 8 + data[at:]


def row_of(e):
    return bytes.fromhex(e["signedRoot"])


def bare(e):
    """The envelope with its proof and no signed root."""
    return {name: value for name, value in e.items() if name != "signedRoot"}


def tabled(rows, items):
    """A SUBMIT of these envelopes, whose proofs say which row they mean, with this table."""
    e, b = wire.write_envelopes([bare(item) for item in items])
    e = struct.pack("<HH", len(rows), 0) + b"".join(rows) + e[4:]
    return raw_frame("submit", len(items), e, b, version=2)


def lenient():
    ping = wire.write_frame(FRAMES["ping"])
    submit, proof = rooted()
    accept = wire.write_frame(FRAMES["accept-one-refused"])
    return {
        "flags-and-reserved-set": (patched(patched(ping, 6, b"\xff\xff"), 44, b"\xff" * 4), FRAMES["ping"]),
        **{f"{name}-with-later-fields": (grown(name, b"\x01\x02\x03"), FRAMES[name])
           for name in ("hello", "welcome", "error", "report", "ping", "pong", "credit", "drain", "bye")},
        "welcome-reserved-set": (patched(wire.write_frame(FRAMES["welcome"]), 50, b"\x01\x01"), FRAMES["welcome"]),
        "unknown-hop": (patched(accept, 48 + 66, b"\xc8\x01"), frame("accept", {
            "sequence": "3", "treeSize": "19", "root": ROOT, "refused": [REFUSED | {"hop": "unknown"}]})),
        "healthy-is-two": (patched(wire.write_frame(FRAMES["report"]), 48 + 12 + 8, b"\x02"), FRAMES["report"]),
        "entry-reserved-set": (patched(wire.write_frame(FRAMES["submit-one-request"]), 52 + 5, b"\x01\x02\x03"),
                               FRAMES["submit-one-request"]),
        "root-and-proof": (submit, envelopes("submit", [ASK | {"proof": proof}])),
        "longer-annotations": (later_annotations(), FRAMES["deliver-event"]),
        **{f"{name}-with-later-fields": (grown(name, b"\x01\x02\x03"), FRAMES[name])
           for name in ("query", "state", "seek-time", "done")},
        "state-reserved-set": (patched(patched(wire.write_frame(FRAMES["state"]), 48 + 10 + 17, b"\xff"), 48 + 10 + 22,
                                       b"\xff\xff"), FRAMES["state"]),
        "seek-reserved-set": (patched(wire.write_frame(FRAMES["seek-position"]), 48 + 9, b"\xff" * 7),
                              FRAMES["seek-position"]),
        "done-reserved-set": (patched(wire.write_frame(FRAMES["done"]), 48 + 10, b"\xff" * 6), FRAMES["done"]),
        "root-twice": (tabled([row_of(BATCH[0])] * 2, [BATCH[0], in_row(BATCH[1], 1)]),
                       later(envelopes("submit", [BATCH[0], in_row(BATCH[1], 1)]))),
        "root-unused": (tabled([row_of(BATCH[0])], [ASK]), later(envelopes("submit", [ASK]))),
        "proof-of-no-row": (tabled([row_of(BATCH[0])], [in_row(bare(BATCH[0]), 1)]),
                            later(envelopes("submit", [in_row(bare(BATCH[0]), 1)]))),
        "proof-without-table": (tabled([], [bare(BATCH[0])]), later(envelopes("submit", [bare(BATCH[0])]))),
        "proof-of-seven-bytes": (tabled([row_of(BATCH[0])], [ASK | {"proof": "01000000000000"}]),
                                 later(envelopes("submit", [ASK | {"proof": "01000000000000"}]))),
        **{f"{name}-with-later-fields": (grown(name, b"\x01\x02\x03"), FRAMES[name]) for name in ("hello-version-3-takes", "welcome-version-3", "space", "want", "keys", "prove", "proof")},
        "outcome-header-in-version-2": (patched(wire.write_frame(FRAMES["state"]), 48 + 10 + 22, b"\x28\x00"), FRAMES["state"]),
    }


# What is refused.

def bad_headers():
    def with_header(base, offset, new):
        return patched(wire.write_header(base), offset, new)

    request = wire.write_header(REQUEST)
    reply = wire.write_header(REPLY)
    target = 40 + 1
    critical = wire.write_header(REQUEST | {"extensions": [{"type": 2, "value": "aa"}, {"type": 0x8002, "value": ""}]})
    listed = wire.write_header(REQUEST | {"extensions": [{"type": 2, "value": "aa"}]})
    return {
        "header-empty": (b"", "bad-header"),
        "header-39-bytes": (request[:39], "bad-header"),
        "header-cut-in-target": (request[:-8], "bad-header"),
        "header-4097-bytes": (wire.write_header(
            MINIMAL | {"extensions": [{"type": 3, "value": "00" * (4097 - 46)}]}), "bad-header"),
        "header-trailing-byte": (request + b"\x00", "bad-header"),
        "header-format-0": (with_header(REQUEST, 0, b"\x00"), "bad-header"),
        "header-format-2": (with_header(REQUEST, 0, b"\x02"), "bad-header"),
        "header-kind-0": (with_header(REQUEST, 1, b"\x00"), "bad-header"),
        "header-kind-8": (with_header(REQUEST, 1, b"\x08"), "bad-header"),
        "header-priority-10": (with_header(REQUEST, 2, b"\x0a"), "bad-header"),
        "header-reserved-not-zero": (with_header(REQUEST, 34, b"\x01"), "bad-header"),
        "header-remaining-too-long": (with_header(REQUEST, 36, struct.pack("<I", 300001)), "bad-header"),
        "header-unknown-presence-bit": (with_header(REQUEST, 6, b"\x08"), "bad-header"),
        "header-highest-presence-bit": (with_header(REQUEST, 7, b"\x80"), "bad-header"),
        "header-presence-without-bytes": (with_header(MINIMAL, 4, b"\x01"), "bad-header"),
        "header-bytes-without-presence": (with_header(REQUEST, 5, b"\x20"), "bad-header"),
        "header-correlation-zero": (with_header(REPLY, 40, bytes(16)), "bad-header"),
        "header-causation-zero": (patched(wire.write_header(MINIMAL | {"causation": REQUEST_ID}), 40, bytes(16)), "bad-header"),
        "header-replaces-zero": (patched(wire.write_header(MINIMAL | {"expiry": "1", "replaces": REQUEST_ID}), 48, bytes(16)),
                                 "bad-header"),
        "header-target-empty": (patched(wire.write_header(MINIMAL), 5, b"\x10") + b"\x00", "bad-header"),
        "header-user-empty": (patched(wire.write_header(MINIMAL), 6, b"\x02") + b"\x00", "bad-header"),
        "header-target-not-ascii": (with_header(REQUEST, target, "ә".encode()), "bad-header"),
        "header-purpose-not-utf8": (patched(wire.write_header(MINIMAL | {"purpose": "ab"}), 41, b"\xc3\x28"), "bad-header"),
        "header-text-too-long-by-its-length": (with_header(REQUEST, 40, b"\xff"), "bad-header"),
        "header-extensions-none": (patched(wire.write_header(MINIMAL), 6, b"\x04") + b"\x00\x00", "bad-header"),
        "header-extensions-size-lies": (patched(listed, len(request), b"\x06"), "bad-header"),
        "header-extension-length-lies": (patched(listed, len(request) + 4, b"\x02"), "bad-header"),
        "header-critical-extension": (critical, "unknown-critical-extension"),
        "header-id-version-4": (with_header(REQUEST, 8 + 6, b"\x40"), "bad-identifier"),
        "header-id-variant": (with_header(REQUEST, 8 + 8, b"\xc0"), "bad-identifier"),
        "header-id-zero": (with_header(REPLY, 8, bytes(16)), "bad-identifier"),
        "header-reply-cut-in-correlation": (reply[:50], "bad-header"),
    }


def raw_frame(command, count, e, b=b"", sequence=1, **more):
    return wire.write_head(wire.COMMANDS.index(command) + 1, head(command, sequence), count, len(e), len(b), **more) + e + b


def entry(header, offset, size, proof=0, annotations=0, header_size=None):
    size_of_header = len(header) if header_size is None else header_size
    return struct.pack("<HHBBHII", size_of_header, proof, annotations, 0, 0, offset, size) + header


def bad_frames():
    """Name → (bytes, fault of the frame), or (bytes, fault of one envelope, its index)."""
    data = {name: wire.write_frame(made) for name, made in FRAMES.items()}
    submit, hello, accept = data["submit-one-request"], data["hello"], data["accept-one-refused"]
    request, none = wire.write_header(REQUEST), struct.pack("<I", 0)
    one = lambda *parts, b=b"", count=1: raw_frame("submit", count, none + b"".join(parts), b)
    broken = patched(request, 2, b"\xff")
    e_size = struct.unpack("<I", submit[36:40])[0]
    b_size = struct.unpack("<I", submit[40:44])[0]

    def sized(frame, entries, bodies):
        return patched(patched(frame, 36, struct.pack("<I", entries)), 40, struct.pack("<I", bodies))

    return {
        "frame-empty": (b"", "bad-frame"),
        "frame-47-bytes": (data["bye"][:47], "bad-frame"),
        "frame-truncated": (submit[:-1], "bad-frame"),
        "frame-trailing-byte": (submit + b"\x00", "bad-frame"),
        "frame-wrong-magic": (patched(submit, 0, b"KRGF"), "bad-frame"),
        "frame-magic-reversed": (patched(submit, 0, b"EGRK"), "bad-frame"),
        "frame-version-0": (patched(submit, 4, b"\x00"), "bad-version"),
        "frame-command-0": (patched(submit, 5, b"\x00"), "unknown-command"),
        "frame-command-16": (patched(submit, 5, b"\x10"), "unknown-command"),
        "frame-entries-size-lies": (patched(submit, 36, struct.pack("<I", e_size + 1)), "bad-frame"),
        "frame-bodies-size-lies": (patched(submit, 40, b"\xff\xff\xff\xff"), "bad-frame"),
        "frame-sizes-moved": (sized(submit, e_size + 1, b_size - 1), "bad-frame"),
        "frame-count-too-small": (patched(submit, 32, struct.pack("<I", 0)), "bad-frame"),
        "frame-count-too-great": (patched(submit, 32, struct.pack("<I", 2)), "bad-frame"),
        "frame-1025-envelopes": (raw_frame("submit", 1025, none + entry(b"", 0, 0) * 1025), "bad-frame"),
        "frame-count-greatest": (patched(submit, 32, b"\xff\xff\xff\xff"), "bad-frame"),
        "ping-1025-envelopes": (patched(data["ping"], 32, struct.pack("<I", 1025)), "bad-frame"),
        "roots-count-lies": (patched(submit, 48, b"\x01"), "bad-frame"),
        "entries-without-roots-count": (raw_frame("submit", 0, b""), "bad-frame"),
        "entry-cut": (one(entry(b"", 0, 0)[:15]), "bad-frame"),
        "entry-header-size-lies": (one(entry(request, 0, 0, header_size=len(request) + 1)), "bad-frame"),
        "entry-header-4097-bytes": (one(entry(bytes(4097), 0, 0)), "bad-frame"),
        "entry-proof-2057-bytes": (one(entry(request, 0, 0, proof=2057), bytes(2057)), "bad-frame"),
        "entry-annotations-39-bytes": (one(entry(request, 0, 0, annotations=39), bytes(39)), "bad-frame"),
        "entry-trailing-byte": (one(entry(request, 0, 0), b"\x00"), "bad-frame"),
        "body-outside": (one(entry(request, 0, 3), b=b"{}"), "bad-frame"),
        "body-far-outside": (one(entry(request, 0xffffffff, 0xffffffff), b=b"{}"), "bad-frame"),
        "body-offset-not-zero": (one(entry(request, 1, 1), b=b"{}"), "bad-frame"),
        "body-leaves-bytes": (one(entry(request, 0, 1), b=b"{}"), "bad-frame"),
        "bodies-overlap": (one(entry(request, 0, 2), entry(request, 0, 2), b=b"{}", count=2), "bad-frame"),
        "bodies-with-gap": (one(entry(request, 0, 1), entry(request, 2, 1), b=b"{ }", count=2), "bad-frame"),
        "bodies-in-other-order": (one(entry(request, 2, 2), entry(request, 0, 2), b=b"{}[]", count=2), "bad-frame"),
        "deliver-body-outside": (raw_frame("deliver", 1, none + entry(request, 0, 3), b"{}"), "bad-frame"),
        "envelope-header-bad": (one(entry(request, 0, 2), entry(broken, 2, 0), entry(request, 2, 2), b=b"{}[]", count=3),
                                "bad-header", 1),
        "envelope-header-empty": (one(entry(b"", 0, 2), b=b"{}"), "bad-header", 0),
        "envelope-id-bad": (one(entry(patched(request, 14, b"\x40"), 0, 0), entry(request, 0, 1), b=b"1", count=2),
                            "bad-identifier", 0),
        "envelope-critical-extension": (one(entry(request, 0, 0), entry(wire.write_header(
            REQUEST | {"extensions": [{"type": 0xffff, "value": ""}]}), 0, 0), count=2), "unknown-critical-extension", 1),
        "envelope-body-too-large": (one(entry(request, 0, 65537), b=bytes(65537)), "body-too-large", 0),
        "hello-cut-by-its-size": (patched(hello[:-1], 36, struct.pack("<I", len(hello) - 49)), "bad-frame"),
        "hello-65-systems": (wire.write_frame(frame("hello", HELLO | {"systems": ["s"] * 65})), "bad-frame"),
        "hello-fewer-systems-than-counted": (patched(hello, 50, b"\x02"), "bad-frame"),
        "hello-agent-not-utf8": (patched(hello, 48 + 69, b"\xff"), "bad-frame"),
        "welcome-empty": (raw_frame("welcome", 0, b"", sequence=0), "bad-frame"),
        "error-detail-length-lies": (patched(data["error"], 48 + 8, b"\xff\xff"), "bad-frame"),
        "accept-more-rows-than-bytes": (patched(accept, 48 + 48, b"\x02"), "bad-frame"),
        "accept-fewer-rows-than-bytes": (patched(accept, 48 + 48, b"\x00"), "bad-frame"),
        "accept-rows-greatest": (patched(accept, 48 + 48, b"\xff\xff\xff\xff"), "bad-frame"),
        "ack-row-cut": (patched(data["ack"][:-1], 36, struct.pack("<I", len(data["ack"]) - 49)), "bad-frame"),
        "nak-trailing-byte": (patched(data["nak"], 36, struct.pack("<I", len(data["nak"]) - 47)) + b"\x00", "bad-frame"),
        "term-rows-lie": (patched(data["term"], 48, b"\x00\x00\x00\x10"), "bad-frame"),
        "report-65-systems": (wire.write_frame(frame("report", REPORT | {
            "systems": REPORT["systems"][:1] * 65, "counts": []})), "bad-frame"),
        "report-513-names-taken": (wire.write_frame(later(frame("report", REPORT | {
            "takes": [{"kind": "event", "target": ""}] * 513}))), "bad-frame"),
        "report-513-counts": (wire.write_frame(frame("report", REPORT | {
            "systems": [], "counts": [REPORT["counts"][0] | {"target": "", "consumer": ""}] * 513})), "bad-frame"),
        "report-counts-lie": (patched(data["report"], 48 + 10, b"\x02"), "bad-frame"),
        "ping-7-bytes": (patched(data["ping"][:-1], 36, b"\x07"), "bad-frame"),
        "frame-version-4": (patched(submit, 4, b"\x04"), "bad-version"),
        "frame-version-255": (patched(data["query"], 4, b"\xff"), "bad-version"),
        "frame-command-20": (patched(data["done"], 5, b"\x14"), "unknown-command"),
        "frame-command-255": (patched(data["done"], 5, b"\xff"), "unknown-command"),
        **{f"{name}-in-version-1": (patched(data[name], 4, b"\x01"), "unknown-command")
           for name in ("query", "state", "seek-beginning", "done")},
        "query-33-commands": (wire.write_frame(later(frame("query", {
            "token": "7", "consumer": "e-notary", "commands": [COMMAND_ID] * 33}))), "bad-frame"),
        "query-more-commands-than-bytes": (patched(data["query"], 48 + 8, b"\x03"), "bad-frame"),
        "query-consumer-length-lies": (patched(data["query"], 48 + 10, b"\xff"), "bad-frame"),
        "query-consumer-not-utf8": (patched(data["query"], 48 + 11, b"\xff"), "bad-frame"),
        "state-33-rows": (wire.write_frame(later(frame("state", {"token": "7", "rows": [STATE] * 33}))), "bad-frame"),
        "state-number-0": (patched(data["state"], 48 + 10 + 16, b"\x00"), "bad-frame"),
        "state-number-8": (patched(data["state"], 48 + 10 + 16, b"\x08"), "bad-frame"),
        "state-rows-lie": (patched(data["state"], 48 + 8, b"\x03"), "bad-frame"),
        "state-outcome-size-lies": (patched(data["state"], 48 + 10 + 40, b"\xff\xff\xff\xff"), "bad-frame"),
        "seek-start-3": (patched(data["seek-beginning"], 48 + 8, b"\x03"), "bad-frame"),
        "seek-event-cut": (patched(data["seek-time"][:-1], 36, struct.pack("<I", len(data["seek-time"]) - 49)), "bad-frame"),
        "done-23-bytes": (patched(data["done"][:-1], 36, b"\x17"), "bad-frame"),
        "space-in-version-1": (patched(data["space"], 4, b"\x01"), "unknown-command"),
        "space-in-version-2": (patched(data["space"], 4, b"\x02"), "unknown-command"),
        "frame-command-25-in-version-3": (patched(data["space"], 5, b"\x19"), "unknown-command"),
        **{f"{name}-in-version-2": (patched(data[name], 4, b"\x02"), "unknown-command") for name in ("want", "keys", "prove", "proof")},
        "want-33-epochs": (wire.write_frame(later(frame("want", WANT | {"epochs": [WANT["epochs"][0]] * 33}), 3)), "bad-frame"),
        "want-more-epochs-than-bytes": (patched(data["want"], 48 + 8, b"\x03"), "bad-frame"),
        "keys-33-rows": (wire.write_frame(later(frame("keys", KEYS | {"rows": [KEYS["rows"][0]] * 33}), 3)), "bad-frame"),
        "keys-record-size-lies": (patched(data["keys"], 48 + 10 + 8 + 12 + 1, b"\xff\xff"), "bad-frame"),
        "prove-5-sizes": (wire.write_frame(later(frame("prove", PROVE | {"heads": ["5"] * 5}), 3)), "bad-frame"),
        "prove-33-messages": (wire.write_frame(later(frame("prove", PROVE | {"messages": [PROVE["messages"][0]] * 33}), 3)), "bad-frame"),
        "prove-more-messages-than-bytes": (patched(data["prove"], 48 + 10, b"\x03"), "bad-frame"),
        "proof-5-sizes": (wire.write_frame(later(frame("proof", PROOF | {"consistency": [""] * 5}), 3)), "bad-frame"),
        "proof-33-rows": (wire.write_frame(later(frame("proof", PROOF | {"rows": [PROOF["rows"][0]] * 33}), 3)), "bad-frame"),
        "proof-path-of-66": (wire.write_frame(later(frame("proof", PROOF | {"consistency": [wire.shorten(bytes(32 * 66))]}), 3)), "bad-frame"),
        "proof-checkpoint-size-lies": (patched(data["proof"], 48 + 14, b"\xff\xff"), "bad-frame"),
        "state-outcome-header-longer-than-both": (patched(data["state-sealed-outcome"], 48 + 10 + 22, b"\xff\xff"), "bad-frame"),
        "space-size-lies": (patched(data["space"], 48 + 72, b"\xff\xff\xff\xff"), "bad-frame"),
        "space-cut-in-signature": (patched(data["space"][:48 + 40], 36, b"\x28\x00"), "bad-frame"),
        "welcome-version-3-without-a-space": (patched(data["welcome"], 48, b"\x03"), "bad-frame"),
        "hello-version-3-without-a-space": (patched(hello, 49, b"\x03"), "bad-frame"),
    }


# The files.

def files():
    numbers = "64-bit numbers are decimal texts; hex: BB*N is the byte BB, N times. Made by generate.py from wire.md."
    bad = [{"name": name, "of": "header", "hex": wire.shorten(data), "fault": fault}
           for name, (data, fault) in bad_headers().items()]
    for name, (data, fault, *index) in bad_frames().items():
        bad.append({"name": name, "of": "frame", "hex": wire.shorten(data), "fault": fault}
                   | ({"envelope": index[0]} if index else {}))
    return {
        "headers.json": {"about": "Headers of messages. " + numbers, "vectors": [
            {"name": n, "hex": wire.shorten(wire.write_header(h)), "header": h} for n, h in HEADERS.items()]},
        "frames.json": {"about": "Whole frames of every command. " + numbers, "vectors": [
            {"name": n, "hex": wire.shorten(wire.write_frame(f)), "frame": f} for n, f in FRAMES.items()]},
        "lenient.json": {"about": "Frames of later or careless senders, and what they are read as. " + numbers, "vectors": [
            {"name": n, "hex": wire.shorten(data), "reads": reads} for n, (data, reads) in lenient().items()]},
        "proofs.json": {"about": "Proofs of messages and what a checker says, by docs/EVIDENCE.md. Made by generate.py.",
                        "vectors": [
                            {"name": n, "publicKey": k.hex(), "valid": [str(t) for t in v], "header": wire.shorten(h),
                             "bodyDigest": hashlib.sha256(b).hexdigest(), "proof": p.hex(), "signedRoot": r.hex(),
                             "says": says} for n, (k, v, h, b, p, r, says) in proofs().items()]},
        "bad.json": {"about": "What must be refused, with the fault's name in errors.json. " + numbers, "vectors": bad},
    }


def page():
    """wire.md with its examples filled in: 32 bytes a line, as offset and hexadecimal."""
    def example(match):
        data = wire.write_frame(FRAMES[match[1]])
        lines = [f"{at:04x}  {data[at:at + 32].hex()}\n" for at in range(0, len(data), 32)]
        return f"```hex {match[1]}\n{''.join(lines)}```\n"

    return re.sub(r"```hex (\S+)\n[^`]*```\n", example, PAGE.read_text())


# The example of section 9.
ORDER_KEY = hashlib.sha256(b'kerege order key\0individuals\0"000000000000"').digest()[:16].hex()

# What each version was: how many vectors each file had, and their digest. A later version adds vectors and changes none.
RECORDED = {
    1: {
        "headers.json": (14, "6ba53973a01ab6e9c498c2a7c67c708ce39149d52cbd80be7e2b3ccf1fa65043"),
        "frames.json": (25, "8a197af6f2d23b52b8c6aa73094986ff49a7300aad8b239faafa1b88af165760"),
        "lenient.json": (16, "b32971cf4c8dfa594d3102790798a137c636055c57c352262689d442b09012b8"),
    },
    2: {
        "headers.json": (14, "6ba53973a01ab6e9c498c2a7c67c708ce39149d52cbd80be7e2b3ccf1fa65043"),
        "frames.json": (44, "30c3234357d656e00022f9374094f50df2e76d2bff293b7e13a30051978fe6ce"),
        "lenient.json": (23, "82f835c7e9dd7b1f92f17e892233ba3785a0d66727621f978435597b6d51ce8b"),
    },
}


def recorded(content, count):
    first = json.dumps(content["vectors"][:count], ensure_ascii=False)
    return hashlib.sha256(first.encode()).hexdigest()


def text(content):
    """JSON with one vector a line, so that a change of one is a change of one line."""
    lines = ",\n".join("    " + json.dumps(v, ensure_ascii=False) for v in content["vectors"])
    return f'{{\n  "about": {json.dumps(content["about"])},\n  "vectors": [\n{lines}\n  ]\n}}\n'


def check():
    """Every way a vector can be wrong, as sentences."""
    problems = []

    def expect(name, found, wanted):
        if found != wanted:
            problems.append(f"{name}: {found!r} instead of {wanted!r}")

    def fault_of(name, read):
        try:
            return read()
        except wire.Fault as fault:
            return fault.name

    for name, wanted in HEADERS.items():
        expect(name, fault_of(name, lambda: wire.read_header(wire.write_header(wanted))), wanted)
    for name, wanted in FRAMES.items():
        expect(name, fault_of(name, lambda: wire.read_frame(wire.write_frame(wanted))), wanted)
    for name, (data, wanted) in lenient().items():
        found = fault_of(name, lambda: wire.read_frame(data))
        # The vectors of version 1 say nothing of signed roots.
        if name == "root-and-proof":
            found["envelopes"] = [bare(e) for e in found["envelopes"]]
        expect(name, found, wanted)
    for name, (*parts, wanted) in proofs().items():
        expect(name, check_proof(*parts), wanted)
    for name, (data, wanted) in bad_headers().items():
        expect(name, fault_of(name, lambda: wire.read_header(data)), wanted)
    for name, (data, wanted, *index) in bad_frames().items():
        found = fault_of(name, lambda: wire.read_frame(data))
        if index and isinstance(found, dict):
            faults = {i: e.name for i, e in enumerate(found["envelopes"]) if isinstance(e, wire.Fault)}
            expect(name, faults, {index[0]: wanted})
        else:
            expect(name, found, wanted)
    for name, content in files().items():
        path = HERE / name
        if not path.exists() or path.read_text() != text(content):
            problems.append(f"{name} is not what generate.py makes; run generate.py --write")
    for version, names in RECORDED.items():
        for name, (count, digest) in names.items():
            found = recorded(json.loads((HERE / name).read_text()), count)
            expect(f"the vectors of version {version} in {name}", found, digest)
    expect("the order key of the page", ORDER_KEY in PAGE.read_text(), True)
    if PAGE.read_text() != page():
        problems.append("the examples of wire.md are not what generate.py makes; run generate.py --write")
    return problems


def main(arguments):
    if arguments == []:
        for content in files().values():
            print(text(content), end="")
    elif arguments == ["--write"]:
        for name, content in files().items():
            (HERE / name).write_text(text(content))
        PAGE.write_text(page())
    elif arguments == ["--check"]:
        problems = check()
        print("\n".join(problems) or f"{sum(len(c['vectors']) for c in files().values())} vectors are right")
        return 1 if problems else 0
    elif len(arguments) == 2 and arguments[0] == "--read":
        try:
            print(json.dumps(wire.read_frame(wire.expand(arguments[1])), ensure_ascii=False, indent=2, default=str))
        except (wire.Fault, ValueError) as fault:
            print(fault, file=sys.stderr)
            return 1
    else:
        print("usage: generate.py [--write | --check | --read HEX]", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
