"""What the server does is what ctl/api/openapi.yaml says, and the other way round."""
import secrets
import subprocess

import pytest

from api_description import Description
from lab import Lab
from openapi_calls import Api, bearer, call_everything
from control_process import CONTROL, free_port


@pytest.fixture(scope="module")
def description():
    return Description()


@pytest.fixture(scope="module")
def api(description, tmp_path_factory):
    port = free_port()
    cookies = tmp_path_factory.mktemp("cookies") / "secrets"
    cookies.write_text(secrets.token_hex(16) + "\n")
    with Lab() as lab:
        lab.edge_start(workers="0:dns+l7", arguments=(f"--dns.cookie-secret-file={cookies}",))
        lab.control_start("--listen", f"127.0.0.1:{port}", "--resolver", "127.0.0.1:1",
                          "--login-failures-max", "1000000", "--address-requests-max", "1000000",
                          "--resolve-wait-ms", "100", "--resolve-timeout-ms", "100",
                          "--resolve-attempts", "1")
        yield Api(description, lab.state / "control.sock", port, lambda: lab.inside("edge"))


def test_every_route_is_described_and_nothing_else(description):
    printed = subprocess.run([CONTROL, "--routes"], capture_output=True, text=True, timeout=30,
                             check=True).stdout
    served = {}
    for line in printed.splitlines():
        method, path, permission = line.split(" ", 2)
        served[method, path] = permission
    described = {(each.method, each.path): each.permission
                 for each in description.operations.values()}
    faults = [f"{method} {path} is served, and not in openapi.yaml: add it, and a call of it to "
              "openapi_calls.py" for method, path in served.keys() - described.keys()]
    faults += [f"{method} {path} is in openapi.yaml, and not served"
               for method, path in described.keys() - served.keys()]
    faults += [f"{method} {path} needs {served[method, path]!r}; openapi.yaml says x-permission: "
               f"{described[method, path]}" for method, path in served.keys() & described.keys()
               if served[method, path] != described[method, path]]
    assert not faults, "\n".join(sorted(faults))


def test_paths_name_their_parameters(description):
    for operation in description.operations.values():
        named = [each["name"] for each in operation.parameters if each["in"] == "path"]
        assert named == operation.path_parameters(), operation
        assert operation.is_public == (operation.permission == "public"), operation
        assert "default" in operation.responses, f"{operation} has no description of its refusals"


def test_examples_of_requests_fit_their_schemas(description):
    for operation in description.operations.values():
        if not operation.request_content():
            continue
        schema, example = operation.request_content()
        assert example is not None, f"{operation}: its request body needs an example"
        description.check(example, schema, f"{operation}: the example")


def test_schemas_are_schemas(description):
    for name, schema in description.content["components"]["schemas"].items():
        type(description.validator(schema)).check_schema(schema)
        assert name[0].isupper(), name


def test_every_answer_fits(description, api):
    call_everything(api)
    succeeded = {name for name, statuses in api.called.items() if min(statuses) < 300}
    # What is never done has no success to show.
    refuses = {name for name, each in description.operations.items() if set(each.responses) == {"default"}}
    missing = description.operations.keys() - succeeded - refuses
    missing |= refuses - api.called.keys()
    assert not missing, f"openapi_calls.py does not call {sorted(missing)}"


@pytest.fixture(scope="module")
def no_ids(description):
    """Identifiers of nothing, for each variable part of a path."""
    names = {name for each in description.operations.values() for name in each.path_parameters()}
    return {name: secrets.token_hex(16) for name in names}


@pytest.mark.parametrize("headers, codes", [
    ({}, {10000}),
    (bearer("x" * 40), {9109}),
    ({"Authorization": "Basic abc"}, {6003}),
    ({"X-Auth-Email": "nobody", "X-Auth-Key": "x"}, {6003}),
    ({"X-Auth-Email": "nobody@example.com", "X-Auth-Key": "x"}, {9103}),
])
def test_nobody_gets_anything_but_what_is_public(description, api, no_ids, headers, codes):
    for name, operation in description.operations.items():
        answer = api.call(name, *(no_ids[part] for part in operation.path_parameters()), headers=headers)
        if operation.is_public:
            assert answer.status == 200
        else:
            assert answer.status in (400, 403), operation
            assert {error["code"] for error in answer["errors"]} == codes, operation


def test_what_is_not_there_is_not_found(description, api, no_ids):
    for name, operation in description.operations.items():
        # What is about the calling user is not for an operator.
        if not operation.path_parameters() or operation.path.startswith("/client/v4/user"):
            continue
        path = [no_ids[part] for part in operation.path_parameters()]
        example = (operation.request_content() or (None, None))[1]
        answer = api.call(name, *path, json_body=example)
        assert answer.status == 404, f"{operation}: {answer.body}"


def test_other_paths_and_methods_are_refused_as_everything_is(description, api):
    refusal = description.operations["showZone"]
    for method, target, status in (("GET", "/", 404), ("GET", "/client/v4", 404),
                                   ("GET", "/client/v4/zones/%00", 404),
                                   ("GET", "/client/v4/nothing", 404), ("PUT", "/client/v4/zones", 405),
                                   ("TRACE", "/client/v4/zones", 405),
                                   ("GET", "/client/v4/zones/" + "a" * 8000, 404)):
        answer = api.send(method, target)
        assert answer.status == status, f"{method} {target}: {answer.body}"
        refusal.check_answer(answer.status, answer.content_type, answer.body)
