"""Messages that two readers could understand differently, in both directions and over every pair of
protocols: HTTP/1.1 and HTTP/2 clients, HTTP/1.1 and HTTP/2 origins. The cases are data, in
smuggling_requests.py, smuggling_streams.py and smuggling_responses.py.

The origins keep every byte that they got, read strictly, and answer with the target of the request, so
that an answer which belongs to another request shows. Behind each case somebody else sends a request,
over whatever connection to the origin the case has left: it is the next that the origin sees, and its
answer is its own.
"""
import os
import ssl
import time

import pytest

import smuggling_requests as requests
import smuggling_responses as responses
import smuggling_streams as streams
from certificates import Certificates
from http2_client import Http2, Stream
from lab import Lab, wait_until
from recording_origin import RecordingOrigin, RecordingStreams
from wire import Wire

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root for namespaces")

V4 = "192.0.2.140"
PROTOCOL_ERROR, INTERNAL_ERROR = 1, 2
TO_HTTP1, TO_HTTP2 = "www.one.test", "www.two.test"
ORIGINS = pytest.mark.parametrize("host", [TO_HTTP1, TO_HTTP2], ids=["to HTTP/1", "to HTTP/2"])
CLIENTS = pytest.mark.parametrize("version", ["HTTP/1.1", "HTTP/2"])
# What belongs to one connection never passes the edge, nor what CGI would take for a framing field.
NEVER_SENT = {"te", "trailer", "keep-alive", "proxy-connection", "upgrade", "content_length", "transfer_encoding",
              "trailer content-length", "trailer transfer-encoding", "trailer host"}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with Lab() as lab:
        lab.made = Certificates(tmp_path_factory.mktemp("edge"), "Edge CA")
        lab.exec("origin-b", "ip", "address", "add", "203.0.113.75/26", "dev", "eth0")
        # nginx has port 80 of every address.
        lab.exec("origin-b", "nft", "add table ip recorder; "
                 "add chain ip recorder in { type nat hook prerouting priority -100; }; "
                 "add rule ip recorder in ip daddr 203.0.113.75 tcp dport 80 redirect to :8880")
        lab.edge_start()
        lab.control_start()
        for zone, mode, host in (("one.test", "flexible", TO_HTTP1), ("two.test", "full", TO_HTTP2)):
            lab.brinkctl("zone", "create", zone)
            lab.brinkctl("zone", "activate", zone, "--force")
            lab.brinkctl("settings", "set", zone, "ssl", mode)
            lab.brinkctl("record", "add", host, "A", "203.0.113.75", "--proxied")
            lab.made.leaf(zone, f"*.{zone}", name=zone)
            lab.brinkctl("certificate", "add", zone, lab.made.folder / f"{zone}.pem", "--key",
                         lab.made.folder / f"{zone}.key")
        lab.origins = {
            TO_HTTP1: RecordingOrigin(lab, "origin-b", "0.0.0.0", 8880),
            TO_HTTP2: RecordingStreams(lab, "origin-b", "203.0.113.75", 443, lab.made.folder / "two.test.pem",
                                       lab.made.folder / "two.test.key")}
        yield lab
        for origin in lab.origins.values():
            origin.close()
        lab.edge_stop()
        assert (lab.state / "edge.log").read_text().rstrip().endswith("stopped")


@pytest.fixture
def origin(lab, host):
    origin = lab.origins[host]
    origin.forget()
    yield origin
    assert origin.faults == []


def secure(lab, host, protocol):
    context = ssl.create_default_context(cafile=lab.made.folder / "ca.pem")
    context.set_alpn_protocols([protocol])
    return context.wrap_socket(lab.connect(V4, 443), server_hostname=host)


def port_of(host):
    return 80 if host == TO_HTTP1 else 443


def wire(lab, host):
    """HTTP/1.1 by hand: in clear where the origin is."""
    return Wire(lab.connect(V4, 80) if host == TO_HTTP1 else secure(lab, host, "http/1.1"))


def http2(lab, host):
    """A client over HTTP/2 that sends whatever it is told to."""
    client = Http2(secure(lab, host, "h2"))
    client.h2.config.validate_outbound_headers = client.h2.config.normalize_outbound_headers = False
    return client


