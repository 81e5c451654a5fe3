"""Origins inside the test's process that keep every byte they got and answer as they are told.

RecordingOrigin speaks HTTP/1.1, RecordingStreams HTTP/2 under TLS. Both read requests strictly: what
is not exactly one message becomes a fault. Unless a script is given for a path, the answer's body is
the request's target, so that whoever gets an answer can tell whose it is.
"""
import re
import socket
import ssl
import threading
import time

import h2.config
import h2.connection
import h2.events
import h2.exceptions

CLOSE = object()  # in a script: the connection ends here

_LINE = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*")


class Request:
    """What an origin understood: `fields` in order, names in lower case, pseudo-fields apart."""

    def __init__(self, method, target, fields, body=b""):
        self.method, self.target, self.fields, self.body = method, target, fields, body

    def all(self, name):
        return [value for key, value in self.fields if key == name]

    def __repr__(self):
        return f"{self.method} {self.target} {self.fields} {self.body!r}"


class Fault(Exception):
    """Bytes that are no HTTP/1.1 request without a doubt."""


def _head(data):
    line, *lines = data.split(b"\r\n")
    words = line.split(b" ")
    if len(words) != 3 or words[2] != b"HTTP/1.1" or b"\r" in data.replace(b"\r\n", b""):
        raise Fault(f"request line {line!r}")
    fields = []
    for each in lines:
        if not _LINE.fullmatch(each):
            raise Fault(f"field {each!r}")
        name, _, value = each.partition(b":")
        fields.append((name.decode().lower(), value.strip(b" \t").decode("latin-1")))
    return Request(words[0].decode(), words[1].decode("latin-1"), fields)


def take_request(data):
    """The request at the beginning of `data`, and what is behind it; None while it is not whole."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    request, rest = _head(data[:end]), data[end + 4:]
    lengths, codings = request.all("content-length"), request.all("transfer-encoding")
    if len(request.all("host")) != 1 or len(lengths) + len(codings) > 1:
        raise Fault(f"fields of {request}")
    if codings:
        return _take_chunks(request, codings[0], rest)
    if lengths and not re.fullmatch(r"0|[1-9]\d*", lengths[0]):
        raise Fault(f"length of {request}")
    size = int(lengths[0]) if lengths else 0
    if len(rest) < size:
        return None
    request.body = rest[:size]
    return request, rest[size:]


def _take_chunks(request, coding, rest):
    if coding != "chunked":
        raise Fault(f"coding of {request}")
    while b"\r\n" in rest:
        size, rest = rest.split(b"\r\n", 1)
        if not re.fullmatch(rb"[0-9a-f]{1,16}", size):
            raise Fault(f"chunk {size!r}")
        size = int(size, 16)
        if len(rest) < size + 2:
            return None
        if rest[size:size + 2] != b"\r\n":
            raise Fault(f"end of chunk {rest[size:size + 2]!r}")
        request.body += rest[:size]
        rest = rest[size + 2:]
        if size == 0:  # the edge sends no trailers, so that was the empty line
            return request, rest
    return None


class _Origin:
    def __init__(self, lab, host, address, port):
        self.scripts = {}      # by target
        self.requests = []     # whole ones, of all connections
        self.faults = []
        self.raw = []
        with lab.inside(host):
            self.listener = socket.create_server((address, port), backlog=64)
        threading.Thread(target=self._accept, daemon=True).start()

    def forget(self):
        """What was seen and told so far."""
        self.requests.clear()
        self.faults.clear()
        self.scripts.clear()
        self.raw[:] = [b""] * len(self.raw)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._run, args=(connection,), daemon=True).start()

    def _run(self, connection):
        with connection:
            try:
                self.serve(connection)
            except (OSError, EOFError):
                pass


class RecordingOrigin(_Origin):
    """`raw`: what came over each connection. A script is a list of bytes to send, seconds to wait,
    functions to call, and CLOSE. A script under ("early", target) is sent as soon as the head is there."""

    def serve(self, connection):
        at = len(self.raw)
        self.raw.append(b"")
        pending, early = b"", False
        while data := connection.recv(65536):
            self.raw[at] += data
            pending += data
            if not early and b"\r\n\r\n" in pending:
                script = self.scripts.get(("early", pending.split(b" ", 2)[1].decode("latin-1")))
                if early := script is not None:
                    self.play(connection, script)
            try:
                while taken := take_request(pending):
                    request, pending = taken
                    self.requests.append(request)
                    if not early:
                        self.answer(connection, request)
                    early = False
            except Fault as fault:
                self.faults.append(str(fault))
                return

    def answer(self, connection, request):
        body = request.target.encode("latin-1")
        plain = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
        self.play(connection, self.scripts.get(
            request.target, [plain + (b"" if request.method == "HEAD" else body)]))

    @staticmethod
    def play(connection, script):
        for step in script:
            if step is CLOSE:
                raise EOFError
            if isinstance(step, bytes):
                connection.sendall(step)
            elif callable(step):
                step()
            else:
                time.sleep(step)


class RecordingStreams(_Origin):
    """Over HTTP/2. `raw`: the bytes of bodies by stream, whether or not their request became whole.
    A script is a list of calls on (h2 connection, stream number), or seconds to wait."""

    def __init__(self, lab, host, address, port, certificate, key):
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(certificate, key)
        self.context.set_alpn_protocols(["h2"])
        super().__init__(lab, host, address, port)

    def serve(self, connection):
        connection = self.context.wrap_socket(connection, server_side=True)
        protocol = h2.connection.H2Connection(h2.config.H2Configuration(
            client_side=False, header_encoding="latin-1", validate_inbound_headers=False,
            normalize_inbound_headers=False, validate_outbound_headers=False,
            normalize_outbound_headers=False))
        protocol.initiate_connection()
        connection.sendall(protocol.data_to_send())
        streams = {}
        while data := connection.recv(65536):
            try:
                events = protocol.receive_data(data)
            except h2.exceptions.ProtocolError as error:
                self.faults.append(repr(error))
                return
            for event in events:
                self._note(connection, protocol, streams, event)
            connection.sendall(protocol.data_to_send())

    def _note(self, connection, protocol, streams, event):
        if isinstance(event, h2.events.RequestReceived):
            pseudo = dict(pair for pair in event.headers if pair[0].startswith(":"))
            streams[event.stream_id] = Request(
                pseudo[":method"], pseudo[":path"], [pair for pair in event.headers])
        elif isinstance(event, h2.events.TrailersReceived):
            streams[event.stream_id].fields += [("trailer " + name, value) for name, value in event.headers]
        elif isinstance(event, h2.events.DataReceived):
            streams[event.stream_id].body += event.data
            self.raw.append(event.data)
            protocol.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            request = streams[event.stream_id]
            self.requests.append(request)
            self._answer(connection, protocol, event.stream_id, request)

    def _answer(self, connection, protocol, number, request):
        script = self.scripts.get(request.target)
        if script is None:
            body = request.target.encode("latin-1")
            protocol.send_headers(number, [(":status", "200"), ("content-length", str(len(body)))],
                                  end_stream=request.method == "HEAD")
            if request.method != "HEAD":
                protocol.send_data(number, body, end_stream=True)
            return
        for step in script:
            if callable(step):
                step(protocol, number)
                connection.sendall(protocol.data_to_send())
            else:
                time.sleep(step)
