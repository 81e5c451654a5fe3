"""EdgeControl: brink-edge's control socket (dataplane/ipc/control_message.h), spoken by hand."""
import contextlib
import os
import socket
import struct

FORMAT = struct.Struct("=IIQQQQIB255s481s3x")
PROTOCOL = 2
HELLO, WELCOME, PUBLISH_IMAGE, PUBLISH_TRANSACTION, COMPACT, VERIFY, SHOW_NAME, REPLY = range(1, 9)
DONE, REFUSED, OUT_OF_STEP, BUSY, NO_ROOM = range(5)


class EdgeControl:
    """One connection; a request at a time. ConnectionError when the edge is gone."""

    def __init__(self, path, timeout=30):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(timeout)
        self.sequence = 0
        try:
            self.socket.connect(str(path))
        except OSError:
            self.socket.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, kind):
        self.sequence += 1
        self.socket.send(FORMAT.pack(kind, PROTOCOL, self.sequence, 0, 0, 0, 0, 0, b"", b""))

    def answer(self):
        """Version, status and reason of the answer to the last request."""
        message, descriptors, _, _ = socket.recv_fds(self.socket, 2048, 1)
        for descriptor in descriptors:
            os.close(descriptor)
        if not message:
            raise ConnectionResetError("brink-edge closed its control socket")
        _, _, sequence, version, _, _, status, _, _, reason = FORMAT.unpack(message)
        assert sequence == self.sequence
        return version, status, reason.split(b"\0")[0].decode()

    def ask(self, kind):
        self.send(kind)
        return self.answer()


def verify(path):
    """What the edge found when it checked what it serves and what is on its disk."""
    with EdgeControl(path) as edge:
        _, status, text = edge.ask(VERIFY)
    assert status == DONE, text
    return text


@contextlib.contextmanager
def compacting(path):
    """While entered, the edge is compacting, or has just ended."""
    with EdgeControl(path) as edge:
        edge.send(COMPACT)
        yield
