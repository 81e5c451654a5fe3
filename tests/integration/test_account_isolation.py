"""What another account has is answered like what is not there: by every route, whatever names it (path,
body, query), for every kind of credential; nothing of it is told, nothing of it changes.

Each case is also asked by whom it belongs to, and must be answered otherwise then: an identifier that
leads nowhere would prove nothing. A route that takes identifiers for which two_accounts.py makes
nothing is skipped by that name."""
import json
import re
from urllib.parse import quote

import pytest

from api_description import Description
from bad_input import places, text_of
from openapi_calls import bearer, policy
from two_accounts import MARK, TwoAccounts, nobodys, parts_of, served_routes

DESCRIPTION = Description()
ROUTES = served_routes()
NOBODY = "n0b0d"
# The same for everybody.
COMMON = ("setting", "phase")
# Queries that name things, of routes that openapi.yaml does not have.
QUERIES = {"/client/v4/zones/{zone}/certificate_authorities/hostname_associations":
           ["mtls_certificate_id"]}
# What differs from one answer to the next: moments, new identifiers, secrets.
FRESH = r'\d{4}-\d\d-\d\dT[\d:.]+Z|"[0-9a-f]{32}"|(?<="value":)"[^"]+"'
# In schemas called identifiers, of what is nobody's own.
PUBLIC_IDS = ("plan.id", "permission_groups[0].id", "policies[0].id", "items[0].id")


def name_of(method, path):
    return f"{method} {path.replace('/client/v4', '').replace('/brink/v1', '/brink')}"


def routes(choose):
    return [pytest.param(method, path, id=name_of(method, path))
            for method, path, permission in ROUTES if permission != "public" and choose(method, path)]


class Asked:
    """What one request was answered, and what it named that is compared."""

    def __init__(self, answer, *named):
        self.answer, self.status = answer, answer.status
        self.text = answer.body.decode()
        for value in sorted(named, key=len, reverse=True):
            self.text = self.text.replace(value, "WHAT-WAS-ASKED-FOR")

    def seen(self):
        headers = {name: value for name, value in self.answer.headers.items()
                   if name not in ("date", "content-length") and not name.startswith("x-ratelimit")}
        return self.status, headers, re.sub(FRESH, "FRESH", self.text)


class World(TwoAccounts):
    def __init__(self, folder, description):
        super().__init__(folder, description)
        self.absent = nobodys(self.theirs.ids) | {"hostname": f"nowhere.{MARK}.example"}
        self.credentials = self.make_credentials()
        self.save()
        self.their_rows = [(table, row) for table, rows in self.state.items() for row in rows
                           if self.is_theirs(row)]
        assert len({table for table, _ in self.their_rows}) > 8

    def make_credentials(self):
        """Of my account, each allowed all that an account can allow."""
        ids, key = self.mine.ids, self.mine.headers
        account = f"/client/v4/accounts/{ids['account']}/tokens"
        groups = self.send("GET", account + "/permission_groups", headers=key)["result"]
        scoped = {}
        for group in groups:
            for scope in group["scopes"]:
                scoped.setdefault(scope, []).append(group["name"])
        resources = {"com.cloudflare.api.account.zone": "com.cloudflare.api.account.zone.*",
                     "com.cloudflare.api.account": "com.cloudflare.api.account.*",
                     "com.cloudflare.api.user": "com.cloudflare.api.user." + ids["user"]}
        policies = {scope: policy(*names, resource=resources[scope])
                    for scope, names in scoped.items() if scope in resources}
        of_user = self.make("/client/v4/user/tokens",
                            {"name": "all", "policies": list(policies.values())}, key)
        policies.pop("com.cloudflare.api.user", None)
        of_account = self.make(account, {"name": "all", "policies": list(policies.values())}, key)
        # Who may grant everything on the zones of his account may name any zone, and gets nothing by it.
        zone = "com.cloudflare.api.account.zone." + self.theirs.ids["zone"]
        naming = self.make(account, {"name": "theirs", "policies": [
            policy(*scoped["com.cloudflare.api.account.zone"], resource=zone)]}, key)
        return {"key": key, "user token": bearer(of_user["value"]),
                "account token": bearer(of_account["value"]),
                "token that names their zone": bearer(naming["value"])}

    def is_theirs(self, row):
        return MARK in row or any(repr(bytes.fromhex(value))[2:-1] in row
                                  for value in self.secret_ids())

    def secret_ids(self):
        return [value for part, value in self.theirs.ids.items()
                if re.fullmatch("[0-9a-f]{32}", value)]

    def ask(self, method, path, ids, headers, body=None, query="", named=()):
        form = self.form_of(path)
        options = {"content_type": form[0]} if form else {}
        content = form[1] if form else None if body is None else json.dumps(body)
        answer = self.send(method, self.target(path, ids), content, headers, query, **options)
        return Asked(answer, *named)

    def changes_of_theirs(self):
        after = self.dump()
        return [f"a row of the other account in {table} changed: {row[:200]}"
                for table, row in self.their_rows if row not in after[table]]

    def owner(self, path):
        """Whoever may do it to the other account's things: its user, or the operator."""
        return self.theirs.headers if path.startswith("/client/v4/user") else None

    def leaks(self, asked):
        return [what for what in [MARK, *self.secret_ids()] if what in asked.text]