def named(text, host):
    scheme, other = (b"http", b"https") if host == TO_HTTP1 else (b"https", b"http")
    for word, meaning in ((b"HOST", host.encode()), (b":PORT", b":%d" % port_of(host)),
                          (b"SCHEME:", scheme + b":"), (b"CAPITALS:", scheme.upper() + b":"),
                          (b"OTHER:", other + b":")):
        text = text.replace(word, meaning)
    return text


class Bystander:
    """Somebody else's requests: each gets its own answer."""
    count = 0

    @classmethod
    def asks(cls, lab, host):
        cls.count += 1
        target = f"/bystander-{cls.count}"
        with wire(lab, host) as http:
            answer = http.get(host, target).response()
        assert (answer.status, answer.body) == (200, target.encode())
        return target


def targets(origin):
    return [request.target for request in origin.requests]


def assert_clean(request, host, body):
    """The case's request as the origin has it."""
    assert request.target.split("?")[0] == "/case" and request.body == body
    names = {name for name, _ in request.fields}
    # A stream may say that its client takes trailers, to an origin over HTTP/2.
    assert not names & NEVER_SENT - ({"te"} if host == TO_HTTP2 else set())
    assert request.all("te") in ([], ["trailers"])
    if host == TO_HTTP2:
        assert request.all(":authority") in ([host], [f"{host}:443"]) and "host" not in names
        assert not names & {"connection", "transfer-encoding"}
    else:
        assert request.all("host") in ([host], [f"{host}:443"]) and request.all("connection") == ["Keep-Alive"]


# ---- requests over HTTP/1.1 ----


@ORIGINS
@pytest.mark.parametrize("case", requests.REFUSED)
def test_refused_request(lab, host, origin, case):
    sent, status = requests.REFUSED[case]
    with lab.counted(http_bad_requests=1, http_requests=0, http_responses=1), wire(lab, host) as http:
        http.send(named(sent, host) + named(b"GET /smuggled HTTP/1.1\r\nHost: HOST\r\n\r\n", host))
        answer = http.response()
        assert (answer.status, answer.field("connection")) == (status, "close")
        assert http.closed()
    bystander = Bystander.asks(lab, host)
    assert targets(origin) == [bystander] and b"smuggled" not in b"".join(origin.raw)


@ORIGINS
@pytest.mark.parametrize("case", requests.BAD_CHUNKS)
def test_refused_chunk(lab, host, origin, case):
    with lab.counted(http_bad_requests=1, http_requests=1), wire(lab, host) as http:
        http.send(named(requests.chunks(requests.BAD_CHUNKS[case]), host)
                  + named(b"GET /smuggled HTTP/1.1\r\nHost: HOST\r\n\r\n", host))
        answer = http.response()
        assert (answer.status, answer.field("connection")) == (400, "close")
        assert http.closed()
    bystander = Bystander.asks(lab, host)
    assert targets(origin) == [bystander] and b"smuggled" not in b"".join(origin.raw)


@ORIGINS
@pytest.mark.parametrize("case", requests.MESSAGES)
def test_request_with_one_meaning(lab, host, origin, case):
    sent, body = requests.MESSAGES[case]
    with lab.counted(http_bad_requests=0, http_requests=2), wire(lab, host) as http:
        http.send(named(sent, host) + named(b"GET /next HTTP/1.1\r\nHost: HOST\r\n\r\n", host))
        assert [http.response().body for _ in range(2)] == [b"/case", b"/next"]
    bystander = Bystander.asks(lab, host)
    assert targets(origin) == ["/case", "/next", bystander]
    assert_clean(origin.requests[0], host, body)
    assert origin.requests[1].body == b""


@ORIGINS
@pytest.mark.parametrize("case", requests.LAST_ONES)
def test_nothing_follows_the_last_request(lab, host, origin, case):
    with lab.counted(http_bad_requests=0, http_requests=1), wire(lab, host) as http:
        http.send(named(requests.LAST_ONES[case], host) + named(b"GET /smuggled HTTP/1.1\r\nHost: HOST\r\n\r\n", host))
        answer = http.response()
        assert (answer.status, answer.body) == (200, b"/case") and http.closed()
    bystander = Bystander.asks(lab, host)
    assert targets(origin) == ["/case", bystander]


@ORIGINS
def test_no_host_over_http_1_0(lab, host, origin):
    with wire(lab, host) as http:
        assert http.send("GET /case HTTP/1.0\r\n\r\n").response().status == 400
    bystander = Bystander.asks(lab, host)
    assert targets(origin) == [bystander]


