"""Bodies that break a schema of openapi.yaml, made of one that fits it."""
import copy
import dataclasses
import typing

LONG = "a" * 70_000
# Of every JSON type, and numbers that no field has room for.
VALUES = (None, True, 0, -1, 1.5, 10**30, 1e300, "", "x", LONG, [], [None], ["x"], {}, {"x": 1})


@dataclasses.dataclass
class Case:
    place: str    # of the field, as posts[0].ttl
    field: str    # its name alone
    what: str
    body: typing.Any

    def __str__(self):
        return f"{self.place} = {self.what}"


def merged(description, schema):
    """One object of what `allOf` puts together."""
    schema = description.resolve(schema)
    whole = {key: value for key, value in schema.items() if key not in ("allOf", "$ref")}
    whole["properties"] = dict(schema.get("properties", {}))
    for part in schema.get("allOf", []):
        part = merged(description, part)
        whole["properties"].update(part["properties"])
        for key, value in part.items():
            if key != "properties":
                whole.setdefault(key, value)
    return whole


def places(description, schema, value, path=()):
    """Every field that the schema knows, as (path, its schema); through items of arrays."""
    schema = merged(description, schema)
    for name, below in schema["properties"].items():
        here = path + (name,)
        yield here, below
        inner = value.get(name) if isinstance(value, dict) else None
        below = merged(description, below)
        if isinstance(inner, list) and "items" in below:
            for index, item in enumerate(inner[:1]):
                yield here + (index,), below["items"]
                yield from places(description, below["items"], item, here + (index,))
        elif isinstance(inner, dict) or (inner is None and below["properties"]):
            yield from places(description, below, inner or {}, here)


def put(body, path, value):
    """A copy of the body with the value at the path; None: there is no such place in it."""
    body = copy.deepcopy(body)
    at = body
    for part, following in zip(path, path[1:]):
        if isinstance(at, dict) and part not in at and isinstance(following, str):
            at[part] = {}
        at = at[part]
        if not isinstance(at, (dict, list)):
            return None
    at[path[-1]] = value
    return body


def text_of(path):
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def shown(value):
    text = repr(value)
    return text if len(text) < 40 else f"{text[:20]}... ({len(text)} characters)"


def broken_bodies(description, schema, example):
    """Cases that the schema does not allow."""
    validator = description.validator(schema)
    for path, _ in places(description, schema, example):
        for value in VALUES:
            body = put(example, path, value)
            if body is None or validator.is_valid(body):
                continue
            field = next(part for part in reversed(path) if isinstance(part, str))
            yield Case(text_of(path), field, shown(value), body)
    for name in merged(description, schema).get("required", []):
        body = {key: value for key, value in example.items() if key != name}
        yield Case(name, name, "left out", body)
    if merged(description, schema).get("additionalProperties") is False:
        yield Case("nonesuch", "nonesuch", "unknown", {**example, "nonesuch": 1})
