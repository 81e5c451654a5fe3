#!/usr/bin/env python3
"""Asks a DNS server over UDP and waits for its answers, for as long as told.
Usage: dns_client.py ADDRESS WINDOW SECONDS < NAMES. Keeps WINDOW queries for A records under way, of one name
after the other, and writes a line of JSON: queries answered and lost, answers a second, ms from query to answer."""
import json
import select
import socket
import sys
import time

from snapshot_lab import NOERROR, figures, query

LOST_AFTER_S = 1.0


class Load:
    def __init__(self, address, names):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect((address, 53))
        self.socket.setblocking(False)
        self.queries = [query(name)[2:] for name in names]
        self.sent_at = {}  # by number, of those under way, the oldest first
        self.number = self.lost = 0
        self.seconds = []

    def ask(self):
        self.number = self.number + 1 & 0xFFFF
        self.socket.send(self.number.to_bytes(2, "big") + self.queries[self.number % len(self.queries)])
        self.sent_at[self.number] = time.monotonic()

    def take_answers(self):
        while True:
            try:
                response = self.socket.recv(4096)
            except BlockingIOError:
                return
            sent_at = self.sent_at.pop(int.from_bytes(response[:2], "big"), None)
            if sent_at is None:
                continue  # given up
            assert response[3] & 15 == NOERROR and response[7] != 0, response
            self.seconds.append(time.monotonic() - sent_at)

    def give_up(self):
        now = time.monotonic()
        for number, sent_at in list(self.sent_at.items()):
            if now - sent_at < LOST_AFTER_S:
                break
            del self.sent_at[number]
            self.lost += 1

    def run(self, window, seconds):
        start = time.monotonic()
        while (now := time.monotonic()) < start + seconds:
            while len(self.sent_at) < window:
                self.ask()
            select.select([self.socket], [], [], 0.1)
            self.take_answers()
            self.give_up()
        return {"answered": len(self.seconds), "lost": self.lost, "rate": len(self.seconds) / (now - start),
                "ms": figures(self.seconds, 1e3)}


def main():
    address, window, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    print(json.dumps(Load(address, sys.stdin.read().split()).run(window, seconds)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
