"""The wire of Kerege in Python, written from wire.md alone: bytes to plain dictionaries and back.

A second implementation, so that the vectors do not merely repeat what the first one does. Standard library only.
Shapes are those of the vectors: 64-bit numbers are decimal texts, smaller ones ints, bytes and ids are hexadecimal.
"""

import struct
import uuid

BODY = 64 * 1024
HEADER = 4 * 1024
PROOF = 8 + 64 * 32
ENVELOPES_PER_FRAME = 1024
DEADLINE_MILLISECONDS = 300_000
SYSTEMS_PER_AGENT = 64
REPORT_ROWS = 512
TAKEN_NAMES = 512
QUERY_ROWS = 32
WANTED_EPOCHS = 32
PROVED_MESSAGES = 32
PROVED_HEADS = 4
LOG_PATH = 65

OLDEST_VERSION, NEWEST_VERSION = 1, 3

COMMANDS = ["hello", "welcome", "error", "submit", "accept", "deliver", "ack", "nak", "term", "report", "credit",
            "ping", "pong", "drain", "bye", "query", "state", "seek", "done", "space", "want",
            "keys", "prove", "proof"]
FIRST_OF_VERSION_2 = COMMANDS.index("query") + 1
FIRST_OF_VERSION_3 = COMMANDS.index("space") + 1
STATES = ["accepted", "delivering", "delivered", "completed", "failed", "expired", "dead-lettered"]
STARTS = ["beginning", "position", "time"]
KINDS = ["request", "reply", "command", "outcome", "event", "keyEpoch", "keyWrap"]
HOPS = ["unknown", "consumer-agent", "broker", "provider-agent", "provider-system"]
TEXTS = ["target", "consumer", "provider", "purpose", "consent", "user"]


class Fault(Exception):
    """A refusal by its name in errors.json."""

    def __init__(self, name, why):
        super().__init__(f"{name}: {why}")
        self.name = name


class Writer:
    def __init__(self):
        self.bytes = bytearray()

    def number(self, form, value):
        self.bytes += struct.pack("<" + form, int(value))

    def raw(self, text, size=None):
        data = bytes.fromhex(text)
        assert size is None or len(data) == size, (text, size)
        self.bytes += data

    def text8(self, text):
        data = text.encode()
        self.number("B", len(data))
        self.bytes += data

    def text16(self, text):
        data = text.encode()
        self.number("H", len(data))
        self.bytes += data


class Reader:
    def __init__(self, data, fault="bad-frame"):
        self.data, self.at, self.fault = data, 0, fault

    @property
    def left(self):
        return len(self.data) - self.at

    def take(self, size):
        if size > self.left:
            raise Fault(self.fault, f"{size} bytes wanted, {self.left} left")
        self.at += size
        return self.data[self.at - size:self.at]

    def number(self, form):
        """One number, as an int up to 32 bits and as a text above."""
        value = struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))[0]
        return str(value) if form in "qQ" else value

    def hex(self, size):
        return self.take(size).hex()

    def text(self, size):
        try:
            return self.take(size).decode()
        except UnicodeDecodeError:
            raise Fault(self.fault, "a text is not UTF-8") from None

    def text8(self):
        return self.text(self.number("B"))

    def text16(self):
        return self.text(self.number("H"))

    def hop(self):
        number = self.number("B")
        return HOPS[number] if number < len(HOPS) else "unknown"


# The header of a message (section 6)

