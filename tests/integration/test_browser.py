"""A browser in front of the edge: headless Chromium over HTTPS and HTTP/2, as packaged. The page tries
things out and posts what it found; the origin is ours and speaks HTTP/1.1.

On demand: `scripts/packages browser` installs Chromium, which is four times as large as all else here.
"""
import base64
import hashlib
import json
import os
import shutil
import subprocess
import threading

import pytest

from certificates import Certificates
from lab import ROOT, Lab, wait_until
from recording_origin import RecordingOrigin

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for namespaces"),
    pytest.mark.skipif(not shutil.which("chromium"), reason="Chromium is not installed: scripts/packages browser")]

V4, ZONE = "192.0.2.140", "example.com"
HOST, SOCKETS = f"www.{ZONE}", f"ws.{ZONE}"
PICTURES = 40
TEXT = "".join(f"line {n} of a text that gets shorter\n" for n in range(5000))
PAGE = f"""<!doctype html><title>t</title><link rel="stylesheet" href="/style.css"><p id="p">text</p>
{"".join(f'<img src="/picture-{n}.svg">' for n in range(PICTURES))}<script src="/page.js"></script>"""
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>'
SCRIPT = """
const results = {};

async function attempt(name, action) {
  try { results[name] = await action(); } catch (error) { results[name] = "error: " + error; }
}

// The second piece is sent when the first was seen here.
async function streamed() {
  const reader = (await fetch("/stream")).body.getReader();
  const pieces = [];
  for (let part; !(part = await reader.read()).done;) {
    pieces.push(new TextDecoder().decode(part.value));
    if (pieces.length == 1) await fetch("/go-on");
  }
  return pieces.join("|");
}

async function upload() {
  const left = [..."abcdefgh"].map(letter => letter.repeat(100000));
  const body = new ReadableStream({
    pull(controller) {
      if (left.length == 0) return controller.close();
      controller.enqueue(new TextEncoder().encode(left.shift()));
    }});
  return (await fetch("/upload", {method: "POST", body, duplex: "half"})).status;
}

async function compressed() {
  const answer = await fetch("/text.txt");
  const text = await answer.text();
  const entry = performance.getEntriesByName(answer.url)[0];
  return {length: text.length, end: text.slice(-12), smaller: entry.encodedBodySize * 4 < entry.decodedBodySize};
}

function socket() {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket("wss://SOCKETS/");
    const heard = [];
    socket.binaryType = "arraybuffer";
    socket.onopen = () => { socket.send("text"); socket.send(new Uint8Array(70000)); };
    socket.onerror = () => reject("of the WebSocket");
    socket.onmessage = event => {
      heard.push(event.data.byteLength ?? event.data);
      if (heard.length == 2) socket.close(1000);
    };
    socket.onclose = event => resolve({heard, clean: event.wasClean, code: event.code});
  });
}

async function cancelled() {
  const control = new AbortController();
  const answer = await fetch("/endless", {signal: control.signal});
  await answer.body.getReader().read();
  control.abort();
  return (await fetch("/picture-0.svg")).status;
}

addEventListener("load", async () => {
  results.pictures = [...document.images].filter(image => image.naturalWidth == 8).length;
  results.style = getComputedStyle(document.getElementById("p")).color;
  const entries = performance.getEntriesByType("resource").concat(performance.getEntriesByType("navigation"));
  results.protocols = [...new Set(entries.map(entry => entry.nextHopProtocol))];
  for (const action of [streamed, upload, compressed, socket, cancelled]) await attempt(action.name, action);
  await fetch("/report", {method: "POST", body: JSON.stringify(results)});
});
""".replace("SOCKETS", SOCKETS)


def answer(kind, body):
    body = body.encode()
    return [f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body]


def chunk(text):
    return b"%x\r\n%s\r\n" % (len(text), text)


