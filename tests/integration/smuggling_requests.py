"""Requests over HTTP/1.1 that two readers could understand differently, as data for test_smuggling.py.

HOST stands for the host's name. Behind each of them the test sends a request for /smuggled, which the
edge must never take for one if it refused what was before.
"""

START = b"HTTP/1.1\r\nHost: HOST\r\n"
FIVE = b"Content-Length: 5"
CHUNKED = b"Transfer-Encoding: chunked"
LAST = b"0\r\n\r\n"


def request(*lines, method=b"POST", target=b"/case", body=b""):
    """A head with a good first line and Host, of lines without their ends."""
    return method + b" " + target + b" " + START + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


def get(*lines):
    return request(*lines, method=b"GET")


def line(text):
    """A first line alone is in question."""
    return text + b"\r\nHost: HOST\r\n\r\n"


def length(value):
    return request(b"Content-Length:" + value, body=b"hello")


def coding(value):
    return request(b"Transfer-Encoding:" + value, body=LAST)


def chunks(body):
    return request(b"Transfer-Encoding: chunked", body=body)


# ---- refused before anything of it is forwarded: (bytes, status) ----

LENGTHS = {
    "twice the same": request(b"Content-Length: 5", b"Content-Length: 5", body=b"hello"),
    "twice, in other letters": request(b"Content-Length: 5", b"content-LENGTH: 0", body=b"hello"),
    "twice, apart": request(b"Content-Length: 0", b"A: b", b"Content-Length: 5", body=b"hello"),
    "list of equals": length(b" 5, 5"), "list with nothing before": length(b" ,5"),
    "list with nothing behind": length(b" 5,"), "empty": length(b""), "blank": length(b"  "),
    "plus": length(b" +5"), "minus": length(b" -5"), "minus nothing": length(b" -0"),
    "hexadecimal": length(b" 0x5"), "hexadecimal digit": length(b" a"), "octal mark": length(b" 0o5"),
    "two numbers": length(b" 5 5"), "tab inside": length(b" 5\t5"), "parameter": length(b" 5;a=1"),
    "fraction": length(b" 5.0"), "exponent": length(b" 5e0"), "quoted": length(b' "5"'),
    "underscore": length(b" 1_0"), "19 digits": length(b" 0000000000000000005"),
    "over 64 bits": length(b" 18446744073709551621"), "vertical tab": length(b" \x0b5"),
    "form feed": length(b" 5\x0c"), "NUL": length(b" 5\0"), "DEL": length(b" 5\x7f"),
    "other script's digit": length(" ５".encode()), "no-break space": length(b" \xa05"),
}
CODINGS = {
    "none": coding(b""), "blank": coding(b" \t"), "parameter": coding(b" chunked;q=1"),
    "comma before": coding(b" ,chunked"), "comma behind": coding(b" chunked,"),
    "space inside": coding(b" chun ked"), "space before the end": coding(b" chunked x"),
    "quoted": coding(b' "chunked"'), "vertical tab before": coding(b" \x0bchunked"),
    "vertical tab behind": coding(b" chunked\x0b"), "NUL behind": coding(b" chunked\0"),
    "form feed": coding(b" \x0cchunked"), "chunked first": coding(b" chunked, identity"),
    "chunked within": coding(b" gzip, chunked, identity"), "no-break space": coding(b" \xa0chunked"),
    "other script's letter": coding(" сhunked".encode()),
    "two fields": request(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", body=LAST),
    "then identity": request(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity", body=LAST),
    "then nothing": request(b"Transfer-Encoding: chunked", b"Transfer-Encoding:", body=LAST),
    "then unknown": request(b"Transfer-Encoding: chunked", b"transfer-encoding: x", body=LAST),
}
CODINGS_UNKNOWN = {
    "identity": coding(b" identity"), "gzip": coding(b" gzip"), "apostrophes": coding(b" 'chunked'"),
    "identity before": coding(b" identity, chunked"), "escaped": coding(b" chunk%65d"),
    "identity's field before": request(b"Transfer-Encoding: identity", CHUNKED, body=LAST),
    "unknown's field before": request(b"Transfer-Encoding: cow", CHUNKED, body=LAST),
}
BOTH = {
    "coding first": request(CHUNKED, b"Content-Length: 5", body=LAST),
    "length of nothing": request(b"Content-Length: 0", CHUNKED, body=LAST),
    "length that fits": request(b"Content-Length: 5", CHUNKED, body=LAST),
    "coding in capitals": request(b"CONTENT-LENGTH: 4", b"TRANSFER-ENCODING: CHUNKED", body=LAST),
    "length and no coding": request(b"Content-Length: 5", b"Transfer-Encoding:", body=b"hello"),
    "on GET": get(b"Content-Length: 5", CHUNKED) + LAST,
}
# How a framing field may be hidden from one of two readers.
HIDDEN = {
    "space before the colon": request(b"Transfer-Encoding : chunked", body=LAST),
    "tab before the colon": request(b"Content-Length\t: 5", body=b"hello"),
    "NUL before the colon": request(b"Transfer-Encoding\0: chunked", body=LAST),
    "fold before the colon": request(b"Transfer-Encoding", b" : chunked", body=LAST),
    "folded value": request(b"Transfer-Encoding:", b" chunked", body=LAST),
    "folded by tab": request(b"Content-Length:", b"\t5", body=b"hello"),
    "folded list": request(b"Transfer-Encoding: identity,", b" chunked", body=LAST),
    "folded into another": request(b"X: y", b" Transfer-Encoding: chunked", body=LAST),
    "first field folded": b"POST /case HTTP/1.1\r\n Transfer-Encoding: chunked\r\nHost: HOST\r\n\r\n",
    "fold of nothing": request(b"X: y", b" ", body=b""), "tab alone": request(b"X: y", b"\t"),
    "behind LF": request(b"X: y\nTransfer-Encoding: chunked", body=LAST),
    "behind CR": request(b"X: y\rTransfer-Encoding: chunked", body=LAST),
    "behind LF CR": request(b"X: y\n\rTransfer-Encoding: chunked", body=LAST),
    "behind CR CR LF": request(b"X: y\r", b"Content-Length: 5", body=b"hello"),
    "behind NUL": request(b"X: y\0", b"Content-Length: 5", body=b"hello"),
    "LF ends it": b"POST /case HTTP/1.1\r\nHost: HOST\r\nContent-Length: 5\n\r\nhello",
    "LF LF ends the head": b"POST /case HTTP/1.1\r\nHost: HOST\r\nContent-Length: 5\n\nhello",
    "CR LF LF ends the head": b"POST /case HTTP/1.1\r\nHost: HOST\r\nContent-Length: 5\r\n\nhello",
    "LF CR LF ends the head": b"POST /case HTTP/1.1\r\nHost: HOST\r\nContent-Length: 5\n\r\n\r\nhello",
    "CR CR LF ends the head": request(b"Content-Length: 5\r", body=b"\nhello"),
    "no colon": request(b"Content-Length 5", body=b"hello"),
    "no name": request(b": 5", body=b"hello"), "colon alone": request(b":"),
    "colon first": request(b":Content-Length: 5", body=b"hello"),
    "quoted name": request(b'"Content-Length": 5', body=b"hello"),
    "bracketed name": request(b"[Content-Length]: 5", body=b"hello"),
    "backslash in the name": request(b"Transfer\\-Encoding: chunked", body=LAST),
    "slash in the name": request(b"Transfer/Encoding: chunked", body=LAST),
    "space in the name": request(b"Transfer Encoding: chunked", body=LAST),
    "DEL in the name": request(b"Content-Length\x7f: 5", body=b"hello"),
    "octet above ASCII in the name": request(b"Content-Length\x80: 5", body=b"hello"),
    "vertical tab before the name": request(b"\x0bContent-Length: 5", body=b"hello"),
    "byte order mark before the name": request(b"\xef\xbb\xbfContent-Length: 5", body=b"hello"),
    "escape in a value": request(b"X: \x1b", b"Content-Length: 5", body=b"hello"),
    "DEL in a value": request(b"X: \x7f"), "backspace in a value": request(b"X: a\x08"),
}
LINES = {
    "two spaces before the target": line(b"GET  /case HTTP/1.1"),
    "two spaces behind it": line(b"GET /case  HTTP/1.1"), "tab": line(b"GET\t/case HTTP/1.1"),
    "tab behind the target": line(b"GET /case\tHTTP/1.1"), "space first": line(b" GET /case HTTP/1.1"),
    "space last": line(b"GET /case HTTP/1.1 "), "tab last": line(b"GET /case HTTP/1.1\t"),
    "CR in it": line(b"GET /case\rHTTP/1.1"), "CR behind the version": line(b"GET /case HTTP/1.1\r"),
    "CR before it": b"\r" + line(b"GET /case HTTP/1.1"), "LF before it": b"\n" + line(b"GET /case HTTP/1.1"),
    "two empty lines before it": b"\r\n\r\n" + line(b"GET /case HTTP/1.1"),
    "letters of the version": line(b"GET /case http/1.1"), "version 1.10": line(b"GET /case HTTP/1.10"),
    "version 01.1": line(b"GET /case HTTP/01.1"), "version 1,1": line(b"GET /case HTTP/1,1"),
    "version 1.": line(b"GET /case HTTP/1."), "version of nothing": line(b"GET /case HTTP/"),
    "another protocol": line(b"GET /case RTSP/1.0"), "method alone": line(b"GET"),
    "method of no token": line(b"G(T /case HTTP/1.1"), "NUL in the method": line(b"G\0T /case HTTP/1.1"),
    "method and colon": line(b"GET: /case HTTP/1.1"), "33 letters": line(b"G" * 33 + b" /case HTTP/1.1"),
    "NUL in the target": line(b"GET /c\0se HTTP/1.1"), "fragment": line(b"GET /case#x HTTP/1.1"),
    "octet above ASCII": line(b"GET /c\xe4se HTTP/1.1"), "DEL in the target": line(b"GET /c\x7fse HTTP/1.1"),
    "target in no form": line(b"GET case HTTP/1.1"), "star": line(b"GET * HTTP/1.1"),
    "question mark alone": line(b"GET ?case HTTP/1.1"), "target is a version": line(b"GET HTTP/1.1"),
    "request within": line(b"GET /case HTTP/1.1 GET /smuggled HTTP/1.1"),
}
VERSIONS = {
    "1.2": line(b"GET /case HTTP/1.2"), "1.9": line(b"GET /case HTTP/1.9"), "0.9": line(b"GET /case HTTP/0.9"),
    "3.0": line(b"GET /case HTTP/3.0"), "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0",
}
CONNECTS = {
    "authority": line(b"CONNECT HOST:443 HTTP/1.1"), "path": line(b"CONNECT /case HTTP/1.1"),
    "absolute": line(b"CONNECT http://HOST/case HTTP/1.1"),
    "with a body": request(FIVE, method=b"CONNECT", target=b"HOST:80", body=b"hello"),
}
HOSTS = {
    "another": get(b"Host: other.example.net"), "other letters": get(b"hOST: HOST"),
    "empty second": get(b"Host:"), "hidden second": get(b"Host : other.example.net"),
    "list": b"GET /case HTTP/1.1\r\nHost: HOST, other.example.net\r\n\r\n",
    "path": b"GET /case HTTP/1.1\r\nHost: HOST/x\r\n\r\n",
    "query": b"GET /case HTTP/1.1\r\nHost: HOST?x\r\n\r\n",
    "user": b"GET /case HTTP/1.1\r\nHost: user@HOST\r\n\r\n",
    "user is the host": b"GET /case HTTP/1.1\r\nHost: HOST@other.example.net\r\n\r\n",
    "two ports": b"GET /case HTTP/1.1\r\nHost: HOST:80:80\r\n\r\n",
    "port too high": b"GET /case HTTP/1.1\r\nHost: HOST:65536\r\n\r\n",
    "port with a sign": b"GET /case HTTP/1.1\r\nHost: HOST:+80\r\n\r\n",
    "port 0": b"GET /case HTTP/1.1\r\nHost: HOST:0\r\n\r\n",
    "empty": b"GET /case HTTP/1.1\r\nHost:\r\n\r\n", "blank": b"GET /case HTTP/1.1\r\nHost: \t\r\n\r\n",
    "dots": b"GET /case HTTP/1.1\r\nHost: ..\r\n\r\n",
    "escaped": b"GET /case HTTP/1.1\r\nHost: www%2eexample.com\r\n\r\n",
    "open bracket": b"GET /case HTTP/1.1\r\nHost: [::1\r\n\r\n",
    "tab inside": b"GET /case HTTP/1.1\r\nHost: a\tb\r\n\r\n",
    "folded": b"GET /case HTTP/1.1\r\nHost:\r\n HOST\r\n\r\n",
    "underscore for it": b"GET /case HTTP/1.1\r\nHost_: HOST\r\n\r\n",
    "absolute target, none": b"GET SCHEME://HOST/case HTTP/1.1\r\n\r\n",
    "absolute target, another": line(b"GET SCHEME://other.example.net/case HTTP/1.1"),
    "absolute target, user": line(b"GET SCHEME://HOST@other.example.net/case HTTP/1.1"),
    "absolute target, user before": line(b"GET SCHEME://user@HOST/case HTTP/1.1"),
    "absolute target, another port": line(b"GET SCHEME://HOST:8443/case HTTP/1.1"),
    "absolute target, no path": line(b"GET SCHEME://HOST?case HTTP/1.1"),
    "absolute target, no host": line(b"GET SCHEME:///case HTTP/1.1"),
    "absolute target, other scheme": line(b"GET OTHER://HOST/case HTTP/1.1"),
    "absolute target, ftp": line(b"GET ftp://HOST/case HTTP/1.1"),
    "absolute target, backslash": line(b"GET SCHEME://HOST\\@other.example.net/case HTTP/1.1"),
}
OPTIONS_OF_CONNECTION = {
    "space inside": get(b"Connection: a b"), "quoted": get(b'Connection: "close"'),
    "parameter": get(b"Connection: close;a=1"), "33 of them": get(b"Connection: " + b",".join([b"a"] * 33)),
    "33 in fields": get(*[b"Connection: a"] * 33),
}
EXPECTATIONS = {
    "two in one": get(b"Expect: 100-continue, x"), "parameter": get(b"Expect: 100-continue;a=1"),
    "empty": get(b"Expect:"), "second": get(b"Expect: 100-continue", b"Expect: other"),
}
OLD = {  # HTTP/1.0
    "coding": b"POST /case HTTP/1.0\r\nHost: HOST\r\n" + CHUNKED + b"\r\n" + b"Connection: keep-alive\r\n\r\n" + LAST,
    "coding and length": b"POST /case HTTP/1.0\r\nHost: HOST\r\n" + CHUNKED + b"\r\n" + FIVE + b"\r\n\r\n" + LAST,
    "unknown coding": b"POST /case HTTP/1.0\r\nHost: HOST\r\nTransfer-Encoding: x\r\n\r\n" + LAST,
    "coding of nothing": b"POST /case HTTP/1.0\r\nHost: HOST\r\nTransfer-Encoding:\r\n\r\n",
}
TOO_MANY = {"129 fields": get(*[b"A: b"] * 128)}

REFUSED = {f"{group}: {name}": (case, status) for group, cases, status in (
    ("length", LENGTHS, 400), ("coding", CODINGS, 400), ("coding", CODINGS_UNKNOWN, 501),
    ("length and coding", BOTH, 400), ("hidden", HIDDEN, 400), ("first line", LINES, 400),
    ("version", VERSIONS, 505), ("CONNECT", CONNECTS, 501), ("Host", HOSTS, 400),
    ("Connection", OPTIONS_OF_CONNECTION, 400), ("Expect", EXPECTATIONS, 417), ("HTTP/1.0", OLD, 400),
    ("limit", TOO_MANY, 431)) for name, case in cases.items()}

# ---- refused when its head has gone on already: what is sent of the body is never a whole request ----

BAD_CHUNKS = {
    "prefix": b"0x5\r\nhello\r\n" + LAST, "space behind": b"5 \r\nhello\r\n" + LAST,
    "space before": b" 5\r\nhello\r\n" + LAST,
    "tab behind": b"5\t\r\nhello\r\n" + LAST, "plus": b"+5\r\nhello\r\n" + LAST, "minus nothing": b"-0\r\n\r\n",
    "no size": b"\r\nhello\r\n" + LAST, "extension without a size": b";a=1\r\nhello\r\n" + LAST,
    "underscore": b"0_5\r\nhello\r\n" + LAST, "comma": b"5,5\r\nhello\r\n" + LAST, "NUL": b"5\0\r\nhello\r\n" + LAST,
    "word": b"five\r\nhello\r\n" + LAST, "17 digits": b"00000000000000005\r\nhello\r\n" + LAST,
    "64 bits": b"ffffffffffffffff\r\nhello", "64 bits and more": b"10000000000000005\r\nhello\r\n" + LAST,
    "LF behind the size": b"5\nhello\r\n" + LAST, "CR behind the size": b"5\rhello\r\n" + LAST,
    "CR CR LF": b"5\r\r\nhello\r\n" + LAST, "LF behind data": b"5\r\nhello\n" + LAST,
    "CR behind data": b"5\r\nhello\r" + LAST,
    "nothing behind data": b"5\r\nhello" + LAST, "more data": b"5\r\nhello there\r\n" + LAST,
    "less data": b"5\r\nhell\r\n" + LAST, "empty extension": b"5;\r\nhello\r\n" + LAST,
    "space in an extension": b"5;a b\r\nhello\r\n" + LAST, "space before an extension": b"5; a=1\r\nhello\r\n" + LAST,
    "extension of no value": b"5;a=\r\nhello\r\n" + LAST, "open quotes": b'5;a="x\r\nhello\r\n' + LAST,
    "quotes and LF": b'5;a="\n"\r\nhello\r\n' + LAST, "LF in an extension": b"5;a\nhello\r\n" + LAST,
    "CR in an extension": b"5;a\rb\r\nhello\r\n" + LAST, "NUL in an extension": b"5;a=\0\r\nhello\r\n" + LAST,
    "long extensions": b"1;a=" + b"b" * 4100 + b"\r\nx\r\n" + LAST,
    "LF behind the last": b"5\r\nhello\r\n0\n\n", "LF behind trailers": b"5\r\nhello\r\n0\r\n\n",
    "no empty line": b"5\r\nhello\r\n0\r\n", "trailer without a colon": b"0\r\nabc\r\n\r\n",
    "trailer of no name": b"0\r\n: x\r\n\r\n", "space before a trailer's colon": b"0\r\nContent-Length : 5\r\n\r\n",
    "folded trailer": b"0\r\nA: b\r\n c\r\n\r\n", "NUL in a trailer": b"0\r\nA: \0\r\n\r\n",
    "LF in a trailer": b"0\r\nA: b\nC: d\r\n\r\n", "long trailers": b"0\r\n" + b"A: bcdefghi\r\n" * 1000 + b"\r\n",
}

# ---- understood in one way only, and so forwarded: (bytes, body that the origin sees) ----

MESSAGES = {
    "leading zeros": (length(b" 005"), b"hello"), "no space": (length(b"5"), b"hello"),
    "tabs around": (length(b" \t5 \t"), b"hello"), "length of nothing": (request(b"Content-Length: 0"), b""),
    "neither": (request(), b""), "chunked in capitals": (coding(b" CHUNKED"), b""),
    "tabs around chunked": (coding(b"\t chunked\t "), b""),
    "underscores": (request(b"Content_Length: 9", b"Content-Length: 5", body=b"hello"), b"hello"),
    "underscores in a coding": (request(b"Transfer_Encoding: chunked", b"Content-Length: 5", body=b"hello"), b"hello"),
    "underscores in Host": (request(b"Host_: other.example.net", b"X_Forwarded_Host: a"), b""),
    "length is no field for the next hop": (request(b"Connection: Content-Length", b"Content-Length: 5", body=b"hello"),
                                            b"hello"),
    "nor is the coding": (request(b"Connection: Transfer-Encoding, Host", CHUNKED, body=b"5\r\nhello\r\n" + LAST),
                          b"hello"),
    "coding and TE": (request(b"TE: chunked, trailers", b"Connection: TE", CHUNKED, body=LAST), b""),
    "codings in names alike": (request(b"X-Transfer-Encoding: chunked", b"Content-Length: 5", body=b"hello"), b"hello"),
    "Trailer": (request(b"Trailer: Content-Length", CHUNKED, body=b"0\r\nContent-Length: 50\r\n\r\n"), b""),
    "framing in trailers": (chunks(b"5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\nContent-Length: 7\r\n"
                                   b"Host: other.example.net\r\n\r\n"), b"hello"),
    "extensions": (chunks(b'2;a\r\nhe\r\n3;b=c;d="e\\";f"\r\nllo\r\n0;g\r\n\r\n'), b"hello"),
    "zeros before sizes": (chunks(b"0000000000000005\r\nhello\r\n000\r\n\r\n"), b"hello"),
    "sizes in capitals": (chunks(b"A\r\nhellohello\r\n" + LAST), b"hellohello"),
    "a request as a body": (request(b"Content-Length: 49",
                                    body=b"GET /smuggled HTTP/1.1\r\nHost: www.example.com\r\n\r\n"),
                            b"GET /smuggled HTTP/1.1\r\nHost: www.example.com\r\n\r\n"),
    "a request as a chunk": (chunks(b"1a\r\nGET /smuggled HTTP/1.1\r\n\r\n\r\n" + LAST),
                             b"GET /smuggled HTTP/1.1\r\n\r\n"),
    "h2c": (request(b"Upgrade: h2c", b"Connection: Upgrade, HTTP2-Settings", b"HTTP2-Settings: AAMAAABk",
                    b"Content-Length: 5", body=b"hello"), b"hello"),
    "h2c, not named by Connection": (request(b"Upgrade: h2c", b"Content-Length: 0"), b""),
    "WebSocket with a body": (request(b"Upgrade: websocket", b"Connection: Upgrade", b"Sec-WebSocket-Version: 13",
                                      b"Content-Length: 5", body=b"hello"), b"hello"),
    "TLS upgrade": (request(b"Upgrade: TLS/1.2", b"Connection: Upgrade"), b""),
    "empty line before": (b"\r\n" + request(), b""),
    "body on GET": (request(FIVE, method=b"GET", body=b"hello"), b"hello"),
    "chunks on GET": (request(CHUNKED, method=b"GET", body=b"5\r\nhello\r\n" + LAST), b"hello"),
    "body on DELETE": (request(FIVE, method=b"DELETE", body=b"hello"), b"hello"),
    "body on OPTIONS": (request(FIVE, method=b"OPTIONS", body=b"hello"), b"hello"),
    "method of no RFC": (request(FIVE, method=b"BREW", body=b"hello"), b"hello"),
    "method in small letters": (request(FIVE, method=b"post", body=b"hello"), b"hello"),
    "absolute target": (request(FIVE, target=b"SCHEME://HOST/case", body=b"hello"), b"hello"),
    "absolute target in capitals": (request(target=b"CAPITALS://HOST:PORT/case"), b""),
    "1.0 that stays": (b"POST /case HTTP/1.0\r\nHost: HOST\r\nConnection: keep-alive\r\n" + FIVE + b"\r\n\r\nhello",
                       b"hello"),
    "128 fields": (get(*[b"A: b"] * 127), b""),
    "empty options of Connection": (request(b"Connection: ,, ,keep-alive,"), b""),
}
# Served, and then the connection ends: what follows is for nobody.
LAST_ONES = {
    "close": get(b"Connection: close"), "close among others": get(b"Connection: x, CLOSE"),
    "close in a second field": get(b"Connection: keep-alive", b"Connection: close"),
    "1.0": b"GET /case HTTP/1.0\r\nHost: HOST\r\n\r\n",
    "1.0 with a body": b"POST /case HTTP/1.0\r\nHost: HOST\r\n" + FIVE + b"\r\n\r\nhello",
    "1.0 with an expectation": b"POST /case HTTP/1.0\r\nHost: HOST\r\nExpect: x\r\n" + FIVE + b"\r\n\r\nhello",
}