def write_header(h):
    body, present = Writer(), 0

    def field(bit, name, write):
        nonlocal present
        if name in h:
            present |= 1 << bit
            write(h[name])

    def chunk(value):
        body.raw(value["id"], 16)
        body.number("I", value["index"])
        body.number("I", value["total"])

    def extensions(items):
        inner = Writer()
        for item in items:
            inner.number("H", item["type"])
            inner.number("H", len(item["value"]) // 2)
            inner.raw(item["value"])
        body.number("H", len(inner.bytes))
        body.bytes += inner.bytes

    def message_id(value):
        body.bytes += uuid.UUID(value).bytes

    field(0, "correlation", message_id)
    field(1, "causation", message_id)
    field(2, "expiry", lambda v: body.number("q", v))
    field(3, "orderKey", lambda v: body.raw(v, 16))
    field(4, "subjectReference", lambda v: body.raw(v, 16))
    field(5, "contractDigest", lambda v: body.raw(v, 32))
    field(6, "keyEpoch", lambda v: body.number("Q", v))
    field(7, "counter", lambda v: body.number("Q", v))
    field(8, "publisherSequence", lambda v: body.number("Q", v))
    field(9, "chunk", chunk)
    field(10, "replaces", message_id)
    field(11, "traceparent", lambda v: body.raw(v, 26))
    for place, name in enumerate(TEXTS):
        field(12 + place, name, body.text8)
    field(18, "extensions", extensions)

    out = Writer()
    out.number("B", 1)
    out.number("B", KINDS.index(h["kind"]) + 1)
    out.number("B", h["priority"])
    out.number("B", h["sealSuite"])
    out.number("I", present)
    out.bytes += uuid.UUID(h["id"]).bytes
    out.number("q", h["created"])
    out.number("H", h["outcome"])
    out.number("H", 0)
    out.number("I", h["remaining"])
    return bytes(out.bytes + body.bytes)


def read_header(data):
    def need(condition, why):
        if not condition:
            raise Fault("bad-header", why)

    need(40 <= len(data) <= HEADER, "size")
    r = Reader(data, "bad-header")
    need(r.number("B") == 1, "format")
    kind = r.number("B")
    need(1 <= kind <= len(KINDS), "kind")
    h = {"kind": KINDS[kind - 1], "priority": r.number("B"), "sealSuite": r.number("B")}
    need(h["priority"] <= 9, "priority")
    present = r.number("I")
    identifier = uuid.UUID(bytes=r.take(16))
    h["id"] = str(identifier)
    h["created"] = r.number("q")
    h["outcome"] = r.number("H")
    need(r.number("H") == 0, "reserved")
    h["remaining"] = r.number("I")
    need(h["remaining"] <= DEADLINE_MILLISECONDS, "remaining")
    need(present >> 19 == 0, "unknown fields")

    def message_id():
        value = uuid.UUID(bytes=r.take(16))
        need(value.int != 0, "zero id")
        return str(value)

    def text(name):
        value = r.text8()
        need(value, "empty text")
        need(name not in ("target", "consumer", "provider") or value.isascii(), "not ASCII")
        return value

    def extensions():
        need(r.number("H") == r.left and r.left > 0, "size of extensions")
        items = []
        while r.left:
            kind = r.number("H")
            value = r.hex(r.number("H"))
            if kind & 0x8000:
                raise Fault("unknown-critical-extension", str(kind))
            items.append({"type": kind, "value": value})
        return items

    fields = [
        ("correlation", message_id), ("causation", message_id), ("expiry", lambda: r.number("q")),
        ("orderKey", lambda: r.hex(16)), ("subjectReference", lambda: r.hex(16)),
        ("contractDigest", lambda: r.hex(32)), ("keyEpoch", lambda: r.number("Q")),
        ("counter", lambda: r.number("Q")), ("publisherSequence", lambda: r.number("Q")),
        ("chunk", lambda: {"id": r.hex(16), "index": r.number("I"), "total": r.number("I")}),
        ("replaces", message_id), ("traceparent", lambda: r.hex(26)),
        *[(name, lambda name=name: text(name)) for name in TEXTS], ("extensions", extensions),
    ]
    for bit, (name, read) in enumerate(fields):
        if present >> bit & 1:
            h[name] = read()
    need(r.left == 0, "bytes behind the last field")
    if identifier.version != 7 or identifier.variant != uuid.RFC_4122:
        raise Fault("bad-identifier", h["id"])
    return h


# Envelopes (section 5)

def write_envelopes(envelopes):
    """Every signed root once, in the order of its first use; each proof with the row of its root."""
    roots = list(dict.fromkeys(e["signedRoot"] for e in envelopes if "signedRoot" in e))
    entries, bodies = Writer(), bytearray()
    entries.number("H", len(roots))
    entries.number("H", 0)
    for root in roots:
        entries.raw(root, 116)
    for e in envelopes:
        header, proof, body = write_header(e["header"]), bytes.fromhex(e["proof"]), expand(e["body"])
        if "signedRoot" in e:
            proof = proof[:2] + struct.pack("<H", roots.index(e["signedRoot"])) + proof[4:]
        entries.number("H", len(header))
        entries.number("H", len(proof))
        entries.number("B", 40 if e.get("annotations") else 0)
        entries.raw("000000")
        entries.number("I", len(bodies))
        entries.number("I", len(body))
        entries.bytes += header + proof
        if e.get("annotations"):
            a = e["annotations"]
            entries.number("Q", a["position"])
            entries.number("H", a["attempt"])
            entries.raw("000000000000")
            for name in ("requestIn", "requestOut", "replyIn"):
                entries.number("q", a[name])
        bodies += body
    return bytes(entries.bytes), bytes(bodies)


def read_envelopes(count, e, b):
    """Envelopes of a frame; in the place of one that is bad stands its Fault."""
    def need(condition, why):
        if not condition:
            raise Fault("bad-frame", why)

    r = Reader(e)
    row_count = r.number("H")
    r.take(2)
    roots = [r.hex(116) for _ in range(row_count)]
    entries, end = [], 0
    for _ in range(count):
        header_size, proof_size, annotations_size = r.number("H"), r.number("H"), r.number("B")
        r.take(3)
        offset, size = r.number("I"), r.number("I")
        need(header_size <= HEADER and proof_size <= PROOF, "header or proof over its limit")
        need(annotations_size == 0 or annotations_size >= 40, "short annotations")
        need(offset == end and offset + size <= len(b), "place of a body")
        end += size
        entries.append((r.take(header_size), r.take(proof_size), r.take(annotations_size), b[offset:end]))
    need(r.left == 0 and end == len(b), "bytes are left")
    return [read_envelope(roots, *parts) for parts in entries]


def read_envelope(roots, header, proof, annotations, body):
    try:
        fields = read_header(header)
    except Fault as fault:
        return fault
    if len(body) > BODY:
        return Fault("body-too-large", str(len(body)))
    envelope = {"header": fields, "proof": proof.hex(), "body": shorten(body)}
    row = struct.unpack("<H", proof[2:4])[0] if len(proof) >= 8 else len(roots)
    if row < len(roots):
        envelope["signedRoot"] = roots[row]
    if annotations:
        r = Reader(annotations)
        envelope["annotations"] = {"position": r.number("Q"), "attempt": r.number("H")}
        r.take(6)
        for name in ("requestIn", "requestOut", "replyIn"):
            envelope["annotations"][name] = r.number("q")
    return envelope


# Fields of the other commands (section 4)

def write_takes(w, f):
    if "takes" in f:
        w.number("H", len(f["takes"]))
        for row in f["takes"]:
            w.number("B", KINDS.index(row["kind"]) + 1)
            w.text8(row["target"])


def read_takes(r, f, version):
    """From version 2 on, and only where bytes are left. Kinds that are not known are passed over."""
    if version >= 2 and r.left > 0:
        rows = [(r.number("B"), r.text8()) for _ in range(bounded(r.number("H"), TAKEN_NAMES))]
        f["takes"] = [{"kind": KINDS[k - 1], "target": target} for k, target in rows if 1 <= k <= len(KINDS)]


def write_fields(command, f):
    w = Writer()
    if command == "hello":
        w.number("B", f["oldestVersion"])
        w.number("B", f["newestVersion"])
        w.number("H", len(f["systems"]))
        w.raw(f["instance"], 16)
        w.number("Q", f["bootCounter"])
        w.number("Q", f["treeSize"])
        w.raw(f["root"], 32)
        for text in [f["agent"], f["software"], *f["systems"]]:
            w.text8(text)
        if f["newestVersion"] >= 3:
            w.number("Q", f["spaceVersion"])
            w.raw(f["spaceDigest"], 32)
        write_takes(w, f)
    elif command == "welcome":
        w.number("B", f["version"])
        w.number("B", f["missedHeartbeats"])
        w.number("H", 0)
        w.number("I", f["heartbeatMilliseconds"])
        w.number("Q", f["session"])
        w.raw(f["broker"], 16)
        w.number("Q", f["spaceVersion"])
        w.number("I", f["largestBody"])
        w.number("I", f["largestFrame"])
        w.number("Q", f["treeSize"])
        w.raw(f["root"], 32)
        w.text8(f["name"])
        if f["version"] >= 3:
            w.raw(f["spaceDigest"], 32)
    elif command == "error":
        w.number("H", f["code"])
        w.number("B", HOPS.index(f["hop"]))
        w.number("B", 0)
        w.number("I", f["retryAfterMilliseconds"])
        w.text16(f["detail"])
    elif command == "accept":
        w.number("Q", f["sequence"])
        w.number("Q", f["treeSize"])
        w.raw(f["root"], 32)
        w.number("I", len(f["refused"]))
        w.number("I", 0)
        for row in f["refused"]:
            w.number("Q", row["sequence"])
            w.number("H", row["code"])
            w.number("B", HOPS.index(row["hop"]))
            w.number("B", 0)
            w.number("I", row["retryAfterMilliseconds"])
    elif command in ("ack", "nak", "term"):
        w.number("I", len(f["rows"]))
        for row in f["rows"]:
            w.number("Q", row["position"])
            w.number("I", row["delayMilliseconds"])
            w.number("H", row["code"])
            w.number("H", 0)
    elif command == "report":
        w.number("Q", f["uptimeMilliseconds"])
        w.number("H", len(f["systems"]))
        w.number("H", len(f["counts"]))
        for row in f["systems"]:
            w.number("q", row["dataUpdatedAt"])
            w.number("B", row["healthy"])
            w.text8(row["system"])
        for row in f["counts"]:
            w.number("I", row["count"])
            w.number("H", row["code"])
            w.number("B", HOPS.index(row["hop"]))
            w.text8(row["target"])
            w.text8(row["consumer"])
        write_takes(w, f)
    elif command in ("ping", "pong"):
        w.number("Q", f["token"])
    elif command == "query":
        w.number("Q", f["token"])
        w.number("H", len(f["commands"]))
        w.text8(f["consumer"])
        for identifier in f["commands"]:
            w.bytes += uuid.UUID(identifier).bytes
    elif command == "state":
        w.number("Q", f["token"])
        w.number("H", len(f["rows"]))
        for row in f["rows"]:
            w.bytes += uuid.UUID(row["command"]).bytes
            w.number("B", STATES.index(row["state"]) + 1)
            w.number("B", 0)
            w.number("H", row["code"])
            w.number("H", row["attempts"])
            outcome_header = bytes.fromhex(row.get("outcomeHeader", ""))
            w.number("H", len(outcome_header))
            w.number("Q", row["position"])
            w.number("q", row["acceptedAt"])
            outcome = outcome_header + expand(row["outcome"])
            w.number("I", len(outcome))
            w.bytes += outcome
    elif command == "seek":
        w.number("Q", f["token"])
        w.number("B", STARTS.index(f["start"]))
        w.raw("00000000000000")
        w.number("Q", f["value"])
        w.text8(f["system"])
        w.text8(f["event"])
    elif command == "want":
        w.number("Q", f["token"])
        w.number("H", len(f["epochs"]))
        w.text8(f["system"])
        for row in f["epochs"]:
            w.number("Q", row["epoch"])
            w.text8(row["sender"])
    elif command == "keys":
        w.number("Q", f["token"])
        w.number("H", len(f["rows"]))
        for row in f["rows"]:
            record = expand(row["record"])
            w.number("Q", row["epoch"])
            w.text8(row["sender"])
            w.text8(row["event"])
            w.number("H", len(record))
            w.bytes += record
    elif command == "prove":
        w.number("Q", f["token"])
        w.number("H", len(f["heads"]))
        w.number("H", len(f["messages"]))
        w.text8(f["system"])
        for size in f["heads"]:
            w.number("Q", size)
        for row in f["messages"]:
            w.bytes += uuid.UUID(row["id"]).bytes
            w.number("Q", row["position"])
    elif command == "proof":
        w.number("Q", f["token"])
        w.number("H", f["code"])
        w.number("H", len(f["consistency"]))
        w.number("H", len(f["rows"]))
        w.text16(f["checkpoint"])
        for path in f["consistency"]:
            write_path(w, path)
        for row in f["rows"]:
            w.bytes += uuid.UUID(row["id"]).bytes
            w.number("Q", row["position"])
            write_path(w, row["path"])
    elif command == "done":
        w.number("Q", f["token"])
        w.number("H", f["code"])
        w.raw("000000000000")
        w.number("Q", f["count"])
    elif command == "space":
        canonical = expand(f["canonical"])
        w.number("Q", f["version"])
        w.raw(f["signature"], 64)
        w.number("I", len(canonical))
        w.bytes += canonical
    return bytes(w.bytes)


def read_fields(command, data, version):
    r, f = Reader(data), {}
    if command == "hello":
        f["oldestVersion"], f["newestVersion"] = r.number("B"), r.number("B")
        count = bounded(r.number("H"), SYSTEMS_PER_AGENT)
        f["instance"], f["bootCounter"], f["treeSize"], f["root"] = r.hex(16), r.number("Q"), r.number("Q"), r.hex(32)
        f["agent"], f["software"] = r.text8(), r.text8()
        f["systems"] = [r.text8() for _ in range(count)]
        if f["newestVersion"] >= 3:
            f["spaceVersion"], f["spaceDigest"] = r.number("Q"), r.hex(32)
        read_takes(r, f, f["newestVersion"])
    elif command == "welcome":
        f["version"], f["missedHeartbeats"] = r.number("B"), r.number("B")
        r.take(2)
        f["heartbeatMilliseconds"], f["session"], f["broker"] = r.number("I"), r.number("Q"), r.hex(16)
        f["spaceVersion"], f["largestBody"], f["largestFrame"] = r.number("Q"), r.number("I"), r.number("I")
        f["treeSize"], f["root"], f["name"] = r.number("Q"), r.hex(32), r.text8()
        if f["version"] >= 3:
            f["spaceDigest"] = r.hex(32)
    elif command == "error":
        f["code"], f["hop"], _ = r.number("H"), r.hop(), r.take(1)
        f["retryAfterMilliseconds"], f["detail"] = r.number("I"), r.text16()
    elif command == "accept":
        f["sequence"], f["treeSize"], f["root"], count, _ = r.number("Q"), r.number("Q"), r.hex(32), r.number("I"), r.take(4)
        to_the_end(r, count)
        f["refused"] = []
        for _ in range(count):
            row = {"sequence": r.number("Q"), "code": r.number("H"), "hop": r.hop()}
            r.take(1)
            f["refused"].append(row | {"retryAfterMilliseconds": r.number("I")})
    elif command in ("ack", "nak", "term"):
        count = r.number("I")
        to_the_end(r, count)
        f["rows"] = []
        for _ in range(count):
            f["rows"].append({"position": r.number("Q"), "delayMilliseconds": r.number("I"), "code": r.number("H")})
            r.take(2)
    elif command == "report":
        f["uptimeMilliseconds"] = r.number("Q")
        systems, counts = bounded(r.number("H"), SYSTEMS_PER_AGENT), bounded(r.number("H"), REPORT_ROWS)
        f["systems"] = [{"dataUpdatedAt": r.number("q"), "healthy": r.number("B") != 0, "system": r.text8()}
                        for _ in range(systems)]
        f["counts"] = [{"count": r.number("I"), "code": r.number("H"), "hop": r.hop(), "target": r.text8(),
                        "consumer": r.text8()} for _ in range(counts)]
        read_takes(r, f, version)
    elif command in ("ping", "pong"):
        f["token"] = r.number("Q")
    elif command == "query":
        f["token"], count = r.number("Q"), bounded(r.number("H"), QUERY_ROWS)
        f["consumer"] = r.text8()
        f["commands"] = [str(uuid.UUID(bytes=r.take(16))) for _ in range(count)]
    elif command == "state":
        f["token"], count = r.number("Q"), bounded(r.number("H"), QUERY_ROWS)
        f["rows"] = [read_state(r, version) for _ in range(count)]
    elif command == "seek":
        f["token"], f["start"], _ = r.number("Q"), named(STARTS, r.number("B")), r.take(7)
        f["value"], f["system"], f["event"] = r.number("Q"), r.text8(), r.text8()
    elif command == "want":
        f["token"], count = r.number("Q"), bounded(r.number("H"), WANTED_EPOCHS)
        f["system"] = r.text8()
        f["epochs"] = [{"epoch": r.number("Q"), "sender": r.text8()} for _ in range(count)]
    elif command == "keys":
        f["token"], count = r.number("Q"), bounded(r.number("H"), WANTED_EPOCHS)
        f["rows"] = [{"epoch": r.number("Q"), "sender": r.text8(), "event": r.text8(),
                      "record": shorten(r.take(r.number("H")))} for _ in range(count)]
    elif command == "prove":
        f["token"], heads, messages = r.number("Q"), r.number("H"), r.number("H")
        bounded(heads, PROVED_HEADS), bounded(messages, PROVED_MESSAGES)
        f["system"] = r.text8()
        f["heads"] = [r.number("Q") for _ in range(heads)]
        f["messages"] = [{"id": str(uuid.UUID(bytes=r.take(16))), "position": r.number("Q")} for _ in range(messages)]
    elif command == "proof":
        f["token"], f["code"], heads, messages = r.number("Q"), r.number("H"), r.number("H"), r.number("H")
        bounded(heads, PROVED_HEADS), bounded(messages, PROVED_MESSAGES)
        f["checkpoint"] = r.text16()
        f["consistency"] = [read_path(r) for _ in range(heads)]
        f["rows"] = [{"id": str(uuid.UUID(bytes=r.take(16))), "position": r.number("Q"), "path": read_path(r)}
                     for _ in range(messages)]
    elif command == "done":
        f["token"], f["code"], _, f["count"] = r.number("Q"), r.number("H"), r.take(6), r.number("Q")
    elif command == "space":
        f["version"], f["signature"] = r.number("Q"), r.hex(64)
        f["canonical"] = shorten(r.take(r.number("I")))
    return f


def write_path(w, path):
    data = expand(path)
    w.number("B", len(data) // 32)
    w.bytes += data


def read_path(r):
    return shorten(r.take(32 * bounded(r.number("B"), LOG_PATH)))


def read_state(r, version):
    row = {"command": str(uuid.UUID(bytes=r.take(16))), "state": named(STATES, r.number("B") - 1)}
    r.take(1)
    row["code"], row["attempts"], header_size = r.number("H"), r.number("H"), r.number("H")
    row["position"], row["acceptedAt"] = r.number("Q"), r.number("q")
    size = r.number("I")
    if version >= 3 and header_size:
        if header_size > size:
            raise Fault("bad-frame", "an outcome's header is longer than both")
        row["outcomeHeader"], size = r.hex(header_size), size - header_size
    row["outcome"] = shorten(r.take(size))
    return row


def named(names, number):
    if not 0 <= number < len(names):
        raise Fault("bad-frame", f"{number} is none of {names}")
    return names[number]


def bounded(count, limit):
    if count > limit:
        raise Fault("bad-frame", f"{count} rows, at most {limit}")
    return count


def to_the_end(reader, rows):
    if rows * 16 != reader.left:
        raise Fault("bad-frame", f"{rows} rows in {reader.left} bytes")


# The frame (section 3)

def write_frame(frame):
    head, command = frame["head"], frame["head"]["command"]
    if command in ("submit", "deliver"):
        e, b = write_envelopes(frame["envelopes"])
        count = len(frame["envelopes"])
    else:
        e, b, count = write_fields(command, frame.get(command, {})), b"", 0
    return write_head(COMMANDS.index(command) + 1, head, count, len(e), len(b), head.get("version", 1)) + e + b


def write_head(command, head, count, entries_size, bodies_size, version=1, flags=0, reserved=0):
    return struct.pack(
        "<4sBBHQQQIIII", b"KRGE", version, command, flags, int(head["sequence"]), int(head["messageLimit"]),
        int(head["byteLimit"]), count, entries_size, bodies_size, reserved)


def read_frame(data):
    """The frame as a dictionary; bad envelopes stand as Fault in their place."""
    if len(data) < 48 or data[:4] != b"KRGE":
        raise Fault("bad-frame", "no frame")
    version, number, _, sequence, messages, size, count, entries_size, bodies_size, _ = struct.unpack(
        "<BBHQQQIIII", data[4:48])
    if not OLDEST_VERSION <= version <= NEWEST_VERSION:
        raise Fault("bad-version", str(version))
    if not 1 <= number <= len(COMMANDS) or (version < 2 and number >= FIRST_OF_VERSION_2) or (
            version < 3 and number >= FIRST_OF_VERSION_3):
        raise Fault("unknown-command", str(number))
    if 48 + entries_size + bodies_size != len(data):
        raise Fault("bad-frame", "sizes")
    bounded(count, ENVELOPES_PER_FRAME)
    command = COMMANDS[number - 1]
    frame = {"head": {"command": command, "sequence": str(sequence), "messageLimit": str(messages), "byteLimit": str(size)}}
    if version > 1:
        frame["head"]["version"] = version
    e, b = data[48:48 + entries_size], data[48 + entries_size:]
    if command in ("submit", "deliver"):
        frame["envelopes"] = read_envelopes(count, e, b)
    else:
        fields = read_fields(command, e, version)
        if fields:
            frame[command] = fields
    return frame


# Hexadecimal texts of the vectors (section 14)

def expand(text):
    out = bytearray()
    for token in text.split():
        byte, star, times = token.partition("*")
        out += bytes.fromhex(byte) * int(times) if star else bytes.fromhex(token)
    return bytes(out)


def shorten(data):
    """Hexadecimal text; 64 and more equal bytes in a row are written BB*N."""
    out, at, plain = [], 0, 0
    while at < len(data):
        end = at
        while end < len(data) and data[end] == data[at]:
            end += 1
        if end - at >= 64:
            out += [data[plain:at].hex()] if at > plain else []
            out.append(f"{data[at]:02x}*{end - at}")
            plain = end
        at = end
    out += [data[plain:].hex()] if len(data) > plain else []
    return " ".join(out)