# ---- requests over HTTP/2 ----


def send(client, case, host):
    fields, data, trailers = case
    number = client.h2.get_next_available_stream_id()
    head = [(name, named(value, host)) for name, value in fields]
    client.streams[number] = Stream()
    client.h2.send_headers(number, head, end_stream=data is None)
    if data is not None:
        client.h2.send_data(number, named(data, host), end_stream=trailers is None)
    if trailers is not None:
        client.h2.send_headers(number, trailers, end_stream=True)
    client.flush()
    return client.response(number)


@ORIGINS
@pytest.mark.parametrize("case", streams.RESET)
def test_reset_stream(lab, host, origin, case):
    with lab.counted(http_bad_requests=1, http2_faults=0), http2(lab, host) as client:
        stream = send(client, streams.RESET[case], host)
        assert (stream.reset, stream.status) == (PROTOCOL_ERROR, None)
        assert bytes(client.get(host, "/next").body) == b"/next", "the connection goes on"
    bystander = Bystander.asks(lab, host)
    assert targets(origin) == ["/next", bystander] and b"smuggled" not in b"".join(origin.raw)


@ORIGINS
@pytest.mark.parametrize("case", streams.ANSWERED)
def test_answered_stream(lab, host, origin, case):
    sent, status = streams.ANSWERED[case]
    with http2(lab, host) as client:
        stream = send(client, sent, host)
        assert stream.status == status and stream.ended and "cf-error-type" in stream.fields
        assert bytes(client.get(host, "/next").body) == b"/next"
    bystander = Bystander.asks(lab, host)
    assert targets(origin) == ["/next", bystander]


@ORIGINS
@pytest.mark.parametrize("case", streams.MESSAGES)
def test_stream_with_one_meaning(lab, host, origin, case):
    sent, body = streams.MESSAGES[case]
    with lab.counted(http_bad_requests=0, http_requests=2), http2(lab, host) as client:
        stream = send(client, sent, host)
        assert stream.status == 200 and bytes(stream.body).startswith(b"/case")
        assert bytes(client.get(host, "/next").body) == b"/next"
    bystander = Bystander.asks(lab, host)
    assert [target.split("?")[0] for target in targets(origin)] == ["/case", "/next", bystander]
    assert_clean(origin.requests[0], host, named(body, host))


# ---- answers ----


def ask(lab, host, version, method="GET", pause=0):
    """Status and body of the answer to /case; CUT for one whose end is missing. Rests for `pause` seconds
    before the next request."""
    if version == "HTTP/2":
        with http2(lab, host) as client:
            stream = client.get(host, "/case", method=method)
            time.sleep(pause)
            if stream.reset is not None:
                assert stream.reset == INTERNAL_ERROR and b"poison" not in stream.body
                return responses.CUT, b""
            return stream.status, bytes(stream.body)
    with wire(lab, host) as http:
        http.get(host, "/case", method=method)
        try:
            answer = http.response(method)
            while answer.status < 200:
                answer = http.response(method)
        except EOFError:
            assert b"poison" not in http.buffer
            return responses.CUT, b""
        time.sleep(pause)
        # Nothing follows: neither by itself nor as the answer to the next request.
        http.get(host, "/next", "Connection: close")
        following = http.rest()
        assert not following or following.endswith(b"\r\n\r\n/next"), following
        assert b"poison" not in following
        return answer.status, answer.body


def assert_no_poison(lab, host):
    for _ in range(2):
        Bystander.asks(lab, host)


def unusable(lab, host, version, case, script):
    lab.origins[host].scripts["/case"] = script
    with lab.counted(http_origin_malformed=1, http_edge_errors=1):
        status, body = ask(lab, host, version)
        assert status == 520 and b"poison" not in body
    assert_no_poison(lab, host)


def unended(lab, host, version, script):
    lab.origins[host].scripts["/case"] = script
    before = lab.counter("http_truncated") + lab.counter("http_origin_malformed")
    assert ask(lab, host, version)[0] in (responses.CUT, 520)
    assert wait_until(lambda: lab.counter("http_truncated") + lab.counter("http_origin_malformed") == before + 1)
    assert_no_poison(lab, host)


