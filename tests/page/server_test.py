# SPDX-License-Identifier: MPL-2.0
"""The page's server, attacked: who is let in, what is refused, what a page that does not read costs."""

import base64
import contextlib
import hashlib
import http.client
import json
import os
import pathlib
import signal
import socket
import struct
import sys
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "net"))

# pylint: disable=wrong-import-position
from harness import alone
from harness.alone import PROGRAM, WAIT_S


class Node(alone.Node):
    """A node and its page."""

    def start(self, *options, language=None):
        ready = super().start(*options, language=language)
        base, self.token = ready.removeprefix("ready ").split("#")
        self.port = int(base.rsplit(":", 1)[1].strip("/"))
        self.origin = f"http://127.0.0.1:{self.port}"
        return ready

    def another_token(self):
        return self.run("page")["address"].split("#")[1]

    def ask(self, path, method="GET", body=None, **headers):
        """The answer, its body read; header names with _ for -."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)
        try:
            link.request(method, path, body,
                         {name.replace("_", "-"): value for name, value in headers.items()})
            answer = link.getresponse()
            answer.body = answer.read()
            return answer
        finally:
            link.close()

    def enter(self, token=None):
        """The two halves of a session, as the headers that show them."""
        answer = self.ask("/session", "POST", Origin=self.origin,
                          Authorization=f"Bearer {token or self.another_token()}")
        assert answer.status == 200, answer.status
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie and "SameSite=Strict" in cookie, cookie
        return {"Cookie": cookie.split(";")[0], "key": json.loads(answer.body)["key"]}

    def known(self, session, **headers):
        return {"Cookie": session["Cookie"], "Authorization": f"Bearer {session['key']}",
                "Origin": self.origin, **headers}

    def memory_kb(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(status.split("VmRSS:")[1].split()[0])


class Live:
    """A WebSocket, spoken by hand so that it can be spoken wrongly."""

    def __init__(self, node, session, path="/live", **headers):
        self.link = socket.create_connection(("127.0.0.1", node.port), WAIT_S)
        self.stream = self.link.makefile("rb")
        self.had = 0
        nonce = base64.b64encode(os.urandom(16)).decode()
        shown = {"Host": f"127.0.0.1:{node.port}", "Origin": node.origin, "Upgrade": "websocket",
                 "Connection": "Upgrade", "Sec-WebSocket-Key": nonce, "Sec-WebSocket-Version": "13",
                 "Sec-WebSocket-Protocol": f"maillon, {session['key']}",
                 "Cookie": session["Cookie"],
                 **{name.replace("_", "-"): value for name, value in headers.items()}}
        lines = [f"GET {path} HTTP/1.1"] + [f"{name}: {value}" for name, value in shown.items()
                                            if value is not None]
        self.link.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self.status = int(self.stream.readline().split()[1])
        while self.stream.readline().strip():
            pass
        expected = hashlib.sha1((nonce + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode())
        assert expected.digest()

    def send(self, body, opcode=1, final=True):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        head = bytes([(final << 7) | opcode])
        if len(body) < 126:
            head += bytes([0x80 | len(body)])
        elif len(body) < 65536:
            head += bytes([0x80 | 126]) + struct.pack(">H", len(body))
        else:
            head += bytes([0x80 | 127]) + struct.pack(">Q", len(body))
        self.link.sendall(head + b"\0\0\0\0" + body)

    def take(self):
        """The next message; None when the node hung up, or said it would."""
        head = self.stream.read(2)
        if len(head) < 2 or head[0] & 15 == 8:
            return None
        self.had += 1
        length = head[1] & 127
        if length == 126:
            length = struct.unpack(">H", self.stream.read(2))[0]
        elif length == 127:
            length = struct.unpack(">Q", self.stream.read(8))[0]
        return json.loads(self.stream.read(length))

    def until(self, wanted):
        """The first message that fits."""
        while True:
            message = self.take()
            assert message is not None, "the node hung up"
            if wanted(message):
                return message

    def command(self, number, command, **arguments):
        self.send({"id": number, "command": command, "arguments": arguments})
        return self.until(lambda message: message.get("id") == number and "ok" in message)

    def close(self):
        self.stream.close()
        self.link.close()


def node(place):
    """A running node in a folder, ended cleanly."""
    return alone.running(Node(place / "home"))


def entering(place):
    """a token is good once; both halves of a session are needed, and outlive a killed node"""
    with node(place) as a:
        session = a.enter(a.token)
        assert json.loads(a.ask("/status.json", **a.known(session)).body)["name"] == "Zoé"
        for token in (a.token, "0" * 32, "", a.token[:-1]):
            answer = a.ask("/session", "POST", Origin=a.origin, Authorization=f"Bearer {token}")
            assert answer.status == 403 and "Set-Cookie" not in answer.headers, token
        other = a.enter()
        key, cookie = {"Authorization": f"Bearer {session['key']}"}, session["Cookie"]
        forged = cookie[:-1] + ("0" if cookie[-1] != "0" else "1")
        future = cookie.replace("=", "=9", 1)
        for headers in ({}, key, {"Cookie": cookie}, {**key, "Cookie": forged},
                        {**key, "Cookie": future}, {"Authorization": "Bearer x", "Cookie": cookie},
                        {**key, "Cookie": cookie.replace("maillon-", "maillon-1")}):
            assert a.ask("/status.json", **headers).status == 403, headers
        query = f"/status.json?key={session['key']}"
        assert a.ask(query, Cookie=cookie).status == 200 and a.ask(query).status == 403
        renewed = a.ask("/session", "POST", **a.known(session))
        assert renewed.status == 200 and renewed.headers["Set-Cookie"], renewed.status
        first = a.another_token()
        for _ in range(8):
            a.another_token()
        assert a.ask("/session", "POST", Origin=a.origin,
                     Authorization=f"Bearer {first}").status == 403
        a.end(signal.SIGKILL)
        a.start()
        for known in (session, other):
            assert a.ask("/status.json", **a.known(known)).status == 200
        assert a.ask("/session", "POST", Origin=a.origin,
                     Authorization=f"Bearer {first}").status == 403


def strangers(place):
    """other sites, other hosts' names, other methods and junk get nothing"""
    with node(place) as a:
        session = a.enter()
        known = a.known(session)
        answer = a.ask("/", Accept_Language="de, fr;q=0.8, en;q=0.5")
        assert answer.status == 200 and b'<html lang="fr"' in answer.body, answer.body[:200]
        assert b"{{" not in answer.body
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy, policy
        for name, value in (("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"),
                            ("Referrer-Policy", "no-referrer"), ("X-Frame-Options", "DENY")):
            assert answer.headers[name] == value, answer.headers
        assert b'<html lang="en"' in a.ask("/", Accept_Language="en-GB").body
        for headers in ({"Origin": "http://example.org"}, {"Origin": "null"},
                        {"Origin": a.origin.replace("http", "https")},
                        {"Host": f"example.org:{a.port}"}, {"Host": "127.0.0.1"},
                        {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
            for path in ("/", "/status.json"):
                answer = a.ask(path, **{**known, **headers})
                assert answer.status == 403 and "Zoé".encode() not in answer.body, headers
            status = Live(a, session, **headers).status
            assert status == 403, (headers, status)
        assert Live(a, session, Origin=None).status == 403
        assert Live(a, {**session, "key": "x"}).status == 403
        assert Live(a, {**session, "Cookie": "a=b"}).status == 403
        silent = {name: value for name, value in known.items() if name != "Origin"}
        assert a.ask("/session", "POST", **silent).status == 403
        assert a.ask("/qr", "POST", "x", **silent).status == 403
        for path, method in (("/", "POST"), ("/status.json", "DELETE"), ("/session", "GET"),
                             ("/documents?name=x", "PUT")):
            assert a.ask(path, method, "x" * 100_000, **known).status == 405, path
        for path in ("/../../etc/passwd", "//", "/page", "/documents/", "/documents/zz",
                     "/documents/" + "0" * 64, "/previews/" + "0" * 64):
            assert a.ask(path, **known).status == 404, path
        for junk in (os.urandom(5000), b"\0" * 5000, b"GET / HTTP/9.9\r\n\r\n",
                     b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 50_000):
            with socket.create_connection(("127.0.0.1", a.port), 5) as link, \
                    contextlib.suppress(OSError):
                link.sendall(junk)
                link.shutdown(socket.SHUT_WR)
                link.recv(100)
        assert a.ask("/").status == 200


def commands(place):
    """commands and events go over one WebSocket as over the bus, and resume from a number"""
    with node(place) as a:
        session = a.enter()
        page = Live(a, session)
        welcome = page.take()
        assert welcome["event"] == "welcome" and not welcome["resumed"], welcome
        assert page.command(1, "say", text="trop tôt")["code"] == "refused"
        assert page.command(2, "no such thing")["code"] == "usage"
        page.send({"id": 9, "command": "join", "arguments": {"ticket": "maillon:x"},
                   "language": "fr"})
        refused = page.until(lambda message: message.get("id") == 9)
        assert "invitation" in refused["error"], refused
        assert page.command(3, "meeting create", title="Crue")["ok"]
        page.send({"id": 4, "command": "say", "arguments": {"text": "bonjour"}})
        said, answered = None, None
        while said is None or answered is None:
            message = page.take()
            said = message if message.get("event") == "message" else said
            answered = message if message.get("id") == 4 else answered
        assert said["message"]["text"] == "bonjour" and answered["ok"], (said, answered)
        page.close()
        for text in ("un", "deux", "trois"):
            a.run("say", text)
        place_seen = f"/live?run={welcome['run']}&after={said['number']}"
        page = Live(a, session, place_seen)
        again = page.take()
        assert again["resumed"] and again["number"] == said["number"], again
        texts = [page.until(lambda m: m.get("event") == "message") for _ in range(3)]
        assert [message["message"]["text"] for message in texts] == ["un", "deux", "trois"]
        page.close()
        for path in (f"/live?run={welcome['run']}&after=999999", "/live?run=0&after=1",
                     f"/live?run={welcome['run']}&after=-1", "/live?after=x"):
            page = Live(a, session, path)
            assert page.take()["resumed"] is False, path
            page.close()
        rows = a.ask("/qr", "POST", "maillon:abc", **a.known(session)).body.decode().split()
        assert len(rows) == len(rows[0]) >= 21 and set("".join(rows)) == {"0", "1"}, rows
        assert a.ask("/qr", "POST", "x" * 5000, **a.known(session)).status == 413


def rude(place):
    """what is no command hangs up or is refused; the node goes on"""
    with node(place) as a:
        session = a.enter()
        for body, opcode in ((b"x" * 300_000, 1), (b"{", 1), (b"[]", 1), (b"\xff\xfe", 1),
                             (b"{}", 2), (b'{"seen": 5}', 1), (b'{"seen": -5}', 1),
                             (b'{"seen": 99999999999999999999}', 1), (b"[" * 1000, 1)):
            page = Live(a, session)
            page.take()
            with contextlib.suppress(OSError):
                page.send(body, opcode)
                while True:
                    message = page.take()
                    if message is None or message.get("ok") is False:
                        break
            page.close()
        page = Live(a, session)
        page.take()
        assert page.command(7, "status")["result"]["name"] == "Zoé"
        pages = [Live(a, session) for _ in range(20)]
        greeted = [page.take() for page in pages]
        assert greeted.count(None) == 5, greeted.count(None)
        assert page.command(8, "status")["ok"]


def slow(place):
    """a page that does not read is sent no more, and asks for everything when it reads again"""
    with node(place) as a:
        session = a.enter()
        quick, page = Live(a, session), Live(a, session)
        for one in (quick, page):
            one.take()
        assert quick.command(1, "meeting create", title="Crue")["ok"]
        before = a.memory_kb()
        for batch in range(6):
            for number in range(100):
                quick.send({"id": 2 + batch * 100 + number, "command": "say",
                            "arguments": {"text": "x" * 4000}})
            answers = 0
            while answers < 100:
                message = quick.take()
                answers += "ok" in message
                assert message.get("ok", True), message
            quick.send({"seen": quick.had})
        print(f"# 600 messages of 4 kB to a page that does not read: {a.memory_kb() - before} kB"
              " more, the messages themselves and the newest events included", flush=True)
        page.command(9, "status")
        assert page.had < 300, page.had
        page.send({"seen": page.had})
        welcome = page.until(lambda message: message.get("event") == "welcome")
        assert welcome["resumed"] is False, welcome
        assert len(page.command(1, "messages")["result"]) == 600
        flood = Live(a, session)
        flood.take()
        with contextlib.suppress(OSError):
            for number in range(100):
                flood.send({"id": number, "command": "messages"})
            while flood.take() is not None:
                pass
        assert quick.command(5000, "status")["ok"]


def documents(place):
    """documents go up and down whole, bounded, and can do nothing in a frame"""
    with node(place) as a:
        session = a.enter()
        known = a.known(session)

        def up(name, body, **headers):
            return a.ask("/documents?name=" + urllib.parse.quote(name), "POST", body,
                         **{**known, **headers})
        assert json.loads(up("a.pdf", b"x").body)["code"] == "refused"
        assert json.loads(up("a.pdf", b"x" * 5_000_000).body)["code"] == "refused"
        a.run("meeting", "create", "Plan")
        for size in (0, 1, 4096, 262145, 3_000_001):
            original = os.urandom(size)
            answer = json.loads(up(f"plan «{size}» 100%.pdf", original).body)
            assert answer["ok"], answer
            path = f"/documents/{answer['result']['id']}?key={session['key']}"
            got = a.ask(path, Cookie=session["Cookie"])
            assert got.status == 200 and got.body == original, (size, len(got.body))
            assert got.headers["Content-Disposition"].startswith("attachment;"), got.headers
            assert got.headers["Content-Type"] == "application/octet-stream"
            assert a.ask(path.split("?")[0]).status == 403
        names = {document["name"] for document in a.run("doc", "list")}
        assert "plan «0» 100%.pdf" in names, names
        nasty = '<img src=x onerror=alert(1)>'
        page = b"<script>alert(1)</script>"
        shown = json.loads(up(nasty, page).body)["result"]["id"]
        preview = a.ask(f"/previews/{shown}?key={session['key']}", Cookie=session["Cookie"])
        assert preview.headers["Content-Type"].startswith("text/plain"), preview.headers
        assert "sandbox" in preview.headers["Content-Security-Policy"], preview.headers
        assert preview.headers["X-Content-Type-Options"] == "nosniff"
        blob = json.loads(up("blob", b"\0\1\2" * 100).body)["result"]["id"]
        assert a.ask(f"/previews/{blob}?key={session['key']}",
                     Cookie=session["Cookie"]).status == 415
        assert up("a\nb/../c", b"1").status == 200
        assert up("", b"1").status == 400
        assert up("x", b"1", Origin="http://example.org").status == 403
        large = http.client.HTTPConnection("127.0.0.1", a.port, timeout=WAIT_S)
        large.putrequest("POST", "/documents?name=x")
        for name, value in {**known, "Content-Length": str(200 * 1024 * 1024)}.items():
            large.putheader(name, value)
        large.endheaders()
        with contextlib.suppress(OSError):
            for _ in range(200):
                large.send(b"\0" * (1 << 20))
        with contextlib.suppress(OSError, http.client.HTTPException):
            assert large.getresponse().status == 413
        large.close()
        before = len(a.run("doc", "list"))
        cut = socket.create_connection(("127.0.0.1", a.port), WAIT_S)
        lines = ["POST /documents?name=cut HTTP/1.1", f"Host: 127.0.0.1:{a.port}",
                 "Content-Length: 1000000", *(f"{name}: {value}" for name, value in known.items())]
        cut.sendall(("\r\n".join(lines) + "\r\n\r\n").encode() + b"x" * 300_000)
        cut.close()
        assert json.loads(up("after", b"1").body)["ok"]
        assert len(a.run("doc", "list")) == before + 1
        assert not list(pathlib.Path(a.home).rglob("*.pdf"))


if __name__ == "__main__":
    alone.main(entering, strangers, commands, rude, slow, documents)
