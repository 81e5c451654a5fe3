"""CrashLab: brink-control and brink-edge in a lab, killed and started again while writers change zones
through the API and observers ask what is served (zone_model.History)."""
import http.client
import json
import os
import random
import signal
import socket
import struct
import threading
import time

import edge_control
from lab import Lab
from zone_model import NODATA, NXDOMAIN, REFUSED, History, Zone

DNS4 = "192.0.2.129"
TXT = 16
STOPPING = 12010  # the API's code
BULK_NAMES = 2500  # five turns of the edge's main thread, and fewer than a whole image is made for
# Names that bring empty non-terminals and wildcards with them, some over others.
NAMES = ["www", "mail", "a.b.c.d.e", "x.c.d.e", "c.d.e", "*.w", "one.w", "*.deep.er", "f.g.deep.er",
         "*.q.r.s", "t", "u.t", "v.u.t"]
# What is asked for besides: what lies between them, and what wildcards stand for.
PROBES = NAMES + ["", "b.c.d.e", "d.e", "e", "w", "two.w", "2.1.w", "deep.er", "er", "g.deep.er",
                  "h.deep.er", "z.q.r.s", "r.s", "absent", "absent.t"]


class Resolver:
    """Asks for TXT records from the lab's client; one thread."""

    def __init__(self, lab, server=DNS4):
        with lab.inside("client"):
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect((server, 53))
        self.id = random.randrange(65536)

    def close(self):
        self.socket.close()

    def ask(self, zone, name, timeout=5):
        """The answer, as zone_model has them. TimeoutError: none came."""
        return self.ask_all([(zone, name)], timeout)[zone, name]

    def ask_all(self, questions, timeout=20, window=32):
        """Answers by (zone, name). What is not answered within a second is asked again."""
        deadline = time.monotonic() + timeout
        left, waiting, answers = list(dict.fromkeys(questions)), {}, {}
        while left or waiting:
            while left and len(waiting) < window:
                question = left.pop()
                self.id = (self.id + 1) & 0xffff
                packet = query(self.id, *question)
                waiting[self.id] = question, packet, time.monotonic()
                self._send(packet)
            received = self._receive(min(1, max(0.001, deadline - time.monotonic())))
            if received is not None:
                number, = struct.unpack_from("!H", received)
                if number in waiting:
                    question, packet, _ = waiting[number]
                    if received[12:12 + len(packet) - 12] == packet[12:]:
                        del waiting[number]
                        answers[question] = parse(received, len(packet))
                        continue
            if time.monotonic() > deadline:
                raise TimeoutError(f"no answer for {sorted(q for q, _, _ in waiting.values())[:3]}")
            for number, (question, packet, sent) in waiting.items():
                if time.monotonic() > sent + 1:
                    waiting[number] = question, packet, time.monotonic()
                    self._send(packet)
        return answers

    def _send(self, packet):
        try:
            self.socket.send(packet)
        except ConnectionRefusedError:
            pass  # what the one before was answered with

    def _receive(self, timeout):
        self.socket.settimeout(timeout)
        try:
            return self.socket.recv(4096)
        except (TimeoutError, ConnectionRefusedError):
            return None


def query(number, zone, name):
    labels = [label.encode() for label in f"{name}.{zone}".strip(".").split(".")]
    return struct.pack("!6H", number, 0, 1, 0, 0, 0) + b"".join(
        bytes([len(label)]) + label for label in labels) + struct.pack("!BHH", 0, TXT, 1)


def parse(response, question_end):
    """An answer as zone_model has them, or its odd parts as a word that nobody expects."""
    _, flags, _, answers = struct.unpack_from("!4H", response)
    rcode = flags & 15
    if rcode == 0 and answers == 0:
        return NODATA
    if rcode == 0 and answers == 1:
        kind, _, _, size, length = struct.unpack_from("!HHIHB", response, question_end + 2)
        if kind == TXT and size == length + 1:
            return "TXT", response[question_end + 13:question_end + 13 + length].decode()
    if answers == 0 and rcode in (3, 5):
        return NXDOMAIN if rcode == 3 else REFUSED
    return f"rcode {rcode} with {answers} answer(s)"


class Unknown(Exception):
    """The API gave no answer: nobody knows what became of the request."""


class Api:
    """The API over its UNIX socket, a connection for each request."""

    def __init__(self, path):
        self.path = str(path)

    def call(self, method, path, body=None):
        """The reply's body. Unknown when the other side went away meanwhile."""
        connection = http.client.HTTPConnection("brink", timeout=120)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(120)
        try:
            connection.sock.connect(self.path)
            connection.request(method, path, json.dumps(body) if body is not None else None,
                               {"Content-Type": "application/json"})
            reply = json.loads(connection.getresponse().read())
        except (OSError, http.client.HTTPException, json.JSONDecodeError) as fault:
            if isinstance(fault, TimeoutError):
                raise
            raise Unknown(str(fault)) from fault
        finally:
            connection.close()
        if not reply["success"] and reply["errors"][0]["code"] == STOPPING:
            raise Unknown(reply["errors"][0]["message"])
        assert reply["success"], f"{method} {path}: {reply['errors']}"
        return reply

    def get(self, path):
        return self.call("GET", path)["result"]


