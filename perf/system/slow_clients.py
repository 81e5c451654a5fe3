#!/usr/bin/env python3
"""Connections to brink-control's API that send a byte now and then, and never a whole request.
Usage: slow_clients.py ADDRESS PORT COUNT. Writes "COUNT open" when they are there, opens again what
the server closes, and ends with its standard input."""
import resource
import select
import socket
import sys
import time

HEAD = b"GET /client/v4/zones HTTP/1.1\r\nHost: brink\r\nX-Slow: " + b"z" * 10_000
ROUND_S = 10.0  # each sends a byte in this time


class SlowClients:
    def __init__(self, address, count):
        self.address = address
        self.sent = {}
        self.poll = select.epoll()
        self.sockets = {}
        while len(self.sockets) < count:
            self.open()

    def open(self):
        connection = socket.create_connection(self.address, timeout=30)
        connection.setblocking(False)
        self.sockets[connection.fileno()] = connection
        self.sent[connection.fileno()] = 0
        self.poll.register(connection, select.EPOLLIN | select.EPOLLHUP)

    def replace_closed(self):
        """The server has answered, or closed."""
        for number, _ in self.poll.poll(0):
            self.poll.unregister(number)
            self.sockets.pop(number).close()
            self.open()

    def send_part(self, part, parts):
        for number in list(self.sockets):
            if number % parts != part:
                continue
            at = self.sent[number]
            try:
                self.sockets[number].send(HEAD[at:at + 1])
            except OSError:
                continue  # replace_closed() sees to it
            self.sent[number] = (at + 1) % len(HEAD)


def main():
    address, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    clients = SlowClients((address, port), count)
    print(f"{len(clients.sockets)} open", flush=True)
    parts, part = 100, 0
    while not select.select([sys.stdin], [], [], 0)[0]:
        clients.replace_closed()
        clients.send_part(part, parts)
        part = (part + 1) % parts
        time.sleep(ROUND_S / parts)
    return 0


if __name__ == "__main__":
    sys.exit(main())
