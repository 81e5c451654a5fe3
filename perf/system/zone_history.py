"""Versions of a delegating zone, such as the daily root zones, replayed through brink-control in the
lab, while clients ask for referrals and judge each by the versions that were current meanwhile.

A version's records are those of NS, DS, A and AAAA below the apex, one a line with absolute names, as
the root zone is distributed. They are served below ROOT: the same tree, hung up there, so that its
glue is glue. A day is two changes: an import adds what is new, a batch deletes what is gone; between
the two, both are served."""
import http.client
import ipaddress
import json
import multiprocessing
import random
import socket
import time

import dns.flags
import dns.message
import dns.query
import dns.rdatatype
import lab_run

ROOT = "root.test."
SERVER = "192.0.2.129"
TYPES = {"NS", "DS", "A", "AAAA"}
CLIENTS = 2


def normal(kind, rdata):
    """Text that is the same for the same data; names hung up below ROOT."""
    words = rdata.split()
    if kind == "NS":
        name = words[0].lower().rstrip(".") + "."
        return name if name.endswith("." + ROOT) else name + ROOT
    if kind == "DS":
        return " ".join(words[:3] + ["".join(words[3:]).lower()])
    return str(ipaddress.ip_address(words[0]))


def read(path):
    """Sets of rdata by (owner, type)."""
    records = {}
    for line in path.read_text().splitlines():
        words = line.split(";")[0].split(None, 4)
        if len(words) < 5 or words[3] not in TYPES or words[0] == ".":
            continue
        owner = words[0].lower() + ROOT
        records.setdefault((owner, words[3]), set()).add(normal(words[3], words[4]))
    return records


def made_up(days, seed=1):
    """A zone of 1,500 delegations, and what became of it by some dozens of edits a day."""
    chance = random.Random(seed)

    def server(tld, number):
        name = f"ns{number}.nic.{tld}"
        return name, {(name, "A"): {f"192.0.{chance.randrange(256)}.{chance.randrange(256)}"},
                      (name, "AAAA"): {str(ipaddress.ip_address((0x20010db8 << 96) +
                                                                chance.getrandbits(64)))}}

    def signer():
        return f"{chance.randrange(65536)} 8 2 {chance.getrandbits(256):064x}"

    def delegate(records, tld):
        servers = [server(tld, number) for number in range(chance.randrange(2, 7))]
        records[tld, "NS"] = {name for name, _ in servers}
        for _, addresses in servers:
            records |= addresses
        if chance.random() < 0.9:
            records[tld, "DS"] = {signer()}

    def edit(records, tld):
        what = chance.choice(["signer", "signer", "address", "server", "anew"])
        if what == "signer":
            records[tld, "DS"] = {signer()}
        elif what == "address":
            records |= server(tld, chance.randrange(2))[1]
        elif what == "server":
            name, addresses = server(tld, chance.randrange(2, 9))
            records[tld, "NS"] = records[tld, "NS"] ^ {name} or {name}
            records |= addresses
        else:
            for key in [key for key in records if key[0] == tld or key[0].endswith("." + tld)]:
                del records[key]
            delegate(records, tld)

    tlds = [f"tld{i}.{ROOT}" for i in range(1500)]
    records = {}
    for tld in tlds:
        delegate(records, tld)
    for _ in range(days):
        yield dict(records)
        for tld in chance.sample(tlds, 40):
            edit(records, tld)


def states_of(versions):
    """What is served one after another: each version, and between two the union of both."""
    states = [versions[0]]
    for old, new in zip(versions, versions[1:]):
        states.append({key: old.get(key, set()) | new.get(key, set()) for key in old.keys() | new})
        states.append(new)
    return states


def lines(records):
    return f"$ORIGIN {ROOT}\n" + "".join(
        f"{owner} 86400 IN {kind} {rdata}\n" for (owner, kind), all_of in sorted(records.items())
        for rdata in sorted(all_of))


class Client:
    """Asks for names below random delegations, and for their DS. Counts in `shared` what was asked,
    wrong and lost."""

    def __init__(self, states, shared, seed):
        self.states, self.shared = states, shared
        self.random = random.Random(seed)
        self.tlds = sorted({owner for state in states for owner, kind in state if kind == "NS"})
        self.changing = [self.changes(*pair) or self.tlds for pair in zip(states, states[1:])]
        self.changing.append(self.tlds)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def run(self):
        while not self.shared["stop"].value:
            first = self.shared["served"].value
            tld = self.random.choice(self.random.choice([self.tlds, self.changing[first]]))
            signer = self.random.random() < 0.3
            query = dns.message.make_query(tld if signer else "www.example." + tld,
                                           "DS" if signer else "A", use_edns=0)
            try:
                response = dns.query.udp(query, SERVER, timeout=2, sock=self.socket)
            except dns.exception.Timeout:
                self.add("lost", 1)
                continue
            last = self.shared["begun"].value
            self.add("asked", 1)
            is_right = self.is_signer_of if signer else self.is_referral_of
            if not any(is_right(self.states[i], tld, response) for i in range(first, last + 1)):
                self.add("wrong", 1)
                print(f"wrong, states {first} to {last}: {response}", flush=True)

    def changes(self, old, new):
        """Delegations that differ."""
        names = {owner for owner, kind in old.keys() | new.keys()
                 if old.get((owner, kind)) != new.get((owner, kind))}
        return [tld for tld in self.tlds if any(name == tld or name.endswith("." + tld)
                                                for name in names)]

    def add(self, name, count):
        with self.shared[name].get_lock():
            self.shared[name].value += count

    @staticmethod
    def is_signer_of(state, tld, response):
        found = data_of(response.answer)
        if (tld, "NS") not in state:
            return response.rcode() == 3
        wanted = {(tld, "DS"): state[tld, "DS"]} if (tld, "DS") in state else {}
        return response.rcode() == 0 and found == wanted

    @staticmethod
    def is_referral_of(state, tld, response):
        """RFC 1034 4.3.2 step 3b. Of its glue some may be left out (RFC 9471), all of it with TC alone."""
        if (tld, "NS") not in state:
            return response.rcode() == 3
        glue = data_of(response.additional)
        there = {(name, kind): state[name, kind] for name in state[tld, "NS"]
                 for kind in ("A", "AAAA") if (name, kind) in state}
        return (response.rcode() == 0 and not response.answer
                and data_of(response.authority) == {(tld, "NS"): state[tld, "NS"]}
                and glue.items() <= there.items()
                and bool(glue or not there or response.flags & dns.flags.TC))


