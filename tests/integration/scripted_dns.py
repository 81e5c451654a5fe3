"""A DNS server that answers as a file says, read anew for every question: a resolver and the name
servers of a parent at once.

    scripted_dns.py SCRIPT LOG ADDRESS:PORT...

SCRIPT is JSON: {"NAME TYPE": {"rcode": "NOERROR", "aa": false, "answer": [record...],
"authority": [record...], "truncate": false, "silent": false}}, a record being "NAME TTL TYPE DATA".
"NAME TYPE @ADDRESS" is what the server answers at that address alone. What is not in the script is
refused. LOG gets one line of JSON a question: name, type, transport, address, recursion.
"""
import json
import socket
import struct
import sys
import threading

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


class Server:
    def __init__(self, script, log):
        self.script, self.log = script, open(log, "a", buffering=1)
        self.lock = threading.Lock()

    def answer(self, wire, transport, address):
        """The answer's octets; None: silence."""
        query = dns.message.from_wire(wire)
        asked = query.question[0]
        key = f"{asked.name.to_text(omit_final_dot=True) or '.'} {dns.rdatatype.to_text(asked.rdtype)}"
        with self.lock:
            self.log.write(json.dumps({
                "question": key, "transport": transport, "address": address,
                "recursion": bool(query.flags & dns.flags.RD)}) + "\n")
        with open(self.script) as file:
            script = json.load(file)
        said = script.get(f"{key} @{address}", script.get(key, {"rcode": "REFUSED"}))
        if said.get("silent"):
            return None
        reply = dns.message.make_response(query, recursion_available=True)
        reply.set_rcode(dns.rcode.from_text(said.get("rcode", "NOERROR")))
        if said.get("aa"):
            reply.flags |= dns.flags.AA
        if said.get("truncate") and transport == "udp":
            reply.flags |= dns.flags.TC
            return reply.to_wire()
        for section in ("answer", "authority"):
            for record in said.get(section, []):
                name, ttl, kind, data = record.split(" ", 3)
                getattr(reply, section).append(dns.rrset.from_text(name, int(ttl), "IN", kind, data))
        return reply.to_wire()

    def serve_udp(self, server, address):
        while True:
            wire, peer = server.recvfrom(4096)
            reply = self.answer(wire, "udp", address)
            if reply is not None:
                server.sendto(reply, peer)

    def serve_tcp(self, server, address):
        while True:
            connection, _ = server.accept()
            with connection:
                connection.settimeout(5)
                try:
                    size, = struct.unpack("!H", connection.recv(2, socket.MSG_WAITALL))
                    reply = self.answer(connection.recv(size, socket.MSG_WAITALL), "tcp", address)
                    if reply is not None:
                        connection.sendall(struct.pack("!H", len(reply)) + reply)
                except (OSError, struct.error):
                    pass


def main(script, log, *places):
    server = Server(script, log)
    threads = []
    for place in places:
        address, port = place.rsplit(":", 1)
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        datagrams.bind((address, int(port)))
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, int(port)))
        listener.listen(16)
        threads += [threading.Thread(target=server.serve_udp, args=(datagrams, address)),
                    threading.Thread(target=server.serve_tcp, args=(listener, address))]
    for thread in threads:
        thread.start()
    print("ready", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
