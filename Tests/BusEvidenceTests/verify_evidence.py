#!/usr/bin/env python3
"""A verifier of evidence written from docs/EVIDENCE.md (and the header of Schemas/wire.md) alone. Standard library only.

    verify_evidence.py FILE --authority HEX [--log HEX]     the steps; exit code 1 if one is not ok
    verify_evidence.py --vectors FOLDER                     compares with Schemas/vectors/evidence, and signatures.json beside it
"""

import base64
import datetime
import functools
import hashlib
import json
import pathlib
import re
import struct
import sys
import unicodedata


class Bad(Exception):
    """A refusal by its word."""

    def __init__(self, word, pointer=None):
        super().__init__(word)
        self.word, self.pointer = word, pointer


def h(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


# Ed25519 (RFC 8032, section 5.1)

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def recover_x(y, sign):
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if square == 0:
        return None if sign else 0
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - square) % P:
        return None
    return P - x if x & 1 != sign else x


def add(a, b):
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    g, k = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, k = f - e, k - g, k + g, f + e
    return e * f % P, g * k % P, f * g % P, e * k % P


def times(number, point):
    result = (0, 1, 1, 0)
    while number:
        if number & 1:
            result = add(result, point)
        point, number = add(point, point), number >> 1
    return result


def point_of(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    x = recover_x(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


def bytes_of(point):
    inverse = pow(point[2], P - 2, P)
    return (point[1] * inverse % P | (point[0] * inverse % P & 1) << 255).to_bytes(32, "little")


BASE = point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def is_of_small_order(point):
    return bytes_of(times(8, point)) == bytes_of((0, 1, 1, 0))


@functools.lru_cache
def is_signature(key, statement, signature):
    if len(key) != 32 or len(signature) != 64:
        return False
    point, beside = point_of(key), point_of(signature[:32])
    number = int.from_bytes(signature[32:], "little")
    if point is None or beside is None or is_of_small_order(point) or is_of_small_order(beside) or number >= L:
        return False
    factor = int.from_bytes(hashlib.sha512(signature[:32] + key + statement).digest(), "little") % L
    negative = (P - point[0], point[1], 1, P - point[3])
    return bytes_of(add(times(number, BASE), times(factor, negative))) == signature[:32]


# JSON, strictly read (section 8)

class Json:
    SPACE = " \t\n\r"
    ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}

    def __init__(self, data):
        try:
            self.text = data.decode("utf-8")
        except UnicodeDecodeError:
            raise Bad("malformed-json", "") from None
        self.at, self.path = 0, []

    def read(self):
        value = self.value()
        self.space()
        self.need(self.at == len(self.text))
        return value

    def pointer(self):
        return "".join("/" + name.replace("~", "~0").replace("/", "~1") for name in self.path)

    def need(self, condition, word="malformed-json"):
        if not condition:
            raise Bad(word, self.pointer())

    def space(self):
        while self.at < len(self.text) and self.text[self.at] in self.SPACE:
            self.at += 1

    def take(self, character):
        self.space()
        if self.text[self.at:self.at + 1] != character:
            return False
        self.at += 1
        return True

    def value(self):
        self.need(len(self.path) <= 32, "too-long")
        self.space()
        for word, value in (("true", True), ("false", False), ("null", None)):
            if self.text.startswith(word, self.at):
                self.at += len(word)
                return value
        first = self.text[self.at:self.at + 1]
        return self.object() if first == "{" else self.list() if first == "[" else self.string() if first == '"' \
            else self.number()

    def number(self):
        start = self.at
        if self.text[self.at:self.at + 1] == "-":
            self.at += 1
        while self.text[self.at:self.at + 1] and self.text[self.at] in "0123456789":
            self.at += 1
        digits = self.text[start:self.at]
        self.need(digits.lstrip("-") and len(digits) <= 20 and str(int(digits)) == digits)
        self.need(-2**63 <= int(digits) < 2**63)
        return int(digits)

    def list(self):
        self.need(self.take("["))
        values = []
        if self.take("]"):
            return values
        while True:
            self.path.append(str(len(values)))
            values.append(self.value())
            self.path.pop()
            if not self.take(","):
                break
        self.need(self.take("]"))
        return values

    def object(self):
        self.need(self.take("{"))
        members = {}
        if self.take("}"):
            return members
        while True:
            self.space()
            name = self.string()
            self.path.append(name)
            self.need(name not in members, "duplicate-member")
            self.need(self.take(":"))
            members[name] = self.value()
            self.path.pop()
            if not self.take(","):
                break
        self.need(self.take("}"))
        return members

    def string(self):
        self.need(self.text[self.at:self.at + 1] == '"')
        self.at += 1
        out = []
        while True:
            character = self.text[self.at:self.at + 1]
            self.need(character and ord(character) >= 0x20)
            self.at += 1
            if character == '"':
                return "".join(out)
            out.append(self.escape() if character == "\\" else character)

    def escape(self):
        character = self.text[self.at:self.at + 1]
        self.at += 1
        if character in self.ESCAPES and character:
            return self.ESCAPES[character]
        self.need(character == "u")
        first = self.four()
        if not 0xd800 <= first < 0xe000:
            return chr(first)
        self.need(first < 0xdc00 and self.text.startswith("\\u", self.at))
        self.at += 2
        second = self.four()
        self.need(0xdc00 <= second < 0xe000)
        return chr(0x10000 + (first - 0xd800 << 10) + second - 0xdc00)

    def four(self):
        digits = self.text[self.at:self.at + 4]
        self.need(len(digits) == 4 and all(d in "0123456789abcdefABCDEF" for d in digits))
        self.at += 4
        return int(digits, 16)


# The file (section 8)

FORMAT = "kerege-evidence/1"


class Members:
    def __init__(self, value, pointer, required, optional=()):
        if not isinstance(value, dict):
            raise Bad("wrong-type", pointer)
        for name in sorted(value):
            if name not in required and name not in optional:
                raise Bad("unknown-member", pointer + "/" + name.replace("~", "~0").replace("/", "~1"))
        for name in required:
            if name not in value:
                raise Bad("missing-member", f"{pointer}/{name}")
        self.value, self.pointer = value, pointer

    def at(self, name):
        return f"{self.pointer}/{name}"

    def has(self, name):
        return name in self.value

    def text(self, name, limit):
        if name not in self.value:
            raise Bad("missing-member", self.at(name))
        return text_of(self.value[name], self.at(name), limit)

    def bytes(self, name, limit):
        text = self.text(name, (limit + 2) // 3 * 4)
        data = from_base64(text)
        if data is None:
            raise Bad("malformed-value", self.at(name))
        if len(data) > limit:
            raise Bad("too-long", self.at(name))
        return data

    def optional(self, name, limit):
        return self.bytes(name, limit) if self.has(name) else None

    def list(self, name, limit, each):
        if name not in self.value:
            raise Bad("missing-member", self.at(name))
        values = self.value[name]
        if not isinstance(values, list):
            raise Bad("wrong-type", self.at(name))
        if len(values) > limit:
            raise Bad("too-long", self.at(name))
        return [each(value, f"{self.at(name)}/{number}") for number, value in enumerate(values)]

    def hashes(self, name):
        return self.list(name, 65, hash_of)

    def place(self):
        text = self.text("position", 20)
        if not is_decimal(text) or not 1 <= int(text) < 2**64:
            raise Bad("malformed-value", self.at("position"))
        return int(text), self.hashes("inclusion")


def text_of(value, pointer, limit):
    if not isinstance(value, str):
        raise Bad("wrong-type", pointer)
    if len(value.encode()) > limit:
        raise Bad("too-long", pointer)
    return value


def hash_of(value, pointer):
    text = text_of(value, pointer, 64)
    if len(text) != 64 or any(digit not in "0123456789abcdef" for digit in text):
        raise Bad("malformed-value", pointer)
    return bytes.fromhex(text)


def is_decimal(text):
    """A number of at most 64 bits has 20 digits: what is longer is not even read, as int() refuses thousands of them."""
    return len(text) <= 20 and text.isascii() and text.isdigit() and str(int(text)) == text


def from_base64(text):
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except ValueError:
        return None
    return data if base64.b64encode(data).decode() == text else None


def read_file(data):
    if len(data) > 64 << 20:
        raise Bad("too-long", "")
    value = Json(data).read()
    if not isinstance(value, dict):
        raise Bad("wrong-type", "")
    if isinstance(value.get("format"), str) and value["format"] != FORMAT:
        raise Bad("unknown-format", "/format")
    file = Members(value, "", ["format", "space", "checkpoint", "messages", "records", "receipts"])
    file.text("format", len(FORMAT))
    read = {"space": read_space(value["space"]), "checkpoint": file.text("checkpoint", 8192),
            "messages": file.list("messages", 8, read_message), "records": file.list("records", 16, read_record),
            "receipts": file.list("receipts", 16, read_receipt)}
    if not read["messages"]:
        raise Bad("missing-member", "/messages/0")
    return read


def read_space(value):
    m = Members(value, "/space", ["snapshot", "signature"], ["position", "inclusion"])
    space = {"snapshot": m.bytes("snapshot", 16 << 20), "signature": m.bytes("signature", 64), "place": None}
    if m.has("position") or m.has("inclusion"):
        space["place"] = m.place()
    return space


def read_message(value, pointer):
    m = Members(value, pointer, ["header", "bodyDigest", "position", "inclusion"], ["body", "signedRoot", "proof"])
    read = {"header": m.bytes("header", 4096), "digest": hash_of(value["bodyDigest"], m.at("bodyDigest")),
            "body": m.optional("body", 65536), "root": m.optional("signedRoot", 116)}
    place = m.place()
    return read | {"place": place, "proof": m.optional("proof", 2056)}


def read_record(value, pointer):
    m = Members(value, pointer, ["type", "payload", "position", "inclusion"])
    number = value["type"]
    if not isinstance(number, int) or isinstance(number, bool):
        raise Bad("wrong-type", m.at("type"))
    if not 2 <= number <= 254:
        raise Bad("malformed-value", m.at("type"))
    return {"type": number, "payload": m.bytes("payload", 65536), "place": m.place()}


def read_receipt(value, pointer):
    m = Members(value, pointer, ["checkpoint", "consistency"])
    return {"checkpoint": m.text("checkpoint", 8192), "consistency": m.hashes("consistency")}


# Merkle trees and proofs (sections 1 to 3)

def node(left, right):
    return h(b"\x01", left, right)


def path_root(leaf, index, size, path):
    """Root and whether the path's length is right."""
    at, last, found, used = index, size - 1, leaf, 0
    while last:
        if at & 1 or at < last:
            if used < len(path):
                found = node(path[used], found) if at & 1 else node(found, path[used])
            used += 1
        at, last = at >> 1, last >> 1
    return found, used == len(path)


def check_inclusion(leaf, index, path, head):
    size, root = head
    if index >= size:
        raise Bad("outside-log")
    found, fits = path_root(leaf, index, size, path)
    if not fits:
        raise Bad("wrong-path-length")
    if found != root:
        raise Bad("path-misses-root")


def check_consistency(path, older, newer):
    (m, old), (n, new) = older, newer
    if m > n:
        raise Bad("log-shrank")
    if m == 0 and old != h():
        raise Bad("log-forked")
    if m in (0, n):
        if path:
            raise Bad("wrong-path-length")
        if m == n and old != new:
            raise Bad("log-forked")
        return
    low = (m & -m).bit_length() - 1
    at, last = m - 1 >> low, n - 1 >> low
    whole = m & m - 1 == 0
    count, a, b = 0 if whole else 1, at, last
    while b:
        count += a & 1 or a < b
        a, b = a >> 1, b >> 1
    if len(path) != count:
        raise Bad("wrong-path-length")
    rest = list(path)
    first = second = old if whole else rest.pop(0)
    while last:
        if at & 1 or at < last:
            beside = rest.pop(0)
            if at & 1:
                first, second = node(beside, first), node(beside, second)
            else:
                second = node(second, beside)
        at, last = at >> 1, last >> 1
    if first != old:
        raise Bad("log-forked")
    if second != new:
        raise Bad("path-misses-root")


def key_id(key):
    return h(b"kerege signing key v1\0", key)[:8]


def check_proof(leaf, proof, root, keys):
    """The agent that has signed."""
    if not proof:
        raise Bad("no-proof")
    if len(proof) >= 4 and proof[2:4] != b"\0\0":
        raise Bad("malformed-proof")
    if len(proof) < 8:
        raise Bad("malformed-proof")
    suite, count, _, index = struct.unpack("<BBHI", proof[:8])
    if suite != 1:
        raise Bad("unknown-suite")
    if count > 64 or len(proof) != 8 + 32 * count:
        raise Bad("malformed-proof")
    if len(root) != 116:
        raise Bad("no-signed-root")
    size, signed_at = struct.unpack("<Iq", root[40:52])
    if index >= size:
        raise Bad("leaf-outside-batch")
    stated = next((stated for stated in keys if key_id(stated[0]) == root[32:40]), None)
    if stated is None:
        raise Bad("unknown-key")
    key, start, end = stated
    if not start <= signed_at <= end:
        raise Bad("key-not-valid-then")
    found, fits = path_root(leaf, index, size, [proof[at:at + 32] for at in range(8, len(proof), 32)])
    if not fits:
        raise Bad("wrong-path-length")
    if found != root[:32]:
        raise Bad("path-misses-root")
    if not is_signature(key, b"kerege batch v1\0" + root[:52], root[52:]):
        raise Bad("wrong-signature")


# Notes (section 4)

def is_name(text):
    return 0 < len(text.encode()) <= 255 and not any(
        c == "+" or c.isspace() or unicodedata.category(c) == "Cc" for c in text)


def open_note(note, key):
    """Text and signer's name."""
    def need(condition):
        if not condition:
            raise Bad("malformed-note")

    need(len(note.encode()) <= 8192 and note.endswith("\n"))
    need(all(c == "\n" or ord(c) >= 0x20 and ord(c) != 0x7f for c in note))
    gap = note.rfind("\n\n")
    need(gap > 0)
    text, lines = note[:gap] + "\n", note[gap + 2:].split("\n")[:-1]
    need(1 <= len(lines) <= 16)
    ours = []
    for line in lines:
        need(line.startswith("\u2014 "))
        parts = line[2:].split(" ")
        need(len(parts) == 2 and is_name(parts[0]))
        data = from_base64(parts[1])
        need(data is not None and len(data) >= 5)
        if data[:4] == h(parts[0].encode(), b"\n\x01", key)[:4]:
            ours.append((parts[0], data[4:]))
    if not ours:
        raise Bad("note-not-signed")
    need(len(ours) == 1)
    if not is_signature(key, text.encode(), ours[0][1]):
        raise Bad("wrong-note-signature")
    return text, ours[0][0]


def open_checkpoint(note, key, name=None):
    """The head."""
    text, signer = open_note(note, key)
    lines = text.split("\n")[:-1]
    if len(lines) < 3 or "" in lines or not is_decimal(lines[1]) or int(lines[1]) >= 2**64 or lines[0] != signer:
        raise Bad("malformed-note")
    root = from_base64(lines[2])
    if root is None or len(root) != 32 or int(lines[1]) == 0 and root != h():
        raise Bad("malformed-note")
    if name is not None and lines[0] != name:
        raise Bad("other-log")
    return int(lines[1]), root


# The space (section 7)

def read_snapshot(data):
    def need(condition):
        if not condition:
            raise Bad("malformed-space")

    def key(text):
        need(isinstance(text, str) and len(text) == 64 and all(c in "0123456789abcdefABCDEF" for c in text))
        return bytes.fromhex(text)

    def day(text):
        need(isinstance(text, str) and re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text, re.A))
        try:
            found = datetime.date.fromisoformat(text)
        except ValueError:
            raise Bad("malformed-space") from None
        need(1900 <= found.year <= 2199)
        return (found - datetime.date(1970, 1, 1)).days * 86400000 - 5 * 3600000

    try:
        whole = Json(data).read()
    except Bad:
        raise Bad("malformed-space") from None
    need(isinstance(whole, dict) and whole.get("format") == "kerege-space/1")
    need(type(whole.get("version")) is int and whole["version"] > 0)
    space = whole.get("space")
    need(isinstance(space, dict) and isinstance(space.get("id"), str) and isinstance(space.get("broker"), dict))
    need(isinstance(space["broker"].get("id"), str))
    need(isinstance(space.get("keys"), list))
    agents = []
    for entry in space["keys"]:
        need(isinstance(entry, dict) and isinstance(entry.get("agent"), str))
        systems = entry.get("systems")
        need(isinstance(systems, list) and all(isinstance(system, str) for system in systems))
        if "sign" in entry:
            public = key(entry["sign"])
            start = day(entry["from"]) if "from" in entry else -2**63
            end = day(entry["until"]) + 86400000 - 1 if "until" in entry else 2**63 - 1
            if "revoked" in entry:
                day(entry["revoked"])
            elif start <= end:
                agents.append((entry["agent"], systems, (public, start, end)))
    log = key(space["broker"]["sign"]) if "sign" in space["broker"] else None
    return {"id": space["id"], "version": whole["version"], "agents": agents, "log": log,
            "name": space["id"] + "/" + space["broker"]["id"]}


# Headers (wire.md, section 6)

KINDS = ["request", "reply", "command", "outcome", "event", "keyEpoch", "keyWrap"]
FIXED = [16, 16, 8, 16, 16, 32, 8, 8, 8, 24, 16, 26]


def read_header(data):
    def need(condition):
        if not condition:
            raise Bad("malformed-header")

    need(40 <= len(data) <= 4096)
    form, kind, priority, _, present = struct.unpack("<BBBBI", data[:8])
    identifier, (outcome, reserved, remaining) = data[8:24], struct.unpack("<HHI", data[32:40])
    need(form == 1 and 1 <= kind <= 7 and priority <= 9 and present >> 19 == 0 and reserved == 0 and remaining <= 300000)
    need(identifier[6] >> 4 == 7 and identifier[8] >> 6 == 2)
    at, fields = 40, {}
    for bit, size in enumerate(FIXED):
        if present >> bit & 1:
            need(at + size <= len(data))
            fields[bit] = data[at:at + size]
            need(bit not in (0, 1, 10) or any(fields[bit]))
            at += size
    texts = {}
    for bit, name in enumerate(["target", "consumer", "provider", "purpose", "consent", "user"], 12):
        if present >> bit & 1:
            need(at < len(data) and data[at] and at + 1 + data[at] <= len(data))
            raw = data[at + 1:at + 1 + data[at]]
            at += 1 + len(raw)
            try:
                texts[name] = raw.decode()
            except UnicodeDecodeError:
                need(False)
            need(bit > 14 or raw.isascii())
    extensions = []
    if present >> 18 & 1:
        need(at + 2 <= len(data))
        size = struct.unpack("<H", data[at:at + 2])[0]
        at += 2
        need(size == len(data) - at and size > 0)
        while at < len(data):
            need(at + 4 <= len(data))
            kind_of, length = struct.unpack("<HH", data[at:at + 4])
            at += 4 + length
            need(at <= len(data) and not kind_of & 0x8000)
            extensions.append((kind_of, data[at - length:at]))
    need(at == len(data))
    return {"kind": KINDS[kind - 1], "id": identifier, "outcome": outcome, "correlation": fields.get(0),
            "target": texts.get("target", ""), "consumer": texts.get("consumer", ""),
            "provider": texts.get("provider", ""),
            "requestDigest": next((value for kind_of, value in extensions if kind_of == 1), None)}


def sender(header):
    return header["target"].split(".")[0] if header["kind"] in ("reply", "outcome", "event") else header["consumer"]


# Verifying (section 9)

class Verifier:
    def __init__(self, file, authority, log=None):
        self.file, self.authority, self.given = file, authority, log
        self.steps = []
        self.stated = self.log = self.head = None
        self.headers = [None] * len(file["messages"])
        self.receipt_size = 0

    def step(self, name, about, possible, check):
        word = "skipped"
        if possible:
            try:
                check()
                word = "ok"
            except Bad as bad:
                word = bad.word
        self.steps.append([name, about, word])

    def run(self):
        file = self.file
        self.step("space", "", True, self.space)
        self.step("log-key", "", self.stated or self.given, self.log_key)
        self.step("checkpoint", "", self.log, self.checkpoint)
        if file["space"]["place"]:
            self.in_log("space-in-log", "", h(b"\0\xff\5", file["space"]["snapshot"]), file["space"]["place"])
        for number, message in enumerate(file["messages"]):
            self.message(number, message, f"messages/{number}")
        for number, record in enumerate(file["records"]):
            leaf = h(b"\0\xff", bytes([record["type"]]), record["payload"])
            self.in_log("in-log", f"records/{number}", leaf, record["place"])
        self.step("exchange", "", all(self.headers), self.exchange)
        for number, header in enumerate(self.headers):
            if number:
                possible = self.headers[0] and header and header["kind"] in ("reply", "outcome")
                self.step("binding", f"messages/{number}", possible, lambda: self.binding(header))
        for number, receipt in enumerate(file["receipts"]):
            self.step("receipt", f"receipts/{number}", self.head, lambda: self.receipt(receipt))
        return self.steps

    def space(self):
        space = self.file["space"]
        if not is_signature(self.authority, b"kerege space v1\0" + h(space["snapshot"]), space["signature"]):
            raise Bad("wrong-signature")
        self.stated = read_snapshot(space["snapshot"])

    def log_key(self):
        key = self.stated and self.stated["log"] or self.given
        if not key:
            raise Bad("no-log-key")
        if self.given and self.given != key:
            raise Bad("other-log-key")
        self.log = key

    def checkpoint(self):
        self.head = open_checkpoint(self.file["checkpoint"], self.log, self.stated and self.stated["name"])

    def in_log(self, name, about, leaf, place):
        self.step(name, about, self.head, lambda: check_inclusion(leaf, place[0] - 1, place[1], self.head))

    def message(self, number, message, about):
        leaf = h(b"\0", message["header"], message["digest"])

        def header():
            self.headers[number] = read_header(message["header"])

        def body():
            if h(message["body"]) != message["digest"]:
                raise Bad("wrong-body-digest")

        def signature():
            read = self.headers[number]
            if message["proof"] is None and message["root"] is None and read["kind"] == "outcome" \
                    and not read["provider"] and read["outcome"] >= 4000:
                return
            if not sender(read):
                raise Bad("no-sender")
            keys = [key for _, systems, key in self.stated["agents"] if sender(read) in systems]
            check_proof(leaf, message["proof"] or b"", message["root"] or b"", keys)

        self.step("header", about, True, header)
        if message["body"] is not None:
            self.step("body", about, True, body)
        self.step("signature", about, self.headers[number] and self.stated, signature)
        self.in_log("in-log", about, leaf, message["place"])

    def exchange(self):
        first, answers = self.headers[0], self.headers[1:]
        if first["kind"] not in ("request", "command", "event"):
            raise Bad("wrong-first-message")
        if len({header["id"] for header in self.headers}) < len(self.headers):
            raise Bad("repeated-message")
        for answer in answers:
            if answer["kind"] != {"request": "reply", "command": "outcome"}.get(first["kind"]):
                raise Bad("not-an-answer")
            if answer["correlation"] != first["id"]:
                raise Bad("other-correlation")
            consumers = [first["consumer"], ""] if answer["kind"] == "reply" else [first["consumer"]]
            if answer["target"] != first["target"] or answer["consumer"] not in consumers:
                raise Bad("other-parties")
        for header in self.headers:
            if header["provider"] and header["provider"] != header["target"].split(".")[0]:
                raise Bad("other-parties")
        positions = [message["place"][0] for message in self.file["messages"]]
        for list_of in (positions, [record["place"][0] for record in self.file["records"]]):
            if any(b <= a for a, b in zip(list_of, list_of[1:])):
                raise Bad("wrong-order")
        place = self.file["space"]["place"]
        if place and place[0] >= positions[0]:
            raise Bad("space-too-late")

    def binding(self, answer):
        digest, asked = answer["requestDigest"], self.file["messages"][0]
        if digest is None:
            if answer["kind"] == "reply":
                raise Bad("no-request-digest")
        elif digest != h(b"\0", asked["header"], asked["digest"]):
            raise Bad("other-request-digest")

    def receipt(self, receipt):
        older = open_checkpoint(receipt["checkpoint"], self.log, self.stated and self.stated["name"])
        if older[0] <= self.receipt_size:
            raise Bad("wrong-order")
        self.receipt_size = older[0]
        check_consistency(receipt["consistency"], older, self.head)


# Vectors (section 10)

def judge(data, authority):
    try:
        steps = Verifier(read_file(data), authority).run()
    except Bad as bad:
        return f"file {bad.pointer}: {bad.word}"
    for name, about, word in steps:
        if word != "ok":
            return f"{name} {about}: {word}" if about else f"{name}: {word}"
    return "ok"


def judge_checkpoint(note, key):
    try:
        open_checkpoint(note, key)
    except Bad as bad:
        return bad.word
    return "ok"


def changed(value, edit):
    value = json.loads(json.dumps(value))
    *path, last = edit["pointer"].split("/")[1:]
    inner = value
    for name in path:
        inner = inner[int(name) if isinstance(inner, list) else name]
    last = int(last) if isinstance(inner, list) else last
    if "value" in edit:
        inner[last] = json.loads(edit["value"])
    else:
        del inner[last]
    return value


def compare(folder):
    cases = json.loads((folder / "cases.json").read_text())
    authority, problems = bytes.fromhex(cases["authority"]), []

    def expect(name, found, wanted):
        if found != wanted and not ("malformed-json" in str(wanted) and "malformed-json" in str(found)):
            problems.append(f"{name}: {found!r} instead of {wanted!r}")

    for case in cases["files"]:
        log = bytes.fromhex(case["log"]) if "log" in case else None
        steps = Verifier(read_file((folder / case["file"]).read_bytes()), authority, log).run()
        expect(case["file"], steps, case["steps"])
    base = json.loads((folder / "exchange.json").read_text())
    for case in cases["changes"]:
        value = base
        for edit in case["edits"]:
            value = changed(value, edit)
        expect(case["name"], judge(json.dumps(value, ensure_ascii=False).encode(), authority), case["says"])
    for case in cases["texts"]:
        expect(case["name"], judge(case["text"].encode(), authority), case["says"])
    count = len(cases["files"]) + len(cases["changes"]) + len(cases["texts"])
    cases = json.loads((folder.parent / "signatures.json").read_text())
    for case in cases["signatures"]:
        found = is_signature(*(bytes.fromhex(case[member]) for member in ("key", "statement", "signature")))
        expect(case["name"], found, case["holds"])
    for case in cases["checkpoints"]:
        expect(case["name"], judge_checkpoint(case["note"], bytes.fromhex(case["key"])), case["says"])
    count += len(cases["signatures"]) + len(cases["checkpoints"])
    print("\n".join(problems) or f"{count} cases are judged alike")
    return 1 if problems else 0


def main(arguments):
    if len(arguments) == 2 and arguments[0] == "--vectors":
        return compare(pathlib.Path(arguments[1]))
    if len(arguments) in (3, 5) and arguments[1] == "--authority" and arguments[3:4] in ([], ["--log"]):
        try:
            file = read_file(pathlib.Path(arguments[0]).read_bytes())
        except Bad as bad:
            print(f"{bad.pointer or 'the file'}: {bad.word}")
            return 1
        log = bytes.fromhex(arguments[4]) if len(arguments) == 5 else None
        steps = Verifier(file, bytes.fromhex(arguments[2]), log).run()
        for name, about, word in steps:
            print(f"{word:20} {name} {about}")
        return 0 if all(step[2] == "ok" for step in steps) else 1
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