@pytest.fixture(scope="module")
def one_world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("two-accounts"), DESCRIPTION)
    yield world
    world.control.stop()


@pytest.fixture
def world(one_world):
    one_world.restore()
    return one_world


class Faults(list):
    def compare(self, world, what, theirs, none, refused=True):
        """Both were answered alike, and nothing was told."""
        if refused and theirs.status < 400:
            self.append(f"{what}: answered {theirs.status} {theirs.text[:300]}")
        if theirs.seen() != none.seen():
            self.append(f"{what}: {theirs.seen()} is not {none.seen()}")
        if leaked := world.leaks(theirs):
            self.append(f"{what}: tells {leaked} in {theirs.text[:500]}")

    def check(self, world, unchanged=True):
        after = world.dump()
        changed = [table for table in after if after[table] != world.state[table]]
        if unchanged and changed:
            self.append(f"what was refused changed {changed}")
        assert not self, f"{len(self)} faults\n" + "\n".join(self[:50])


def substitutes(path):
    """Which parts of a path are exchanged for another account's: each, then all."""
    parts = [part for part in parts_of(path) if part not in COMMON]
    return [[part] for part in parts] + ([parts] if len(parts) > 1 else [])


@pytest.mark.parametrize("method, path", routes(lambda method, path: substitutes(path)))
def test_in_a_path(world, method, path):
    missing = [part for part in parts_of(path) if world.target("{" + part + "}", world.mine.ids) is None]
    if missing:
        pytest.skip(f"two_accounts.py makes nothing for {missing}: add it to TwoAccounts.fill()")
    faults = Faults()
    for parts in substitutes(path):
        for kind, headers in world.credentials.items():
            asked = []
            for source in (world.theirs.ids, world.absent):
                names = [expanded(path, part) for part in parts]
                ids = {**world.mine.ids, **{part: source[part] for part in names}}
                asked.append(world.ask(method, path, ids, headers, world.body(method, path, ids),
                                       named=[source[part] for part in names]))
            faults.compare(world, f"{parts} with {kind}", *asked)
    faults.check(world)


def expanded(path, part):
    """{token} is one of a user or of an account."""
    if part != "token":
        return part
    return "user_token" if path.startswith("/client/v4/user") else "account_token"


@pytest.mark.parametrize("method, path", routes(lambda method, path: substitutes(path)))
def test_what_a_path_names_is_there_for_its_owner(world, method, path):
    faults = Faults()
    theirs = world.theirs.ids
    for part in [part for part in parts_of(path) if part not in COMMON]:
        name = expanded(path, part)
        if name not in theirs:
            pytest.skip(f"two_accounts.py makes nothing for {part}")
        found, none = (world.ask(method, path, ids, world.owner(path), world.body(method, path, theirs),
                                 named=[ids[name]])
                       for ids in (theirs, {**theirs, name: world.absent[name]}))
        if found.seen() == none.seen() or none.status != 404 or found.status == 403:
            faults.append(f"{part}: the owner is answered {found.seen()}, for nothing {none.seen()}")
        world.restore()
    faults.check(world, unchanged=False)


def exchanged(body, ids, other):
    """(part, body with that part's identifier exchanged in one place), for every place."""
    for part, value in ids.items():
        if part in COMMON:
            continue
        text = json.dumps(body)
        for match in re.finditer(rf"\b{re.escape(value)}\b", text):
            yield part, json.loads(text[:match.start()] + other[part] + text[match.end():])


@pytest.mark.parametrize("method, path", routes(lambda method, path: method in ("POST", "PUT", "PATCH")))
def test_in_a_body(world, method, path):
    mine = world.mine.ids
    body = world.body(method, path, mine)
    operation = world.described.get((method, path))
    if operation is not None and operation.request_content():
        unnamed = identifiers_left_out(operation, body)
        if unnamed:
            pytest.skip(f"TwoAccounts.bodies() has no {unnamed} in the body")
    elif operation is None and body is None and world.form_of(path) is None:
        if any(word in path for word in ("certificate", "origin_tls")):
            pytest.skip("openapi.yaml does not say what the body may have")
    cases = list(zip(exchanged(body, mine, world.theirs.ids), exchanged(body, mine, world.absent)))
    if not cases:
        return  # no identifiers at all
    taken = world.ask(method, path, mine, world.credentials["key"], body)
    assert taken.status in (200, 204, 501), f"with my own: {taken.text}"
    world.restore()
    faults = Faults()
    for kind, headers in world.credentials.items():
        for (part, theirs), (_, none) in cases:
            asked = []
            for each, source in ((theirs, world.theirs.ids), (none, world.absent)):
                asked.append(world.ask(method, path, mine, headers, each, named=[source[part]]))
                faults += world.changes_of_theirs()
                world.restore()
            # Tokens may name zones that are not there, rules ids that they are to have no more.
            refused = "/tokens" not in path and part != "rule"
            faults.compare(world, f"{part} in {json.dumps(theirs)} with {kind}", *asked, refused=refused)
    faults.check(world)