def scripts():
    go_on = threading.Event()
    chunked = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    return {
        "/": answer("text/html", PAGE), "/style.css": answer("text/css", "p { color: rgb(1, 2, 3) }"),
        "/page.js": answer("text/javascript", SCRIPT), "/text.txt": answer("text/plain", TEXT),
        "/stream": [chunked + chunk(b"first"), go_on.wait, chunk(b"second") + b"0\r\n\r\n"],
        "/go-on": [go_on.set, *answer("text/plain", "gone on")],
        "/endless": [chunked] + [chunk(bytes(65536))] * 4000,
    } | {f"/picture-{n}.svg": answer("image/svg+xml", PICTURE) for n in range(PICTURES)}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with Lab() as lab:
        lab.made = Certificates(tmp_path_factory.mktemp("edge"), "Edge CA")
        # nginx has port 80 of every address.
        for address in ("203.0.113.75", "203.0.113.77"):
            lab.exec("origin-b", "ip", "address", "add", f"{address}/26", "dev", "eth0")
        lab.exec("origin-b", "nft", "add table ip ours; "
                 "add chain ip ours in { type nat hook prerouting priority -100; }; "
                 "add rule ip ours in ip daddr 203.0.113.75 tcp dport 80 redirect to :8880; "
                 "add rule ip ours in ip daddr 203.0.113.77 tcp dport 80 redirect to :8881")
        echo = lab.spawn("origin-b", "/usr/bin/python3", ROOT / "tests/integration/websocket_echo.py", 8881,
                         stdout=subprocess.PIPE, text=True)
        assert echo.stdout.readline() == "ready\n"
        lab.edge_start()
        lab.control_start()
        lab.brinkctl("zone", "create", ZONE)
        lab.brinkctl("zone", "activate", ZONE, "--force")
        lab.brinkctl("settings", "set", ZONE, "ssl", "flexible")
        for host, address in ((HOST, "203.0.113.75"), (SOCKETS, "203.0.113.77")):
            lab.brinkctl("record", "add", host, "A", address, "--proxied")
        lab.made.leaf(ZONE, f"*.{ZONE}", name=ZONE)
        lab.brinkctl("certificate", "add", ZONE, lab.made.folder / f"{ZONE}.pem", "--key",
                     lab.made.folder / f"{ZONE}.key")
        lab.origin = RecordingOrigin(lab, "origin-b", "0.0.0.0", 8880)
        lab.origin.scripts = scripts()
        yield lab
        lab.origin.close()


def public_key_digest(made):
    """Of the edge's certificate, as Chromium takes it."""
    key = subprocess.run(["openssl", "x509", "-in", made.folder / f"{ZONE}.pem", "-pubkey", "-noout"],
                         check=True, capture_output=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "der"], input=key, check=True,
                         capture_output=True).stdout
    return base64.b64encode(hashlib.sha256(der).digest()).decode()


def report(lab):
    return [request for request in lab.origin.requests if request.target == "/report"]


@pytest.fixture(scope="module")
def found(lab, tmp_path_factory):
    """What the page says."""
    profile = tmp_path_factory.mktemp("chromium")
    browser = lab.spawn(
        "client", "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
        "--disable-background-networking", f"--user-data-dir={profile}",
        f"--ignore-certificate-errors-spki-list={public_key_digest(lab.made)}",
        f"--host-resolver-rules=MAP *.{ZONE} {V4}", f"https://{HOST}/", env=os.environ | {"HOME": str(profile)},
        stdout=subprocess.DEVNULL, stderr=open(profile / "said", "w"))
    try:
        assert wait_until(lambda: report(lab), 90), (profile / "said").read_text()[-4000:]
    finally:
        browser.terminate()
        browser.wait(20)
    return json.loads(report(lab)[0].body)


def test_a_page_with_its_resources(lab, found):
    assert found["pictures"] == PICTURES and found["style"] == "rgb(1, 2, 3)"
    assert found["protocols"] == ["h2"]


def test_what_is_fetched_arrives_as_it_is_sent(lab, found):
    assert found["streamed"] == "first|second"


def test_a_request_body_of_no_known_length(lab, found):
    assert found["upload"] == 200
    (upload,) = [request for request in lab.origin.requests if request.target == "/upload"]
    assert upload.body == b"".join(letter * 100_000 for letter in (b"a", b"b", b"c", b"d", b"e", b"f", b"g", b"h"))


def test_a_compressed_body(lab, found):
    assert found["compressed"] == {"length": len(TEXT), "end": TEXT[-12:], "smaller": True}
    assert lab.counter("http_encoded") >= 1


def test_a_websocket(lab, found):
    assert found["socket"] == {"heard": ["text", 70000], "clean": True, "code": 1000}
    assert lab.counter("http_tunnels") == 1


def test_a_cancelled_fetch_ends_its_stream_alone(lab, found):
    assert found["cancelled"] == 200
    assert lab.counter("http_client_aborts") >= 1 and lab.counter("http2_faults") == 0


def test_no_fault_of_the_origin_or_the_edge(lab, found):
    assert lab.origin.faults == []
    assert lab.counter("http_bad_requests") == lab.counter("http_edge_errors") == 0
