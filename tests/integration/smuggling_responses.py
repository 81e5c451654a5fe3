"""Answers of origins that two readers could understand differently, as data for test_smuggling.py.

Of an answer a client sees BAD_GATEWAY (520, made by the edge), CUT (an answer that visibly does not end,
or 520 if its end came with its head), or a status and a body. `poison` in an answer is never anything
that a client may see.
"""
from recording_origin import CLOSE

BAD_GATEWAY, CUT = "520", "cut"
POISON = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
INTERIM = b"HTTP/1.1 103 Early Hints\r\n\r\n"


def answer(*lines, body=b"", status=b"200 OK"):
    return b"HTTP/1.1 " + status + b"\r\n" + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


def length(value):
    return answer(b"Content-Length:" + value, body=b"poison")


def coding(value):
    return answer(b"Transfer-Encoding:" + value, body=b"6\r\npoison\r\n0\r\n\r\n")


def chunks(body):
    return answer(b"Transfer-Encoding: chunked", body=body)


def first(text):
    return text + b"\r\nContent-Length: 6\r\n\r\npoison"


# ---- over HTTP/1.1: 520 ----

UNUSABLE = {
    "length and coding": answer(b"Content-Length: 6", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
    "coding and length": answer(b"Transfer-Encoding: chunked", b"Content-Length: 6", body=b"0\r\n\r\n"),
    "length twice": answer(b"Content-Length: 6", b"Content-Length: 6", body=b"poison"),
    "two lengths": answer(b"Content-Length: 6", b"content-length: 0", body=b"poison"),
    "list of lengths": length(b" 6, 6"), "plus": length(b" +6"), "minus": length(b" -6"), "no length": length(b""),
    "hexadecimal": length(b" 0x6"), "two numbers": length(b" 6 6"), "19 digits": length(b" 0000000000000000006"),
    "over 64 bits": length(b" 18446744073709551622"), "NUL in a length": length(b" 6\0"),
    "unknown coding": coding(b" x"), "gzip before chunked": coding(b" gzip, chunked"), "no coding": coding(b""),
    "identity": coding(b" identity"), "chunked first": coding(b" chunked, x"),
    "chunked twice": coding(b" chunked, chunked"),
    "chunked in two fields": answer(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
    "comma before chunked": coding(b" ,chunked"), "vertical tab before chunked": coding(b" \x0bchunked"),
    "chunked in 1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\npoison\r\n0\r\n\r\n",
    "space before a colon": answer(b"Content-Length : 6", body=b"poison"),
    "folded": answer(b"Content-Length: 6", b"X: y", b" z", body=b"poison"),
    "folded length": answer(b"Content-Length:", b" 6", body=b"poison"),
    "no colon": answer(b"Content-Length 6", body=b"poison"),
    "no name": answer(b": x", b"Content-Length: 6", body=b"poison"),
    "space in a name": answer(b"Content Length: 6", body=b"poison"),
    "NUL in a name": answer(b"X\0: y", b"Content-Length: 6"),
    "NUL in a value": answer(b"X: \0", b"Content-Length: 6", body=b"poison"),
    "CR in a value": answer(b"X: a\rSet-Cookie: b=c", b"Content-Length: 6", body=b"poison"),
    "LF in a value": answer(b"X: a\nSet-Cookie: b=c", b"Content-Length: 6", body=b"poison"),
    "LF ends lines": b"HTTP/1.1 200 OK\nContent-Length: 6\n\npoison",
    "LF ends the head": b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\npoison",
    "status of two digits": first(b"HTTP/1.1 20 OK"), "status of four": first(b"HTTP/1.1 2000 OK"),
    "status of letters": first(b"HTTP/1.1 2OO OK"), "status 099": first(b"HTTP/1.1 099 OK"),
    "status 600": first(b"HTTP/1.1 600 OK"),
    "two spaces": first(b"HTTP/1.1  200 OK"), "tab": first(b"HTTP/1.1\t200 OK"),
    "version 1.2": first(b"HTTP/1.2 200 OK"),
    "version 2.0": first(b"HTTP/2.0 200 OK"), "version in small letters": first(b"http/1.1 200 OK"),
    "another protocol": first(b"ICY 200 OK"),
    "empty line before": b"\r\n" + first(b"HTTP/1.1 200 OK"), "LF before": b"\n" + first(b"HTTP/1.1 200 OK"),
    "bytes before": b"poison" + first(b"HTTP/1.1 200 OK"), "space before": b" " + first(b"HTTP/1.1 200 OK"),
    "NUL in a reason": first(b"HTTP/1.1 200 O\0K"), "CR in a reason": first(b"HTTP/1.1 200 O\rK"),
    "nothing but a body": b"poison\r\n\r\n",
    "options of Connection": answer(b"Connection: a b", b"Content-Length: 6", body=b"poison"),
    "101 that nobody asked for": answer(b"Upgrade: websocket", b"Connection: Upgrade", status=b"101 Switching",
                                        body=POISON),
    "17 interim answers": INTERIM * 17 + answer(b"Content-Length: 6", body=b"poison"),
    "1,000 interim answers": INTERIM * 1000, "interim and no more": INTERIM,
    "interim with a body": answer(b"Content-Length: 6", status=b"103 Early Hints",
                                  body=b"poison") + answer(b"Content-Length: 0"),
    "interim in chunks": answer(b"Transfer-Encoding: chunked", status=b"103 Early Hints",
                                body=b"0\r\n\r\n") + answer(b"Content-Length: 0"),
    "interim with length and coding": answer(b"Transfer-Encoding: chunked", b"Content-Length: 0",
                                             status=b"103 Early Hints") + POISON,
    "129 fields": answer(*[b"A: b"] * 129),
}

# ---- over HTTP/1.1: its end is visibly missing ----

UNENDED = {
    "less than its length": answer(b"Content-Length: 9", body=b"asked"), "no chunk": chunks(b""),
    "half a chunk": chunks(b"9\r\nasked"),
    "no last chunk": chunks(b"5\r\nasked\r\n"), "no empty line": chunks(b"5\r\nasked\r\n0\r\n"),
    "half a trailer": chunks(b"5\r\nasked\r\n0\r\nA: "),
    "prefix": chunks(b"5\r\nasked\r\n0x1\r\nx\r\n0\r\n\r\n"),
    "space behind a size": chunks(b"5\r\nasked\r\n1 \r\nx\r\n0\r\n\r\n"),
    "minus": chunks(b"5\r\nasked\r\n-1\r\nx\r\n0\r\n\r\n"),
    "LF behind a size": chunks(b"5\r\nasked\r\n1\nx\r\n0\r\n\r\n"),
    "17 digits": chunks(b"5\r\nasked\r\n00000000000000001\r\nx\r\n0\r\n\r\n"),
    "64 bits": chunks(b"5\r\nasked\r\nffffffffffffffff\r\nx"),
    "LF behind data": chunks(b"5\r\nasked\n0\r\n\r\n"), "more data": chunks(b"5\r\nasked and more\r\n0\r\n\r\n"),
    "LF in an extension": chunks(b"5\r\nasked\r\n1;a\nx\r\n0\r\n\r\n"),
    "no size": chunks(b"5\r\nasked\r\n\r\n0\r\n\r\n"),
    "trailer without a colon": chunks(b"5\r\nasked\r\n0\r\nabc\r\n\r\n"),
    "NUL in a trailer": chunks(b"5\r\nasked\r\n0\r\nA: \0\r\n\r\n"),
    "another answer for the empty line": chunks(b"5\r\nasked\r\n0\r\n" + POISON),
}

# ---- over HTTP/1.1: a whole answer, and more behind it: (script, method, status, body) ----

BEHIND = {
    "a length": ([answer(b"Content-Length: 5", body=b"asked" + POISON)], "GET", 200, b"asked"),
    "no body": ([answer(b"Content-Length: 0", body=POISON)], "GET", 200, b""),
    "chunks": ([chunks(b"5\r\nasked\r\n0\r\n\r\n" + POISON)], "GET", 200, b"asked"),
    "a trailer": ([chunks(b"5\r\nasked\r\n0\r\nContent-Length: 9\r\n\r\n" + POISON)], "GET", 200, b"asked"),
    "an empty line": ([answer(b"Content-Length: 5", body=b"asked\r\n")], "GET", 200, b"asked"),
    "a byte": ([answer(b"Content-Length: 5", body=b"asked\0")], "GET", 200, b"asked"),
    "half a head": ([answer(b"Content-Length: 5", body=b"asked" + POISON[:20])], "GET", 200, b"asked"),
    "204": ([answer(status=b"204 No Content", body=POISON)], "GET", 204, b""),
    "204 with a length": ([answer(b"Content-Length: 6", status=b"204 No Content", body=b"poison")], "GET", 204, b""),
    "204 in chunks": ([answer(b"Transfer-Encoding: chunked", status=b"204 No Content", body=b"0\r\n\r\n")], "GET",
                      204, b""),
    "304": ([answer(status=b"304 Not Modified", body=POISON)], "GET", 304, b""),
    "304 with a length": ([answer(b"Content-Length: %d" % len(POISON), status=b"304 Not Modified", body=POISON)],
                          "GET", 304, b""),
    "304 in chunks": ([answer(b"Transfer-Encoding: chunked", status=b"304 Not Modified",
                              body=b"6\r\npoison\r\n0\r\n\r\n")], "GET", 304, b""),
    "HEAD": ([answer(b"Content-Length: %d" % len(POISON), body=POISON)], "HEAD", 200, b""),
    "HEAD in chunks": ([chunks(b"6\r\npoison\r\n0\r\n\r\n")], "HEAD", 200, b""),
    "HEAD until the close": ([answer(body=POISON)], "HEAD", 200, b""),
    "Connection: close": ([answer(b"Content-Length: 5", b"Connection: close", body=b"asked" + POISON)], "GET", 200,
                          b"asked"),
    "1.0": ([b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nasked" + POISON], "GET", 200, b"asked"),
    "reason that is a head": ([answer(b"Content-Length: 5", status=b"200 HTTP/1.1 200 OK", body=b"asked")], "GET",
                              200, b"asked"),
    "16 interim answers": ([INTERIM * 16 + answer(b"Content-Length: 5", body=b"asked")], "GET", 200, b"asked"),
    "100 that nobody asked for": ([b"HTTP/1.1 100 Continue\r\n\r\n" + answer(b"Content-Length: 5", body=b"asked")],
                                  "GET", 200, b"asked"),
    "underscores": ([answer(b"Content_Length: 9", b"Transfer_Encoding: chunked", b"Content-Length: 5",
                            body=b"asked")], "GET", 200, b"asked"),
    "Connection names the length": ([answer(b"Connection: Content-Length", b"Content-Length: 5", body=b"asked")],
                                    "GET", 200, b"asked"),
    "until the close": ([answer(body=b"asked"), CLOSE], "GET", 200, b"asked"),
}
# The same, and only later.
LATER = {
    "a length": ([answer(b"Content-Length: 5", body=b"asked"), 0.05, POISON], "GET", 200, b"asked"),
    "chunks": ([chunks(b"5\r\nasked\r\n0\r\n\r\n"), 0.05, POISON], "GET", 200, b"asked"),
    "a byte": ([answer(b"Content-Length: 5", body=b"asked"), 0.05, b"\0"], "GET", 200, b"asked"),
    "304 with a length": ([answer(b"Content-Length: 44", status=b"304 Not Modified"), 0.05, POISON], "GET", 304, b""),
    "HEAD": ([answer(b"Content-Length: 44"), 0.05, POISON], "HEAD", 200, b""),
}
# A head without a body has announced one, which comes later.
ANNOUNCED = {
    "204 with a length": ([answer(b"Content-Length: 44", status=b"204 No Content"), 0.2, POISON], "GET", 204, b""),
    "204 in chunks": ([answer(b"Transfer-Encoding: chunked", status=b"204 No Content"), 0.2, POISON], "GET", 204, b""),
    "interim with a length": ([answer(b"Content-Length: 43", status=b"103 Early Hints") +
                               answer(b"Content-Length: 5", body=b"asked"), 0.2, POISON], "GET", 200, b"asked"),
    "interim in chunks": ([answer(b"Transfer-Encoding: chunked", status=b"103 Early Hints") +
                           answer(b"Content-Length: 5", body=b"asked"), 0.2, POISON], "GET", 200, b"asked"),
}

# ---- over HTTP/2 ----


def head(*fields, status="200", end=False):
    pseudo = [] if status is None else [(":status", status)]
    return lambda h2, stream: h2.send_headers(stream, pseudo + list(fields), end_stream=end)


def data(content, end=True):
    return lambda h2, stream: h2.send_data(stream, content, end_stream=end)


def trailers(*fields):
    return lambda h2, stream: h2.send_headers(stream, list(fields), end_stream=True)


def reset(h2, stream):
    h2.reset_stream(stream, 2)


def whole(*fields, **more):
    return [head(*fields, **more), data(b"poison")]


def raw_headers(flags, *fields):
    """A HEADERS frame that the library would not send."""
    def send(h2, stream):
        block = h2.encoder.encode(list(fields))
        h2._data_to_send += len(block).to_bytes(3, "big") + bytes([1, flags]) + stream.to_bytes(4, "big") + block
    return send


END_STREAM, END_HEADERS = 1, 4
HINT = raw_headers(END_HEADERS, (":status", "103"))

UNUSABLE_STREAMS = {
    "no status": whole(("x", "y"), status=None), "empty status": whole(status=""), "two digits": whole(status="20"),
    "four digits": whole(status="2000"), "letters": whole(status="2OO"), "sign": whole(status="+20"),
    "space": whole(status="200 "),
    "reason": whole(status="200 OK"), "CR LF": whole(status="200\r\nx: y"), "status 099": whole(status="099"),
    "status 600": whole(status="600"),
    "101": [raw_headers(END_HEADERS, (":status", "101")), data(b"poison")],
    "two statuses": whole((":status", "200")), "pseudo-field of requests": whole((":path", "/")),
    "unknown pseudo-field": whole((":x", "y")),
    "status behind a field": [raw_headers(END_HEADERS, ("x", "y"), (":status", "200")), data(b"poison")],
    "capital": whole(("X-Name", "y")), "empty name": whole(("", "y")), "space in a name": whole(("x y", "z")),
    "colon in a name": whole(("x:y", "z")),
    "CR LF in a name": whole(("x\r\ny", "z")), "NUL in a name": whole(("x\0", "z")),
    "CR LF in a value": whole(("x", "a\r\nset-cookie: b=c")),
    "LF in a value": whole(("x", "a\nb")), "CR in a value": whole(("x", "a\rb")),
    "NUL in a value": whole(("x", "a\0b")), "space before a value": whole(("x", " a")),
    "Connection": whole(("connection", "close")), "Keep-Alive": whole(("keep-alive", "timeout=5")),
    "Upgrade": whole(("upgrade", "h2c")),
    "Transfer-Encoding": whole(("transfer-encoding", "chunked")),
    "Proxy-Connection": whole(("proxy-connection", "close")),
    "length twice": whole(("content-length", "6"), ("content-length", "6")),
    "two lengths": whole(("content-length", "6"), ("content-length", "0")),
    "list of lengths": whole(("content-length", "6,6")), "plus": whole(("content-length", "+6")),
    "no length": whole(("content-length", "")),
    "hexadecimal": whole(("content-length", "0x6")), "19 digits": whole(("content-length", "0000000000000000006")),
    "length and no DATA": [head(("content-length", "6"), end=True)],
    "interim that ends": [raw_headers(END_HEADERS | END_STREAM, (":status", "103"))],
    "17 interim answers": [HINT] * 17 + whole(),
    "reset": [reset], "129 fields": whole(*[("a", "b")] * 129),
}
UNENDED_STREAMS = {
    "less than its length": [head(("content-length", "9")), data(b"asked")],
    "more than its length": [head(("content-length", "3")), data(b"asked")],
    "length and empty DATA": [head(("content-length", "9")), data(b"")],
    "reset within": [head(), data(b"asked", end=False), reset],
    "pseudo-field in trailers": [head(), data(b"asked", end=False), trailers((":status", "200"))],
    "capital in trailers": [head(), data(b"asked", end=False), trailers(("X-Sum", "1"))],
    "LF in trailers": [head(), data(b"asked", end=False), trailers(("x", "a\nb"))],
    "coding in trailers": [head(), data(b"asked", end=False), trailers(("transfer-encoding", "chunked"))],
    "second head": [head(), raw_headers(END_HEADERS, (":status", "200")), data(b"poison")],
}
BEHIND_STREAMS = {
    "a length": ([head(("content-length", "5")), data(b"asked")], "GET", 200, b"asked"),
    "no length": ([head(), data(b"asked")], "GET", 200, b"asked"),
    "a length in trailers": ([head(), data(b"asked", end=False), trailers(("content-length", "9"))], "GET", 200,
                             b"asked"),
    "an answer in DATA": ([head(), data(POISON.replace(b"poison", b"answer"))], "GET", 200,
                          POISON.replace(b"poison", b"answer")),
    "HEAD": ([head(("content-length", "6"), end=True)], "HEAD", 200, b""),
    "304": ([head(("content-length", "6"), status="304", end=True)], "GET", 304, b""),
    "204": ([head(status="204", end=True)], "GET", 204, b""),
    "204 with a length": ([head(("content-length", "6"), status="204", end=True)], "GET", 204, b""),
    "16 interim answers": ([HINT] * 16 + [head(("content-length", "5")), data(b"asked")], "GET", 200, b"asked"),
    "DATA behind HEAD": ([head(), data(b"poison")], "HEAD", 200, b""),
    "DATA behind a length of nothing": ([head(("content-length", "0")), data(b"poison")], "GET", 200, b""),
    "DATA behind 204": ([head(status="204"), data(b"poison")], "GET", 204, b""),
    "DATA behind 304": ([head(status="304"), data(b"poison")], "GET", 304, b""),
    "underscores": ([head(("content_length", "9"), ("transfer_encoding", "chunked")), data(b"asked")], "GET", 200,
                    b"asked"),
}
