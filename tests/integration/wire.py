"""Wire: HTTP/1 by hand over one TCP connection, for what no well-behaved client would send."""
import socket
import struct


class Response:
    def __init__(self, head, body):
        line, *fields = head.decode("latin-1").split("\r\n")
        self.version, status, self.reason = (line.split(" ", 2) + [""])[:3]
        self.status = int(status)
        self.fields = [(name.lower(), value.strip())
                       for name, _, value in (field.partition(":") for field in fields)]
        self.body = body

    def field(self, name):
        """All values of a field, joined; None when it is absent."""
        values = [value for key, value in self.fields if key == name.lower()]
        return ", ".join(values) if values else None

    def names(self):
        return {name for name, _ in self.fields}


class Wire:
    def __init__(self, connection):
        self.connection = connection
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def send(self, data):
        self.connection.sendall(data if isinstance(data, bytes) else data.encode())
        return self

    def get(self, host, path="/", *fields, method="GET"):
        return self.send("\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {host}", *fields]) + "\r\n\r\n")

    def _receive(self):
        data = self.connection.recv(65536)
        if not data:
            raise EOFError(f"closed after {self.buffer[-200:]!r}")
        return data

    def more(self):
        self.buffer += self._receive()

    def _until(self, mark):
        while mark not in self.buffer:
            self.more()
        part, self.buffer = self.buffer.split(mark, 1)
        return part

    def _exactly(self, size):
        # Joined once: a long body would be copied with each piece of it.
        pieces, got = [], len(self.buffer)
        try:
            while got < size:
                pieces.append(self._receive())
                got += len(pieces[-1])
        finally:
            self.buffer += b"".join(pieces)
        part, self.buffer = self.buffer[:size], self.buffer[size:]
        return part

    def rest(self):
        """Everything until the peer closes."""
        try:
            while True:
                self.more()
        except EOFError:
            part, self.buffer = self.buffer, b""
            return part

    def response(self, method="GET"):
        """The next response; EOFError when the connection ends inside it."""
        got = Response(self._until(b"\r\n\r\n"), b"")
        if method == "HEAD" or got.status < 200 or got.status in (204, 304):
            return got
        if got.field("transfer-encoding") == "chunked":
            while True:
                size = int(self._until(b"\r\n").split(b";")[0], 16)
                if size == 0:
                    while self._until(b"\r\n"):
                        pass
                    return got
                got.body += self._exactly(size)
                assert self._exactly(2) == b"\r\n"
        length = got.field("content-length")
        got.body = self.rest() if length is None else self._exactly(int(length))
        return got

    def closed(self):
        """True when the peer closes or resets without another byte."""
        try:
            return not self.buffer and self.connection.recv(1) == b""
        except ConnectionResetError:
            return True

    def finish(self):
        self.connection.shutdown(socket.SHUT_WR)

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