def identifiers_left_out(operation, body):
    """Fields that a schema calls identifiers and that the body does not have."""
    left_out = []
    for path, schema in places(DESCRIPTION, operation.request_content()[0], body):
        if not isinstance(path[-1], str) or not re.fullmatch(r"(.*_)?ids?", path[-1]):
            continue
        if not DESCRIPTION.validator(schema).is_valid("0" * 32):
            continue
        at = body
        for part in path:
            at = at[part] if isinstance(at, list) or part in at else None
            if at is None:
                break
        if at is None and not text_of(path).endswith(PUBLIC_IDS):
            left_out.append(text_of(path))
    return left_out


def query_parameters(path):
    described = next((each for each in DESCRIPTION.operations.values()
                      if each.path == path and each.method == "GET"), None)
    if described is None:
        return QUERIES.get(path, [])
    return [each["name"] for each in described.parameters if each["in"] == "query"]


def values_of(ids, name):
    """Everything of an account that a query could ask for."""
    return [*(value for part, value in ids.items() if part not in COMMON),
            f"{name}.example", f"contains:{name}", f"{name}@example.com", f"{name} account",
            f"www.{name}.example", f"{name} comment", f"{name}:tag"]


@pytest.mark.parametrize("method, path", routes(lambda method, path: method == "GET" and
                                                query_parameters(path)))
def test_in_a_query(world, method, path):
    faults = Faults()
    pairs = list(zip(values_of(world.theirs.ids, MARK), values_of(world.absent, NOBODY)))
    told = 0  # differences that the owner sees
    for parameter in query_parameters(path):
        for theirs, none in pairs:
            queries = [f"?{parameter}={quote(value)}" for value in (theirs, none)]
            for kind, headers in world.credentials.items():
                first, second = (world.ask(method, path, world.mine.ids, headers, query=query,
                                           named=[value, quote(value)])
                                 for query, value in zip(queries, (theirs, none)))
                if first.seen() != second.seen():
                    faults.append(f"{queries[0]} with {kind}: {first.seen()} is not {second.seen()}")
                if leaked := world.leaks(first):
                    faults.append(f"{queries[0]} with {kind}: tells {leaked}")
            first, second = (world.ask(method, path, world.theirs.ids, world.owner(path), query=query,
                                       named=[value])
                             for query, value in zip(queries, (theirs, none)))
            told += first.seen() != second.seen()
    faults.check(world)
    print(f"{name_of(method, path)}: {told} queries tell the owner more than nothing")


@pytest.mark.parametrize("path", ["/client/v4/zones", "/client/v4/accounts/{account}/audit_logs",
                                  "/client/v4/user/audit_logs"])
def test_what_a_query_names_is_there_for_its_owner(world, path):
    query = {"/client/v4/zones": f"?name={MARK}.example"}.get(path, f"?actor.email={MARK}@example.com")
    for headers, count in ((world.theirs.headers, 1), (world.mine.headers, 0)):
        ids = world.theirs.ids if count else world.mine.ids
        answer = world.ask("GET", path, ids, headers, query=query).answer
        assert answer.status == 200 and (len(answer["result"]) > 0) == bool(count), answer.body


@pytest.mark.parametrize("method, path", routes(lambda method, path: True))
def test_by_what_one_does_with_ones_own(world, method, path):
    """Nobody's things but mine appear in the answer or change."""
    if world.target(path, world.mine.ids) is None:
        pytest.skip(f"two_accounts.py makes nothing for a part of {path}")
    faults = Faults()
    for kind, headers in world.credentials.items():
        # The zone's identifier I know: a token of mine names it.
        asked = world.ask(method, path, world.mine.ids, headers, world.body(method, path, world.mine.ids),
                          named=[world.theirs.ids["zone"]])
        if leaked := world.leaks(asked):
            faults.append(f"with {kind}: tells {leaked} in {asked.text[:500]}")
        faults += world.changes_of_theirs()
        world.restore()
    faults.check(world)


def test_names_of_zones_are_all_that_shows(world):
    """A name is taken by whoever made the zone first, and says no more than that."""
    taken = f"{MARK}.example"
    asked = world.ask("POST", "/client/v4/zones", world.mine.ids, world.mine.headers, {"name": taken},
                      named=[taken])
    assert asked.status == 400 and [error["code"] for error in asked.answer["errors"]] == [1061]
    assert not world.leaks(asked)
