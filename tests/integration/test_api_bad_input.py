"""What is wrong is refused by every endpoint that takes a body: with a status and code that say so and a
message that names the field, without a trace in the store, and without a word about other accounts.

Each test starts with the same store. Cases are made of openapi.yaml and of its examples, or of
TwoAccounts.bodies() where an example will not do."""
import json

import pytest

from api_description import JSON, Description
from bad_input import broken_bodies
from openapi_calls import bearer, form
from two_accounts import MARK, TwoAccounts

DESCRIPTION = Description()
WITH_BODY = [name for name, each in DESCRIPTION.operations.items() if each.request_content()]
# As much as the server takes apart.
DEPTH_MAX = 32
BAD_TEXTS = {  # what stands in the place of a text, raw
    "a lone surrogate": rb'"\ud800"',
    "half a surrogate pair": rb'"\udc00\ud800"',
    "invalid UTF-8": b'"\xff\xfe"',
    "overlong UTF-8": b'"\xc0\xaf"',
    "a surrogate in UTF-8": b'"\xed\xa0\x80"',
    "NUL": rb'"a\u0000b"',
    "a raw control character": b'"a\x01b"',
}


class Node(TwoAccounts):
    def target_of(self, operation):
        """The path; skips the test where nothing is known for a part of it."""
        if self.target(operation.path, self.mine.ids) is None:
            pytest.skip(f"two_accounts.py makes nothing for a part of {operation.path}")
        return self.target(operation.path, self.mine.ids)

    def headers_of(self, operation):
        """Of the user, where the endpoint is about one, else the operator's."""
        return self.mine.headers if operation.path.startswith("/client/v4/user") else None

    def body_of(self, operation):
        return self.body(operation.method, operation.path, self.mine.ids)

    def ask(self, operation, body=None, query="", content_type=JSON):
        answer = self.send(operation.method, self.target_of(operation), body,
                           self.headers_of(operation), query, content_type=content_type)
        operation.check_answer(answer.status, answer.content_type, answer.body)
        return answer


@pytest.fixture(scope="module")
def one_node(tmp_path_factory):
    node = Node(tmp_path_factory.mktemp("bad-input"), DESCRIPTION)
    yield node
    node.control.stop()


@pytest.fixture
def node(one_node):
    one_node.restore()
    return one_node


class Faults:
    """Collects what is wrong, so that one run shows all of it."""

    def __init__(self, node):
        self.node, self.lines = node, []

    def refused(self, case, answer, *names, statuses=(400, 413, 501)):
        """It was, and left no trace; what was taken is undone, so that the next case does not suffer."""
        if answer.status not in statuses:
            self.lines.append(f"{case}: answered {answer.status} {answer.body[:200]}")
            return self.node.restore()
        said = json.dumps(answer["errors"])
        if names and not any(name in said for name in names):
            self.lines.append(f"{case}: does not name {' or '.join(names)}: {said[:300]}")
        if MARK in said:
            self.lines.append(f"{case}: tells of another account: {said[:300]}")
        return None

    def check(self):
        after = self.node.dump()
        changed = [table for table in after if after[table] != self.node.state[table]]
        if changed:
            self.lines.append(f"what was refused changed {changed}")
        assert not self.lines, f"{len(self.lines)} faults\n" + "\n".join(self.lines[:100])


def same_kind(operation, body):
    """Whether the body is an example that the schema allows; else it could prove nothing."""
    return not DESCRIPTION.faults(body, operation.request_content()[0])


@pytest.mark.parametrize("name", WITH_BODY)
def test_a_field_that_breaks_its_schema_is_named(node, name):
    operation = DESCRIPTION.operations[name]
    schema, _ = operation.request_content()
    example = node.body_of(operation)
    assert same_kind(operation, example), DESCRIPTION.faults(example, schema)
    faults, cases = Faults(node), 0
    for case in broken_bodies(DESCRIPTION, schema, example):
        cases += 1
        faults.refused(case, node.ask(operation, json.dumps(case.body)), case.field)
    print(f"{name}: {cases} cases")
    faults.check()


def raw_bodies(example):
    """What is no JSON object at all, or none that may come in."""
    text = json.dumps(example).encode()
    deep = b"[" * 200_000
    yield "not JSON", b"name=example.com"
    yield "half of it", text[:-1]
    yield "two of it", text + text
    yield "an array", b"[" + text + b"]"
    yield "a text", b'"text"'
    yield "null", b"null"
    yield "a byte order mark and half of it", b"\xef\xbb\xbf" + text[:-1]
    yield "UTF-16", json.dumps(example).encode("utf-16")
    yield "NUL behind it", text + b"\0"
    yield "a number that is too large", b'{"x": 1e999}'
    yield "NaN", b'{"x": NaN}'
    yield "single quotes", text.replace(b'"', b"'")
    yield "deep arrays", b'{"x": ' + deep + b"]" * 200_000 + b"}"
    yield "deep arrays without an end", b'{"x": ' + deep
    yield "deep objects", b'{"x": ' * 20_000 + b"1" + b"}" * 20_000
    yield "one level too many", b'{"x": ' * DEPTH_MAX + b"[]" + b"}" * DEPTH_MAX
    for name in example:
        yield f"{name} twice", text[:-1] + b", " + json.dumps({name: example[name]}).encode()[1:]
        for what, value in BAD_TEXTS.items():
            yield f"{name} = {what}", b'{"' + name.encode() + b'": ' + value + b"}"
        yield f"{name} with a NUL", b'{"' + name.encode() + b'\\u0000": 1}'


