"""What authoritative answers must be: zones of TXT records with one string each, and the history of
such zones while somebody changes them and others look.

A state is a dict from zone to Zone. Answers are ("TXT", text) or a word: NODATA, NXDOMAIN, REFUSED.
"""
import threading

NODATA, NXDOMAIN, REFUSED = "NODATA", "NXDOMAIN", "REFUSED"


class Zone:
    """`names`: text by name below the apex ("a.b", "*.w"). Never changed: with_names() makes another."""

    def __init__(self, names=None):
        self.names = names or {}
        self._above = None

    def with_names(self, changes):
        """`changes`: the new text of each name; None removes it."""
        names = self.names | {name: text for name, text in changes.items() if text is not None}
        for name, text in changes.items():
            if text is None:
                names.pop(name, None)
        return Zone(names)

    @property
    def above(self):
        """Empty non-terminals, and the apex."""
        if self._above is None:
            self._above = {""}
            for name in self.names:
                while "." in name:
                    name = name.split(".", 1)[1]
                    self._above.add(name)
        return self._above

    def answer(self, name):
        """RFC 1034 4.3.2, RFC 4592."""
        if name in self.names:
            return "TXT", self.names[name]
        if name in self.above:
            return NODATA
        encloser = name
        while encloser not in self.names and encloser not in self.above:
            encloser = encloser.split(".", 1)[1] if "." in encloser else ""
        wildcard = "*." + encloser if encloser else "*"
        return ("TXT", self.names[wildcard]) if wildcard in self.names else NXDOMAIN


def answer(state, zone, name):
    return state[zone].answer(name) if zone in state else REFUSED


class History:
    """The states that one writer's zones went through, numbered, and which of them may be seen.

    The writer calls begin() before it asks for a change, served() when it was told that the change is
    served. Whoever looks takes floor() before it asks, and gives saw() the answer: it must be that of
    one state from there on, and whatever shows a state rules out all before it, for everybody.
    """

    def __init__(self, state):
        self._lock = threading.Lock()
        self._states = {0: state}
        self._floor = 0
        self._newest = 0

    @property
    def newest(self):
        return self._states[self._newest]

    def state(self, number):
        return self._states[number]

    @property
    def newest_number(self):
        return self._newest

    def begin(self, state):
        with self._lock:
            self._newest += 1
            self._states[self._newest] = state
            return self._newest

    def served(self, number):
        """State `number` is what everybody sees, or one after it."""
        with self._lock:
            self._raise_floor(number)

    def take_back(self):
        """The newest change never happened."""
        with self._lock:
            assert self._newest > self._floor, "what was seen or acknowledged did happen"
            del self._states[self._newest]
            self._newest -= 1

    def floor(self):
        with self._lock:
            return self._floor

    def saw(self, floor, zone, name, seen):
        """None when that is right; else what was expected."""
        return self.saw_all(floor, {(zone, name): seen})

    def saw_all(self, floor, seen):
        """Answers by (zone, name) that were given while nothing changed: one state has them all."""
        with self._lock:
            faults = []
            for number in range(max(floor, min(self._states)), self._newest + 1):
                fault = self._fault(number, seen)
                if fault is None:
                    self._raise_floor(number)
                    return None
                faults.append(fault)
            return "; ".join(faults[:5])

    def _fault(self, number, seen):
        state = self._states[number]
        for (zone, name), got in seen.items():
            wanted = answer(state, zone, name)
            if wanted != got:
                return f"{name}.{zone}: {got}, in state {number} it is {wanted}"
        return None

    def _raise_floor(self, number):
        if number <= self._floor:
            return
        self._floor = number
        # Observations that are under way still look for states below the floor that they took.
        for old in [n for n in self._states if n < number - 100]:
            del self._states[old]