def behind(lab, host, version, case, pause=0):
    script, method, status, body = case
    lab.origins[host].scripts["/case"] = script
    assert ask(lab, host, version, method, pause) == (status, body)
    assert_no_poison(lab, host)


HTTP1 = pytest.mark.parametrize("host", [TO_HTTP1], ids=["of HTTP/1"])
HTTP2 = pytest.mark.parametrize("host", [TO_HTTP2], ids=["of HTTP/2"])


@CLIENTS
@HTTP1
@pytest.mark.parametrize("case", responses.UNUSABLE)
def test_unusable_answer(lab, host, origin, version, case):
    unusable(lab, host, version, case, [responses.UNUSABLE[case], responses.CLOSE])


@CLIENTS
@HTTP1
@pytest.mark.parametrize("case", responses.UNENDED)
def test_answer_without_its_end(lab, host, origin, version, case):
    unended(lab, host, version, [responses.UNENDED[case], responses.CLOSE])


@CLIENTS
@HTTP1
@pytest.mark.parametrize("case", responses.BEHIND)
def test_bytes_behind_an_answer(lab, host, origin, version, case):
    behind(lab, host, version, responses.BEHIND[case])


@CLIENTS
@HTTP1
@pytest.mark.parametrize("case", responses.LATER)
def test_bytes_on_an_idle_connection(lab, host, origin, version, case):
    behind(lab, host, version, responses.LATER[case], pause=0.15)


@CLIENTS
@HTTP1
@pytest.mark.parametrize("case", responses.ANNOUNCED)
def test_connection_that_owes_a_body(lab, host, origin, version, case):
    """The next request comes before the bytes, which would be its answer."""
    behind(lab, host, version, responses.ANNOUNCED[case])


@CLIENTS
@HTTP2
@pytest.mark.parametrize("case", responses.UNUSABLE_STREAMS)
def test_unusable_answer_in_a_stream(lab, host, origin, version, case):
    unusable(lab, host, version, case, responses.UNUSABLE_STREAMS[case])


@CLIENTS
@HTTP2
@pytest.mark.parametrize("case", responses.UNENDED_STREAMS)
def test_stream_without_its_end(lab, host, origin, version, case):
    unended(lab, host, version, responses.UNENDED_STREAMS[case])


@CLIENTS
@HTTP2
@pytest.mark.parametrize("case", responses.BEHIND_STREAMS)
def test_what_a_stream_says_besides(lab, host, origin, version, case):
    behind(lab, host, version, responses.BEHIND_STREAMS[case])


# ---- answers before the end of the request ----


@CLIENTS
@HTTP1
@pytest.mark.parametrize("expects", [False, True])
def test_rest_of_a_body_after_its_answer(lab, host, origin, version, expects):
    """The origin answers, keeps its connection, and would take the rest of the body for a request."""
    origin.scripts[("early", "/case")] = [responses.answer(b"Content-Length: 5", body=b"asked")]
    rest = named(b"GET /smuggled HTTP/1.1\r\nHost: HOST\r\n\r\n", host)
    expectation = [("expect", "100-continue")] if expects else []
    if version == "HTTP/2":
        with http2(lab, host) as client:
            number = client.request(host, "/case", ("content-length", str(len(rest) + 9)), *expectation,
                                    method="POST", end=False)
            stream = client.response(number)
            assert (stream.status, bytes(stream.body)) == (200, b"asked")
            assert bytes(client.get(host, "/next").body) == b"/next"
    else:
        with wire(lab, host) as http:
            http.get(host, "/case", f"Content-Length: {len(rest) + 9}",
                     *(f"{name}: {value}" for name, value in expectation), method="POST")
            answer = http.response()
            assert (answer.status, answer.body, answer.field("connection")) == (200, b"asked", "close")
            http.send(rest)
            assert http.closed()
    assert_no_poison(lab, host)
    assert "/case" not in targets(origin) and b"smuggled" not in b"".join(origin.raw)


@HTTP1
def test_refused_websocket_is_no_tunnel(lab, host, origin):
    """What follows the handshake is a request as long as nobody answered 101."""
    with wire(lab, host) as http:
        http.get(host, "/case", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
        http.get(host, "/next", "CF-Connecting-IP: 192.0.2.9")
        assert http.response().body == b"/case"
        assert http.response().status == 403, "the edge has read it"
    bystander = Bystander.asks(lab, host)
    assert targets(origin) == ["/case", bystander]
