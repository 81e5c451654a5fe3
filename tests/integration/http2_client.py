"""Http2: one connection of a client over HTTP/2 (python3-h2), for what curl would not send or would not
show: many streams, windows that stay closed, floods, WebSockets."""
import h2.config
import h2.connection
import h2.errors
import h2.events


class Stream:
    def __init__(self):
        self.status = None
        self.fields = {}
        self.interim = []
        self.body = bytearray()
        self.ended = False
        self.reset = None  # the error code


class Http2:
    def __init__(self, connection, acknowledge=True):
        """`connection`: a socket under TLS that agreed on h2. `acknowledge`: open windows again."""
        self.socket = connection
        self.acknowledge = acknowledge
        self.streams = {}
        self.goaway = None
        self.closed = False
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.h2.initiate_connection()
        self.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def flush(self):
        data = self.h2.data_to_send()
        if data:
            self.socket.sendall(data)

    def request(self, host, path="/", *fields, method="GET", end=True, body=b""):
        """The number of the new stream."""
        number = self.h2.get_next_available_stream_id()
        head = [(":method", method), (":scheme", "https"), (":authority", host), (":path", path), *fields]
        self.h2.send_headers(number, head, end_stream=end and not body)
        self.streams[number] = Stream()
        if body:
            self.h2.send_data(number, body, end_stream=end)
        self.flush()
        return number

    def send(self, number, data, end=False):
        self.h2.send_data(number, data, end_stream=end)
        self.flush()

    def receive(self):
        """Takes what comes next; False at the connection's end."""
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            self.closed = True
            return False
        for event in self.h2.receive_data(data):
            self._note(event)
        self.flush()
        return True

    def _note(self, event):
        stream = self.streams.get(getattr(event, "stream_id", None))
        if isinstance(event, h2.events.ConnectionTerminated):
            self.goaway = event.error_code
        elif stream is None:
            return
        elif isinstance(event, h2.events.ResponseReceived):
            stream.fields = dict(event.headers)
            stream.status = int(stream.fields[":status"])
        elif isinstance(event, h2.events.InformationalResponseReceived):
            stream.interim.append(int(dict(event.headers)[":status"]))
        elif isinstance(event, h2.events.DataReceived):
            stream.body += event.data
            if self.acknowledge:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            stream.ended = True
        elif isinstance(event, h2.events.StreamReset):
            stream.reset = event.error_code

    def until(self, condition):
        while not condition():
            if not self.receive():
                return condition()
        return True

    def response(self, number):
        """Waits for the end of a stream, good or bad."""
        stream = self.streams[number]
        self.until(lambda: stream.ended or stream.reset is not None)
        return stream

    def get(self, host, path="/", *fields, **more):
        return self.response(self.request(host, path, *fields, **more))