class Writer:
    """Changes zones of its own, one request after the other; knows what must be in the store and
    what must be served. `bulk`: one zone, all of whose names change with each request."""

    def __init__(self, name, api, seed, bulk=False):
        self.name, self.api, self.bulk = name, api, bulk
        self.random = random.Random(f"{seed} {name}")
        self.zones = [f"{name}-{i}.test" for i in range(1 if bulk else 3)]
        self.history = History({})
        self.zone_ids, self.record_ids = {}, {}
        self.texts = 0
        self.acknowledged = self.stored = self.unknown = 0
        self.unresolved = False  # the outcome of the last change is not known
        self.notes = set()

    def questions(self):
        names = [f"n{i}" for i in range(BULK_NAMES)] if self.bulk else PROBES
        return [(zone, name) for zone in self.zones for name in names]

    def step(self):
        """One change. Unknown when its outcome is: then resolve() comes before the next."""
        zone = self.random.choice(self.zones)
        state = self.history.newest
        if zone not in state:
            return self.create(zone)
        if self.bulk:
            return self.change_all(zone)
        roll = self.random.random()
        if roll < 0.06:
            return self.delete(zone)
        return self.change_some(zone, 1 if roll < 0.5 else self.random.randrange(2, 10))

    def create(self, zone):
        reply = self._do({zone: Zone()}, "POST", "/client/v4/zones", {"name": zone})
        self.zone_ids[zone] = reply["id"]

    def delete(self, zone):
        self._do({zone: None}, "DELETE", f"/client/v4/zones/{self.zone_ids.pop(zone)}")
        self.record_ids = {key: i for key, i in self.record_ids.items() if key[0] != zone}

    def change_some(self, zone, count):
        """A single record or a batch; what is there is changed or deleted, what is not is added."""
        there = self.history.newest[zone].names
        changes = {}
        for name in self.random.sample(NAMES, count):
            gone = name in there and self.random.random() < 0.4
            changes[name] = None if gone else self._text()
        if count > 1:
            return self._batch(zone, changes)
        (name, text), = changes.items()
        path = self._path(zone)
        if name not in there:
            self.record_ids[zone, name] = self._do(self._changed(zone, changes), "POST", path,
                                                   self._record(name, text))["id"]
        elif text is None:
            self._do(self._changed(zone, changes), "DELETE",
                     f"{path}/{self.record_ids[zone, name]}")
        else:
            self._do(self._changed(zone, changes), "PATCH",
                     f"{path}/{self.record_ids[zone, name]}", {"content": f'"{text}"'})

    def change_all(self, zone):
        time.sleep(self.random.uniform(0, 0.1))  # the others' turn
        text = self._text()
        self._batch(zone, {f"n{i}": text for i in range(BULK_NAMES)})

    def resolve(self):
        """Compares the store with what it must have: everything that was answered, and of a request
        without an answer all or nothing; goes on from there."""
        stored = self.stored_state()
        state = {zone: content for zone, content, _, _ in stored}
        if self.unresolved and not same(state, self.history.newest):
            self.history.take_back()
        self.unresolved = False
        assert same(state, self.history.newest), \
            f"{self.name}: stored is {shown(state)}, not {shown(self.history.newest)}"
        self.zone_ids = {zone: i for zone, _, i, _ in stored}
        self.record_ids = {(zone, name): i for zone, _, _, ids in stored for name, i in ids.items()}

    def stored_state(self):
        """Zone, its content, its id, and its records' ids, of each that is in the store."""
        found = []
        for zone in self.zones:
            for item in self.api.get(f"/client/v4/zones?name={zone}"):
                records = self.api.get(f"/client/v4/zones/{item['id']}/dns_records?per_page=50000")
                names = {self._below(r["name"], zone): r for r in records}
                assert len(names) == len(records), f"{zone} has a name twice"
                content = Zone({name: r["content"].strip('"') for name, r in names.items()})
                found.append((zone, content, item["id"], {n: r["id"] for n, r in names.items()}))
        return found

    def _batch(self, zone, changes):
        there = self.history.newest[zone].names
        lists = {"deletes": [], "patches": [], "posts": []}
        order = []
        for name, text in changes.items():
            if name not in there:
                if text is not None:
                    lists["posts"].append(self._record(name, text))
                    order.append(name)
            elif text is None:
                lists["deletes"].append({"id": self.record_ids[zone, name]})
            else:
                lists["patches"].append({"id": self.record_ids[zone, name], "content": f'"{text}"'})
        result = self._do(self._changed(zone, changes), "POST", self._path(zone) + "/batch",
                          {name: items for name, items in lists.items() if items})
        for name, record in zip(order, result["posts"]):
            self.record_ids[zone, name] = record["id"]

    def _do(self, changes, method, path, body=None):
        state = self.history.newest | changes
        number = self.history.begin({z: content for z, content in state.items() if content})
        try:
            reply = self.api.call(method, path, body)
        except Unknown:
            self.unknown += 1
            self.unresolved = True
            raise
        if reply["messages"]:
            self.stored += 1
            self.notes |= {message["message"] for message in reply["messages"]}
        else:
            self.acknowledged += 1
            self.history.served(number)
        return reply["result"]

    def _changed(self, zone, changes):
        return {zone: self.history.newest[zone].with_names(changes)}

    def _path(self, zone):
        return f"/client/v4/zones/{self.zone_ids[zone]}/dns_records"

    def _text(self):
        self.texts += 1
        return f"{self.name} {self.texts}"

    @staticmethod
    def _record(name, text):
        return {"type": "TXT", "name": name, "content": f'"{text}"'}

    @staticmethod
    def _below(name, zone):
        return "" if name == zone else name[:-len(zone) - 1]


