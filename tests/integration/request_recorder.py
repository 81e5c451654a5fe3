"""Stands between brinkctl and brink-control and notes which operations of the API are called."""
import re
import socket
import threading

from api_description import METHODS


def pattern_of(path):
    return re.compile(re.sub(r"{\w+}", "[^/]+", path))


class RequestRecorder:
    def __init__(self, description, folder, server_socket):
        self.server_socket, self.called = server_socket, set()
        # What has fewer variable parts is meant first: /tokens/verify is no token.
        self.operations = sorted(description.operations.values(), key=lambda each: each.path.count("{"))
        self.socket = str(folder / "recorder.sock")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.socket)
        self.listener.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            # One after the other: so does brinkctl.
            with client:
                self.pass_on(client)

    def pass_on(self, client):
        """One request and its answer; brinkctl has a connection for each."""
        request = b""
        while b"\r\n\r\n" not in request:
            part = client.recv(65536)
            if not part:
                return
            request += part
        head, body = request.split(b"\r\n\r\n", 1)
        length = re.search(rb"(?im)^content-length: *(\d+)", head)
        while length and len(body) < int(length[1]):
            body += client.recv(65536)
        self.note(*head.decode().split(" ", 2)[:2])
        with socket.socket(socket.AF_UNIX) as server:
            server.connect(self.server_socket)
            server.sendall(head + b"\r\n\r\n" + body)
            while part := server.recv(65536):
                client.sendall(part)

    def note(self, method, target):
        path = target.split("?")[0]
        assert method.lower() in METHODS, method
        for operation in self.operations:
            if operation.method == method and pattern_of(operation.path).fullmatch(path):
                self.called.add(operation.id)
                return
        self.called.add(f"{method} {path}")