def data_of(section):
    """Sets of rdata by (owner, type)."""
    found = {}
    for rrset in section:
        kind = dns.rdatatype.to_text(rrset.rdtype)
        data = {normal(kind, item.to_text()) if kind in TYPES else item.to_text() for item in rrset}
        found[rrset.name.to_text().lower(), kind] = data
    return found


class Api:
    def __init__(self, path):
        self.path = str(path)

    def call(self, method, path, body=None):
        connection = http.client.HTTPConnection("brink", timeout=120)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(self.path)
        connection.request(method, path, json.dumps(body) if body else None,
                           {"Content-Type": "application/json"})
        reply = json.loads(connection.getresponse().read())
        connection.close()
        if not reply["success"] or reply["messages"]:
            raise RuntimeError(f"{method} {path}: {reply}")
        return reply["result"]


class Replay:
    def __init__(self, lab, versions, shared):
        self.lab, self.versions, self.shared = lab, versions, shared
        self.api = Api(lab.state / "control.sock")
        self.file = lab.state / "history.zone"
        self.took = []

    def first(self):
        self.file.write_text(lines(self.versions[0]))
        self.lab.brinkctl("zone", "import", self.file, "--zone", ROOT.rstrip("."), "--create",
                          "--activate")
        zone, = self.api.call("GET", f"/client/v4/zones?name={ROOT.rstrip('.')}")
        self.records = f"/client/v4/zones/{zone['id']}/dns_records"

    def day(self, number):
        """The changes from version `number` - 1 to this one."""
        start = time.monotonic()
        new = self.versions[number]
        self.shared["begun"].value = 2 * number - 1
        self.file.write_text(lines(new))
        self.lab.brinkctl("zone", "import", self.file, "--zone", ROOT.rstrip("."))
        self.shared["served"].value = 2 * number - 1
        gone = self.gone(new)
        self.shared["begun"].value = 2 * number
        if gone:
            self.api.call("POST", self.records + "/batch", {"deletes": gone})
        self.shared["served"].value = 2 * number
        self.took.append(time.monotonic() - start)
        return len(gone)

    def gone(self, new):
        """Ids of the records that are stored and not in `new`."""
        gone, page = [], 1
        while True:
            records = self.api.call("GET", f"{self.records}?per_page=50000&page={page}")
            if not records:
                return gone
            for record in records:
                key = record["name"] + ".", record["type"]
                if normal(record["type"], record["content"]) not in new.get(key, set()):
                    gone.append({"id": record["id"]})
            page += 1


def replay(folder, days):
    """`folder`: its files in the order of their names, or None. The JSON line's content."""
    versions = [read(path) for path in sorted(folder.iterdir())] if folder else list(made_up(days))
    states = states_of(versions)
    shared = {name: multiprocessing.Value("q", 0)
              for name in ("stop", "served", "begun", "asked", "wrong", "lost")}
    with lab_run.Lab() as lab:
        lab.edge_start(workers=f"{lab_run.WORKER_CPU}:dns+l7")
        lab.control_start()
        run = Replay(lab, versions, shared)
        run.first()
        with lab.inside("client"):
            clients = [Client(states, shared, seed) for seed in range(CLIENTS)]
        processes = [multiprocessing.Process(target=client.run) for client in clients]
        for process in processes:
            process.start()
        try:
            for number in range(1, len(versions)):
                deleted = run.day(number)
                print(f"version {number}: {deleted} record(s) gone, {run.took[-1]:.2f} s, "
                      f"{shared['asked'].value} asked", flush=True)
        finally:
            time.sleep(0.5)
            shared["stop"].value = 1
            for process in processes:
                process.join()
        header = lab.stats()["header"]
    return {"bench": "snapshot-churn", "unit": "s/version", "brink": sum(run.took) / len(run.took),
            "peer": None, "peer_name": "none", "ratio": None, "versions": len(versions),
            "records": sum(len(all_of) for all_of in versions[-1].values()),
            "images": header["snapshot_swaps"], "transactions": header["snapshot_transactions"],
            "answered": shared["asked"].value, "wrong": shared["wrong"].value,
            "lost": shared["lost"].value}
