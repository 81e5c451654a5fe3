"""Requests over HTTP/2 that mean something else once they are HTTP/1.1, or to another reader, as data for
test_smuggling.py: fields, bytes of DATA (None: the head ends the stream), fields of trailers.

HOST stands for the host's name.
"""


def stream(*fields, data=None, trailers=None, without=(), **pseudo):
    """The pseudo-fields of a good POST, changed as told, then `fields`."""
    head = {"method": b"POST", "scheme": b"https", "authority": b"HOST", "path": b"/case"} | pseudo
    head = [(b":" + name.encode(), value) for name, value in head.items() if name not in without]
    return head + list(fields), data, trailers


def field(name, value=b"x"):
    return stream((name, value))


def value(text):
    return stream((b"x-value", text))


def length(text, data=b"hello"):
    return stream((b"content-length", text), data=data)


# ---- refused: the stream is reset ----

LENGTHS = {
    "less than DATA": length(b"3"), "more than DATA": length(b"7"), "of nothing": length(b"0"),
    "and no DATA": length(b"5", data=None), "and empty DATA": length(b"5", data=b""),
    "twice": stream((b"content-length", b"5"), (b"content-length", b"5"), data=b"hello"),
    "two": stream((b"content-length", b"5"), (b"content-length", b"0"), data=b"hello"),
    "list": length(b"5,5"), "plus": length(b"+5"), "minus": length(b"-5"), "empty": length(b""),
    "hexadecimal": length(b"0x5"), "space before": length(b" 5"), "space behind": length(b"5 "),
    "19 digits": length(b"0000000000000000005"), "over 64 bits": length(b"18446744073709551621"),
    "on GET": stream((b"content-length", b"5"), method=b"GET"),
}
OF_CONNECTIONS = {
    "Connection": field(b"connection", b"close"), "Connection naming another": field(b"connection", b"content-length"),
    "Keep-Alive": field(b"keep-alive", b"timeout=5"), "Proxy-Connection": field(b"proxy-connection", b"close"),
    "chunked": stream((b"transfer-encoding", b"chunked"),
                      data=b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: HOST\r\n\r\n"),
    "chunked and a length": stream((b"transfer-encoding", b"chunked"), (b"content-length", b"5"), data=b"0\r\n\r\n"),
    "identity": field(b"transfer-encoding", b"identity"), "no coding": field(b"transfer-encoding", b""),
    "Upgrade": field(b"upgrade", b"h2c"), "Upgrade to WebSocket": field(b"upgrade", b"websocket"),
    "TE": field(b"te", b"chunked"), "TE and trailers": field(b"te", b"trailers, chunked"),
    "empty TE": field(b"te", b""),
}
NAMES = {
    "capital": field(b"X-value"), "capitals of a coding": field(b"Transfer-Encoding", b"chunked"), "empty": field(b""),
    "space": field(b"x value"), "space behind": field(b"transfer-encoding ", b"chunked"),
    "tab behind": field(b"content-length\t", b"5"), "colon behind": field(b"content-length:", b"5"),
    "colon inside": field(b"x:y"), "field within": field(b"x: y\r\ntransfer-encoding", b"chunked"),
    "LF": field(b"x\ny"), "CR": field(b"x\ry"), "NUL": field(b"x\0y"), "DEL": field(b"x\x7fy"),
    "octet above ASCII": field(b"x\xe4y"), "LF before": field(b"\ntransfer-encoding", b"chunked"),
    "quotes": field(b'"x"'), "bracket": field(b"x(y)"), "slash": field(b"x/y"),
}
VALUES = {
    "CR LF": value(b"a\r\ntransfer-encoding: chunked"), "LF": value(b"a\nb"), "CR": value(b"a\rb"),
    "NUL": value(b"a\0b"), "LF last": value(b"a\n"), "CR LF last": value(b"a\r\n"), "LF first": value(b"\na"),
    "space first": value(b" a"), "space last": value(b"a "), "tab first": value(b"\ta"), "tab last": value(b"a\t"),
    "DEL": value(b"a\x7f"), "vertical tab": value(b"a\x0bb"), "escape": value(b"\x1b[0m"),
    "request": value(b"a\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: HOST"),
    "in a cookie": stream((b"cookie", b"a=1\r\nx: y")),
    "in Host": stream((b"host", b"HOST\r\nx: y"), without=("authority",)),
}
METHODS = {
    "empty": stream(method=b""), "space": stream(method=b"GET /smuggled"), "tab": stream(method=b"GET\t"),
    "request line": stream(method=b"GET /smuggled HTTP/1.1\r\nHost: HOST\r\n\r\nGET"), "LF": stream(method=b"GET\n"),
    "NUL": stream(method=b"GET\0"), "colon": stream(method=b"GET:"), "long": stream(method=b"G" * 33),
    "twice": stream((b":method", b"GET")), "none": stream(without=("method",)),
    "octet above ASCII": stream(method=b"G\xcbT"),
}
PATHS = {
    "empty": stream(path=b""), "space": stream(path=b"/case HTTP/1.1"), "space last": stream(path=b"/case "),
    "request": stream(path=b"/case HTTP/1.1\r\nHost: HOST\r\n\r\nGET /smuggled"), "tab": stream(path=b"/ca\tse"),
    "LF": stream(path=b"/ca\nse"), "CR": stream(path=b"/ca\rse"), "NUL": stream(path=b"/ca\0se"),
    "DEL": stream(path=b"/ca\x7fse"), "octet above ASCII": stream(path=b"/c\xe4se"),
    "fragment": stream(path=b"/case#x"),
    "no slash": stream(path=b"case"), "query alone": stream(path=b"?case"), "star": stream(path=b"*"),
    "absolute": stream(path=b"http://other.example.net/case"), "authority": stream(path=b"HOST:443"),
    "twice": stream((b":path", b"/smuggled")), "none": stream(without=("path",)),
    "space first": stream(path=b" /case"), "star and more": stream(path=b"*/case", method=b"OPTIONS"),
}
SCHEMES = {
    "none": stream(without=("scheme",)), "empty": stream(scheme=b""), "other": stream(scheme=b"ftp"),
    "URL": stream(scheme=b"https://other.example.net/?"), "CR LF": stream(scheme=b"https\r\nx: y"),
    "space": stream(scheme=b"https "), "colon": stream(scheme=b"https:"), "twice": stream((b":scheme", b"http")),
}
AUTHORITIES = {
    "none": stream(without=("authority",)), "empty": stream(authority=b""), "user": stream(authority=b"user@HOST"),
    "is a user": stream(authority=b"HOST@other.example.net"), "path": stream(authority=b"HOST/x"),
    "query": stream(authority=b"HOST?x"), "list": stream(authority=b"HOST,other.example.net"),
    "space": stream(authority=b"HOST x"), "CR LF": stream(authority=b"HOST\r\nx: y"), "LF": stream(authority=b"HOST\n"),
    "NUL": stream(authority=b"HOST\0"), "two ports": stream(authority=b"HOST:443:443"),
    "port 0": stream(authority=b"HOST:0"),
    "letters as a port": stream(authority=b"HOST:https"), "escaped": stream(authority=b"www%2eexample.com"),
    "twice": stream((b":authority", b"HOST")), "another Host": stream((b"host", b"other.example.net")),
    "Host at another port": stream((b"host", b"HOST:8443")), "empty Host": stream((b"host", b"")),
    "two Hosts": stream((b"host", b"HOST"), (b"host", b"HOST")),
    "two Hosts and none": stream((b"host", b"HOST"), (b"host", b"other.example.net"), without=("authority",)),
}
PSEUDO = {
    "unknown": stream((b":case", b"x")), "of responses": stream((b":status", b"200")),
    "of no name": stream((b":", b"x")),
    "behind a field": ([(b":method", b"GET"), (b":scheme", b"https"), (b"x-value", b"1"), (b":authority", b"HOST"),
                        (b":path", b"/case")], None, None),
    "in capitals": stream((b":Path", b"/case"), without=("path",)),
    "protocol without CONNECT": stream((b":protocol", b"websocket")),
    "CR LF in its name": stream((b":path\r\nx", b"y")),
}
TRAILERS = {
    "pseudo-field": stream(data=b"hello", trailers=[(b":path", b"/smuggled")]),
    "capital": stream(data=b"hello", trailers=[(b"X-sum", b"1")]),
    "LF": stream(data=b"hello", trailers=[(b"x", b"a\nb")]),
    "coding": stream(data=b"hello", trailers=[(b"transfer-encoding", b"chunked")]),
    "Connection": stream(data=b"hello", trailers=[(b"connection", b"close")]),
    "no name": stream(data=b"hello", trailers=[(b"", b"x")]),
    "and more expected": stream((b"content-length", b"9"), data=b"hello", trailers=[(b"x", b"y")]),
}

RESET = {f"{group}: {name}": case for group, cases in (
    ("length", LENGTHS), ("connection's", OF_CONNECTIONS), ("name", NAMES), ("value", VALUES), ("method", METHODS),
    ("path", PATHS), ("scheme", SCHEMES), ("authority", AUTHORITIES), ("pseudo", PSEUDO),
    ("trailers", TRAILERS)) for name, case in cases.items()}

# ---- answered with an error, by the edge: (case, status) ----

ANSWERED = {
    "CONNECT": (stream(method=b"CONNECT", authority=b"HOST:443", without=("path", "scheme")), 501),
    "CONNECT with a path": (stream(method=b"CONNECT"), 501),
    "CONNECT for another protocol": (stream((b":protocol", b"connect-tcp"), method=b"CONNECT"), 501),
    "CONNECT for h2c": (stream((b":protocol", b"h2c"), method=b"CONNECT"), 501),
    "expectation": (stream((b"expect", b"100-continue, x")), 417),
    "method TRACE": (stream(method=b"TRACE"), 405),
    "129 fields": (stream(*[(b"a", b"b")] * 129), 431),
    "another zone's host": (stream(authority=b"nobody.example.net"), 409),
    "address": (stream(authority=b"192.0.2.140"), 403),
}

# ---- understood in one way only: (case, body that the origin sees) ----

MESSAGES = {
    "length": (length(b"5"), b"hello"), "leading zeros": (length(b"005"), b"hello"),
    "no length": (stream(data=b"hello"), b"hello"),
    "empty DATA": (stream(data=b""), b""), "length of nothing": (length(b"0", data=None), b""),
    "GET and DATA": (stream(method=b"GET", data=b"hello"), b"hello"),
    "DELETE and DATA": (stream(method=b"DELETE", data=b"hello"), b"hello"),
    "chunks in DATA": (stream(data=b"0\r\n\r\n"), b"0\r\n\r\n"),
    "a request in DATA": (stream(data=b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: HOST\r\n\r\n"),
                          b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: HOST\r\n\r\n"),
    "Host for the authority": (stream((b"host", b"HOST"), without=("authority",)), b""),
    "both and the same": (stream((b"host", b"HOST")), b""),
    "both, with its port": (stream((b"host", b"HOST:443")), b""),
    "TE": (stream((b"te", b"trailers")), b""),
    "underscores": (stream((b"transfer_encoding", b"chunked"), (b"content_length", b"9"), data=b"hello"), b"hello"),
    "Trailer": (stream((b"trailer", b"content-length"), data=b"hello", trailers=[(b"content-length", b"50")]),
                b"hello"),
    "framing in trailers": (stream(data=b"hello", trailers=[(b"content-length", b"7"),
                                                            (b"host", b"other.example.net")]), b"hello"),
    "settings of h2c": (stream((b"http2-settings", b"AAMAAABk")), b""),
    "cookies": (stream((b"cookie", b"a=1"), (b"cookie", b"b=2")), b""),
    "scheme http": (stream(scheme=b"http"), b""), "escapes in a path": (stream(path=b"/case?%0d%0ax:%20y%00"), b""),
    "method in small letters": (stream(method=b"post", data=b"hello"), b"hello"),
}
