"""An origin that behaves as the request's path says, well or badly, over raw sockets.

    scripted_origin.py PORT LOG

Listens on every address. LOG gets one line of JSON a request: connection (a number), peer, head,
and the body's size and hash. It runs as a program of its own on a host of the lab.
"""
import asyncio
import hashlib
import json
import socket
import struct
import sys

BLOCK = bytes(range(256)) * 256


class Request:
    """A head as text, and what is known of the body."""

    def __init__(self, connection, peer, head):
        self.connection, self.peer, self.head = connection, peer, head
        self.method, target, self.version = head.split("\r\n", 1)[0].split(" ")
        self.path, _, self.query = target.partition("?")
        self.fields = {}
        for line in head.split("\r\n")[1:]:
            name, _, value = line.partition(":")
            self.fields.setdefault(name.lower(), []).append(value.strip())
        self.size, self.hash, self.chunked = 0, hashlib.sha256(), False

    def field(self, name):
        return self.fields.get(name, [""])[0]

    def take(self, data):
        self.size += len(data)
        self.hash.update(data)


async def read_body(reader, request):
    if "chunked" in request.field("transfer-encoding"):
        request.chunked = True
        while True:
            size = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
            if size == 0:
                while await reader.readuntil(b"\r\n") != b"\r\n":
                    pass
                return
            request.take(await reader.readexactly(size))
            await reader.readexactly(2)
    left = int(request.field("content-length") or 0)
    while left > 0:
        data = await reader.read(min(left, 1 << 20))
        if not data:
            raise asyncio.IncompleteReadError(b"", left)
        request.take(data)
        left -= len(data)


def reset(writer):
    """Ends the connection with a RST."""
    writer.get_extra_info("socket").setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def plain(status, body, *fields):
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *fields]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


# What is sent as it stands, before the connection is closed (or reset: True).
RAW = {
    "/empty": (b"", False),
    "/reset": (b"", True),
    "/garbage": (b"these are not the bytes of a response\r\n\r\n", False),
    "/no-status": (b"HTTP/1.1\r\nContent-Length: 0\r\n\r\n", False),
    "/half-head": (b"HTTP/1.1 200 OK\r\nContent-Le", False),
    "/huge-head": (b"HTTP/1.1 200 OK\r\n" + b"X-Filler: " + b"f" * 200_000 + b"\r\n\r\n", False),
    "/two-lengths": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc", False),
    "/bad-field": (b"HTTP/1.1 200 OK\r\nBad Name: 1\r\nContent-Length: 0\r\n\r\n", False),
    "/switch": (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", False),
    "/until-close": (b"HTTP/1.1 200 OK\r\nX-Kind: until-close\r\n\r\n" + BLOCK * 3, False),
    "/until-close-1.0": (b"HTTP/1.0 200 OK\r\n\r\nold and whole", False),
    "/until-reset": (b"HTTP/1.1 200 OK\r\n\r\n" + b"cut", True),
    "/short": (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this", False),
    "/short-chunked": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", False),
    "/bad-chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n", False),
}


class Origin:
    def __init__(self, log):
        self.log = open(log, "a", buffering=1)
        self.connections = 0

    def write_log(self, request):
        self.log.write(json.dumps({
            "connection": request.connection, "peer": request.peer, "head": request.head,
            "size": request.size, "sha256": request.hash.hexdigest(), "chunked": request.chunked,
        }) + "\n")

    async def serve(self, reader, writer):
        self.connections += 1
        connection, served = self.connections, 0
        peer = writer.get_extra_info("peername")[0].removeprefix("::ffff:")
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")[:-4]
                request = Request(connection, peer, head)
                served += 1
                if not await self.answer(request, served, reader, writer):
                    break
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            pass
        finally:
            writer.close()

    async def answer(self, request, served, reader, writer):
        """False: the connection ends here."""
        path = request.path
        if path in RAW:
            self.write_log(request)
            data, with_reset = RAW[path]
            writer.write(data)
            await writer.drain()
            if with_reset:
                await asyncio.sleep(0.1)
                reset(writer)
            return False
        if path == "/once" and served > 1:  # a kept connection that is dead when it is used again
            reset(writer)
            return False
        if path == "/early":  # answers without reading the body
            self.write_log(request)
            writer.write(plain("413 Content Too Large", b"enough\n"))
            await writer.drain()
            await asyncio.sleep(0.5)
            return False
        if path == "/silent":
            self.write_log(request)
            await reader.read()  # until the edge gives up
            return False
        if request.field("expect") and path != "/no-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await read_body(reader, request)
        self.write_log(request)
        await self.respond(request, writer)
        return request.field("connection").lower() != "close"

    async def respond(self, request, writer):
        path = request.path
        if path == "/big":
            await self.send_big(request, writer)
        elif path == "/chunked":
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n")
            for size in (1, 2, 1000, 65536, 3):
                writer.write(f"{size:x};ext=1\r\n".encode() + BLOCK[:size] + b"\r\n")
                await writer.drain()
                await asyncio.sleep(0.01)
            writer.write(b"0\r\nX-Sum: 1\r\n\r\n")
        elif path == "/hints":
            writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" + plain("200 OK", b"x"))
        elif path == "/extra":
            writer.write(plain("200 OK", b"asked") + plain("200 OK", b"smuggled"))
        elif path == "/nothing":
            writer.write(b"HTTP/1.1 204 No Content\r\nX-Kind: nothing\r\n\r\n")
        elif path == "/unchanged":
            writer.write(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\nETag: \"a\"\r\n\r\n")
        elif path == "/fields":
            writer.write(plain("200 OK", b"f", "Server: hidden", "X-Accel-Redirect: /secret",
                               "Keep-Alive: timeout=5", "Connection: keep-alive, X-Hop",
                               "X-Hop: 1", "X-Kept: yes", "Set-Cookie: a=1", "Set-Cookie: b=2"))
        elif path == "/slow":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nsl")
            await writer.drain()
            await asyncio.sleep(2)
            writer.write(b"ow")
        elif path == "/to-https":
            writer.write(plain("301 Moved Permanently", b"",
                               f"Location: https://{request.field('host')}/to-https"))
        elif path == "/fault":
            writer.write(plain("503 Service Unavailable", b"the origin's own words\n"))
        else:
            body = b"" if request.method == "HEAD" else json.dumps({
                "head": request.head, "peer": request.peer, "connection": request.connection,
                "size": request.size, "sha256": request.hash.hexdigest(),
                "chunked": request.chunked}).encode()
            length = 1234 if request.method == "HEAD" else len(body)
            writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode() + body)
        await writer.drain()

    @staticmethod
    async def send_big(request, writer):
        left = int(request.query)
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {left}\r\n\r\n".encode())
        while left > 0:
            writer.write(BLOCK[:left])
            left -= min(left, len(BLOCK))
            await writer.drain()


async def main(port, log):
    origin = Origin(log)
    server = await asyncio.start_server(origin.serve, None, port, backlog=1024)
    print("ready", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