@pytest.mark.parametrize("name", WITH_BODY)
def test_what_is_no_json_object_is_refused(node, name):
    operation = DESCRIPTION.operations[name]
    faults = Faults(node)
    for what, body in raw_bodies(node.body_of(operation)):
        answer = node.ask(operation, body)
        faults.refused(what, answer, statuses=(400,))
        if answer.status == 400 and {error["code"] for error in answer["errors"]} - {6007, 9207}:
            faults.lines.append(f"{what} has an unexpected code: {answer.body[:200]}")
    content_type, body = form(b"www A 203.0.113.1\n")
    faults.refused("a form", node.ask(operation, body, content_type=content_type), statuses=(400,))
    schema = operation.request_content()[0]
    if schema.get("required") or "minProperties" in schema:
        faults.refused("nothing", node.ask(operation))
    faults.check()


ZONE_FILES = {
    "not a zone file": b"\x89PNG\r\n\x1a\n\0\0\0",
    "NUL": b"www A 203.0.113.1\0\n",
    "an unknown type": b"www NONESUCH 1\n",
    "another zone": b"www.elsewhere.test. A 203.0.113.1\n",
    "half a record": b"www A\n",
    "a parenthesis that stays open": b"@ SOA a b ( 1 2 3\n",
    "a record behind a good one": b"good A 203.0.113.1\nbad A 203.0.113.256\n",
    "CNAME and others": b"x CNAME a.test.\nx A 203.0.113.1\n",
    "a file to include": b"$INCLUDE /etc/passwd\n",
    "a quote that stays open": b'www TXT "open\nnext A 203.0.113.1\n',
    "a wrong TTL": b"www 12x A 203.0.113.1\n",
    "a huge name": b"a" * 64 + b" A 203.0.113.1\n",
    "invalid UTF-8 as a name": b"\xff\xfe A 203.0.113.256\n",
}


def test_imports_of_what_is_no_zone_file_change_nothing(node):
    faults = Faults(node)
    operation = DESCRIPTION.operations["importRecords"]
    for what, file in ZONE_FILES.items():
        content_type, body = form(file)
        faults.refused(what, node.ask(operation, body, content_type=content_type), statuses=(400,))
    good_type, good = form(b"www A 203.0.113.1\n")
    for what, content_type, body in (
            ("JSON", "application/json", b"{}"), ("nothing", good_type, b""),
            ("no boundary", "multipart/form-data", good),
            ("another boundary", "multipart/form-data; boundary=other", good),
            ("half a form", good_type, good[:len(good) // 2]),
            ("no field file", good_type, good.replace(b'name="file"', b'name="fill"'))):
        faults.refused(what, node.ask(operation, body, content_type=content_type), statuses=(400,))
    faults.check()


@pytest.mark.parametrize("headers, status", [
    ({}, 413), (bearer("x" * 40), 403), ({"Authorization": "Bearer"}, 400),
    ({"X-Auth-Email": "mine@example.com", "X-Auth-Key": "wrong"}, 403)])
@pytest.mark.parametrize("size", [65 * 1024, 7 * 1024 * 1024])
def test_no_large_body_is_read_of_whom_nobody_knows(node, headers, status, size):
    """It is answered while the body is still to come."""
    faults = Faults(node)
    connection = node.api.begin("POST", f"/client/v4/zones/{node.mine.ids['zone']}/dns_records",
                                {**headers, "Content-Length": str(size)})
    answer = node.api.finish(connection)
    assert answer.status == status, answer.body
    faults.check()


def test_large_bodies_are_read_of_whom_may_send_them(node):
    text = json.dumps({"patches": [{"id": node.mine.ids["record"], "ttl": 300, "x": "y" * 100_000}]})
    answer = node.api.call("changeRecords", node.mine.ids["zone"], body=text, headers=node.mine.headers)
    assert answer.status == 200, answer.body
    connection = node.api.begin("POST", f"/client/v4/zones/{node.theirs.ids['zone']}/dns_records",
                                {**node.mine.headers, "Content-Length": "100000"})
    assert node.api.finish(connection).status == 404


QUERIES = ["page=0", "page=-1", "page=x", "page=1.5", "page=" + "9" * 30, "per_page=0", "per_page=x",
           "per_page=" + "9" * 30, "direction=up", "match=none"]


@pytest.mark.parametrize("name", [name for name, each in DESCRIPTION.operations.items()
                                  if each.method == "GET" and each.parameters])
def test_wrong_parameters_are_named(node, name):
    operation = DESCRIPTION.operations[name]
    known = {each["name"]: each for each in operation.parameters if each["in"] == "query"}
    faults = Faults(node)
    queries = [query for query in QUERIES if query.split("=")[0] in known]
    for parameter, each in known.items():
        schema = DESCRIPTION.resolve(each["schema"])
        if "enum" in schema or schema.get("type") in ("boolean", "integer") or "pattern" in schema:
            queries += [f"{parameter}=nonesuch", f"{parameter}=", f"{parameter}=%00", f"{parameter}=%ff"]
    for query in queries:
        faults.refused(query, node.ask(operation, query="?" + query), query.split("=")[0], statuses=(400,))
    faults.check()