def same(one, other):
    return shown(one) == shown(other)


def shown(state):
    return {zone: content.names for zone, content in state.items()}


class Observer:
    """Asks for what writers change, a few names at a time, and judges each answer: many names of a
    large change one after the other, so that one which is half visible is seen to be.
    `lossless`: an answer that does not come is a fault."""

    def __init__(self, lab, writers, seed, lossless):
        self.resolver = Resolver(lab)
        self.random = random.Random(f"{seed} observer")
        self.questions = [(writer, writer.questions()) for writer in writers]
        self.lossless = lossless
        self.asked = self.lost = 0
        self.faults = []

    def step(self):
        time.sleep(0.0002)  # the writers' turn
        writer, questions = self.random.choice(self.questions)
        for _ in range(5 if writer.bulk else 1):
            self._look(writer.history, self.random.sample(questions, 8))

    def _look(self, history, questions):
        floor = history.floor()
        try:
            seen = self.resolver.ask_all(questions, timeout=5 if self.lossless else 0.2)
        except TimeoutError as fault:
            self.lost += 1
            if self.lossless:
                self.faults.append(str(fault))
            return
        self.asked += len(seen)
        for (zone, name), found in seen.items():
            if fault := history.saw(floor, zone, name, found):
                self.faults.append(fault)


class Load:
    """Writers and an observer at work, each on a thread of its own."""

    def __init__(self, writers, observer):
        self._writing, self._observing = threading.Event(), threading.Event()
        self._failures = []
        self._writers = [threading.Thread(target=self._run, args=(writer.step, self._writing))
                         for writer in writers]
        self._observer = threading.Thread(target=self._run, args=(observer.step, self._observing))

    def __enter__(self):
        for event in (self._writing, self._observing):
            event.set()
        for thread in [*self._writers, self._observer]:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop_writers()
        self._observing.clear()
        self._observer.join()
        if self._failures:
            raise self._failures[0]

    def stop_writers(self):
        """Each ends what it is at."""
        self._writing.clear()
        for thread in self._writers:
            thread.join()

    def _run(self, step, going):
        while going.is_set():
            try:
                step()
            except Unknown:
                return
            except BaseException as failure:  # told to the test on its own thread
                self._failures.append(failure)
                return


class CrashLab(Lab):
    """The lab, with processes that can be killed at once, and started again."""

    def start_edge(self, *arguments):
        self.edge_start(arguments=arguments)

    def start_control(self, *arguments):
        self.control_start("--reconnect-interval-ms", "50", *arguments)

    def control_pid(self):
        return int((self.state / "control.pid").read_text())

    def kill(self, pid):
        """kill -9, and wait until it is gone."""
        os.kill(pid, signal.SIGKILL)
        for _ in range(1000):
            if not os.path.exists(f"/proc/{pid}/exe"):
                return
            time.sleep(0.01)
        raise AssertionError(f"process {pid} survives a kill")

    def api(self):
        return Api(self.state / "control.sock")

    def edge_log(self):
        return (self.state / "edge.log").read_text()

    def wait_in_step(self, timeout=60):
        """Until the edge serves what is stored; the publication's status."""
        deadline = time.monotonic() + timeout
        while True:
            publication = self.api().get("/brink/v1/status")["publication"]
            # Control may not have noticed yet that the edge it knows is gone.
            if publication["in_step"] and self._served() == publication["wanted_version"]:
                return publication
            assert time.monotonic() < deadline, publication
            time.sleep(0.02)

    def _served(self):
        with edge_control.EdgeControl(self.state / "edge.sock") as edge:
            return edge.ask(edge_control.HELLO)[0]

    def verify(self):
        return edge_control.verify(self.state / "edge.sock")

    @property
    def image(self):
        return self.state / "edge.image"

    @property
    def log_file(self):
        return self.state / "edge.image.log"
