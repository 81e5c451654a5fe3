"""Asks a server many questions at once, over UDP and one TCP connection, from a host of the lab."""
import select
import socket
import struct
import time

ATTEMPTS = 3
WAIT_S = 1.5
BUFFER = 4 << 20


class Server:
    """A server under comparison. `addresses`: IPv4 and IPv6, with ports."""

    def __init__(self, name, lab, v4, v6, host="client"):
        self.name, self.lab, self.host = name, lab, host
        self.addresses = {False: v4, True: v6}
        self.udp = {v6: self.open(v6, socket.SOCK_DGRAM) for v6 in (False, True)}
        self.serial = 0

    def open(self, v6, kind):
        with self.lab.inside(self.host):
            opened = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, kind)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        opened.settimeout(WAIT_S)
        opened.connect(self.addresses[v6])  # nobody else may answer
        if kind == socket.SOCK_DGRAM:
            opened.setblocking(False)
        return opened

    def send(self, batch):
        """Sends the UDP questions of a batch of (question, wire); receive() takes the answers."""
        self.batch = batch
        self.serial = (self.serial + len(batch)) % 0xffff
        self.missing = {}
        for place, (question, wire) in enumerate(batch):
            if not question.tcp:
                identifier = self.serial + place & 0xffff
                self.missing[identifier] = place
                self.udp[question.v6].send(struct.pack("!H", identifier) + wire)

    def receive(self):
        """Responses in the order of the batch; None for what was not answered."""
        answers = [None] * len(self.batch)
        for attempt in range(ATTEMPTS):
            self.collect(answers)
            if not self.missing:
                break
            if attempt + 1 < ATTEMPTS:
                for identifier, place in self.missing.items():
                    question, wire = self.batch[place]
                    self.udp[question.v6].send(struct.pack("!H", identifier) + wire)
        for v6 in (False, True):
            self.ask_stream(v6, answers)
        return answers

    def collect(self, answers):
        deadline = time.monotonic() + WAIT_S
        sockets = list(self.udp.values())
        while self.missing:
            ready, _, _ = select.select(sockets, (), (), max(0, deadline - time.monotonic()))
            if not ready:
                return
            for each in ready:
                try:
                    while self.missing:
                        response = each.recv(65535)
                        place = self.missing.pop(int.from_bytes(response[:2], "big"), None)
                        if place is not None:
                            answers[place] = response
                except BlockingIOError:
                    pass

    def ask_stream(self, v6, answers):
        places = [place for place, (question, _) in enumerate(self.batch) if question.tcp and question.v6 == v6]
        if not places:
            return
        try:
            self.pipeline(v6, places, answers)
        except OSError:
            for place in places:  # one by one: a server may close after a question
                if answers[place] is None:
                    try:
                        self.pipeline(v6, [place], answers)
                    except OSError:
                        pass

    def pipeline(self, v6, places, answers):
        with self.open(v6, socket.SOCK_STREAM) as stream:
            stream.sendall(b"".join(struct.pack("!HH", len(self.batch[place][1]) + 2, place) + self.batch[place][1]
                                    for place in places))
            received = b""
            for _ in places:
                while len(received) < 2 or len(received) < 2 + int.from_bytes(received[:2], "big"):
                    more = stream.recv(65536)
                    if not more:
                        raise ConnectionError
                    received += more
                size = int.from_bytes(received[:2], "big")
                response, received = received[2:2 + size], received[2 + size:]
                answers[int.from_bytes(response[:2], "big")] = response

    def close(self):
        for each in self.udp.values():
            each.close()
