"""Where NSD, Knot and BIND give one answer, Brink's must be that one. Compared are header fields, question and
sections, each for itself: where the three differ in a section there is nothing to agree with in it."""
import collections
import dataclasses

import dns.name
import dns.rdata
import dns.rdatatype

from canonical import FIELDS, view

BATCH = 64
NO_ANSWER = ("no answer",) + (None,) * len(FIELDS)
SECTIONS = ("answer", "authority", "additional")
FIRST = {field: place for place, field in enumerate(FIELDS)}


@dataclasses.dataclass
class Difference:
    question: object
    field: str
    agreed: object
    ours: object
    views: dict

    def signature(self):
        """Differences with the same one are of the same make."""
        kinds = (kinds_of(self.agreed), kinds_of(self.ours)) if self.field in SECTIONS else (self.agreed, self.ours)
        return (self.field, *map(str, kinds), self.views["nsd"][0], self.views["nsd"][FIRST["aa"]])

    def to_text(self):
        lines = [f"{self.question.to_text()}", f"  {self.field}:"]
        if self.field in SECTIONS and isinstance(self.ours, frozenset):
            lines += some(f"    all three: {record_text(each)}" for each in sorted(self.agreed - self.ours))
            lines += some(f"    Brink:     {record_text(each)}" for each in sorted(self.ours - self.agreed))
            lines.append(f"    and {len(self.agreed & self.ours)} records alike")
        else:
            lines += [f"    all three: {self.agreed}", f"    Brink:     {self.ours}"]
        return "\n".join(lines)


def some(lines, most=6):
    lines = list(lines)
    return lines[:most] + ([f"    and {len(lines) - most} more"] if len(lines) > most else [])


def kinds_of(section):
    if not isinstance(section, frozenset):
        return section
    return sorted({dns.rdatatype.to_text(dns.rdatatype.RdataType.make(record[1])) for record in section})


def record_text(record):
    owner, kind, klass, ttl, data = record
    try:
        text = dns.rdata.from_wire(klass, kind, data, 0, len(data)).to_text()
    except Exception:
        text = data.hex()
    return f"{dns.name.from_wire(owner, 0)[0]} {ttl} {dns.rdatatype.to_text(dns.rdatatype.RdataType.make(kind))} {text}"


def differences(question, views):
    """Of Brink's view from what the others agree on, field by field."""
    ours, others = views["brink"], [view for name, view in views.items() if name != "brink"]
    if any(each[0] == "malformed" for each in others):
        return
    silent = [each == NO_ANSWER for each in others]
    if any(silent) or ours[0] in ("malformed", "no answer"):
        if all(silent) and ours != NO_ANSWER:
            yield Difference(question, "silence", "no answer", ours[0], views)
        elif not any(silent) and ours[0] in ("malformed", "no answer"):
            yield Difference(question, "silence", "an answer", ours[:2], views)
        return
    truncated = any(each[FIRST["tc"]] for each in (ours, *others))
    for place, field in enumerate(FIELDS):
        if truncated and field in SECTIONS:
            continue  # how much of an answer is sent with TC is everybody's own matter
        agreed = others[0][place]
        if all(each[place] == agreed for each in others[1:]) and ours[place] != agreed:
            yield Difference(question, field, agreed, ours[place], views)


class Comparison:
    """Runs questions through servers: {name: Server}, one of them "brink". `decided`: (why, predicate of a
    Difference) of what is different on purpose or known."""

    def __init__(self, servers, decided=()):
        self.servers, self.decided = servers, decided
        self.asked = 0
        self.agreed = collections.Counter()  # by field: where the three agree
        self.accepted = collections.Counter()  # by reason
        self.found = collections.defaultdict(list)  # by signature

    def run(self, questions, progress=lambda asked: None):
        batch = []
        for question in questions:
            batch.append((question, question.to_wire()))
            if len(batch) == BATCH:
                self.run_batch(batch)
                batch = []
                progress(self.asked)
        if batch:
            self.run_batch(batch)

    def views_of(self, batch):
        for server in self.servers.values():
            server.send(batch)
        answers = {name: server.receive() for name, server in self.servers.items()}
        for place in range(len(batch)):
            seen = {}
            views = {}
            for name, all_answers in answers.items():
                wire = all_answers[place]
                if wire is None:
                    views[name] = NO_ANSWER
                    continue
                body = wire[2:]
                if body not in seen:
                    seen[body] = view(wire)
                views[name] = seen[body]
            yield views

    def run_batch(self, batch):
        for (question, _), views in zip(batch, self.views_of(batch)):
            self.asked += 1
            others = [each for name, each in views.items() if name != "brink"]
            for place, field in enumerate(FIELDS):
                self.agreed[field] += all(each[place] == others[0][place] for each in others)
            for difference in differences(question, views):
                self.take(difference)

    def take(self, difference):
        for why, applies in self.decided:
            if applies(difference):
                self.accepted[why] += 1
                return
        self.found[difference.signature()].append(difference)

    def minimal(self, difference):
        """The difference as the simplest question shows it."""
        for question in difference.question.simpler():
            views = next(self.views_of([(question, question.to_wire())]))
            for other in differences(question, views):
                if other.field == difference.field:
                    return other
        return difference

    def report(self, each_make=3):
        lines = [f"{self.asked} questions; the three agree on " + ", ".join(
            f"{field} {100 * self.agreed[field] / max(1, self.asked):.1f} %" for field in FIELDS)]
        lines += [f"accepted, {count} times: {why}" for why, count in self.accepted.items()]
        for of_a_make in sorted(self.found.values(), key=len, reverse=True):
            lines.append(f"\n{len(of_a_make)} times, as in")
            for difference in sorted(of_a_make, key=lambda each: len(each.question.name))[:each_make]:
                lines.append(self.minimal(difference).to_text())
        return "\n".join(lines)
