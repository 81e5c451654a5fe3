"""The API as ctl/api/openapi.yaml describes it: its operations, and whether an answer fits."""
import json
import pathlib
import re

import jsonschema
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILE = ROOT / "ctl/api/openapi.yaml"
METHODS = ("get", "put", "post", "patch", "delete")
JSON = "application/json"


class Misfit(AssertionError):
    """What the server does is not what the file says."""


class Operation:
    def __init__(self, document, method, path, item):
        self.document, self.method, self.path = document, method.upper(), path
        body = item[method]
        self.id = body["operationId"]
        self.permission = body.get("x-permission")
        self.is_public = body.get("security") == []
        self.responses = body["responses"]
        self.parameters = [document.resolve(each) for each in
                           item.get("parameters", []) + body.get("parameters", [])]
        self.request = document.resolve(body.get("requestBody"))

    def __repr__(self):
        return f"{self.method} {self.path}"

    def path_parameters(self):
        return re.findall(r"{(\w+)}", self.path)

    def request_content(self):
        """Schema and example of a JSON body; None: it takes none."""
        content = (self.request or {}).get("content", {}).get(JSON)
        return content and (content["schema"], content.get("example"))

    def check_answer(self, status, content_type, body):
        """Raises Misfit, with the place in the answer that does not fit."""
        described = self.responses.get(str(status)) or (
            self.responses.get("default") if status >= 400 else None)
        if described is None:
            raise Misfit(f"{self} ({self.id}) answered {status}, which openapi.yaml does not have "
                         f"among its responses {list(self.responses)}: {body[:500]}")
        content = self.document.resolve(described).get("content", {})
        if not content:
            if body or content_type:
                raise Misfit(f"{self} ({self.id}) answered {status} with a body: {body[:500]}")
            return
        if content_type not in content:
            raise Misfit(f"{self} ({self.id}) answered {status} as {content_type!r}; openapi.yaml "
                         f"has {list(content)}")
        if content_type == JSON:
            self.document.check(json.loads(body), content[JSON]["schema"],
                                f"{self} ({self.id}) answered {status}")


class Description:
    def __init__(self, file=FILE):
        self.content = yaml.safe_load(file.read_text())
        self.operations = {}
        for path, item in self.content["paths"].items():
            for method in METHODS:
                if method in item:
                    operation = Operation(self, method, path, item)
                    assert operation.id not in self.operations, f"{operation.id} is there twice"
                    self.operations[operation.id] = operation

    def resolve(self, value):
        """What a reference leads to; else the value."""
        while isinstance(value, dict) and set(value) == {"$ref"}:
            target = self.content
            for part in value["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            value = target
        return value

    def validator(self, schema):
        # References within the file find their targets below the schema itself.
        return jsonschema.Draft202012Validator({"components": self.content["components"], **schema})

    def faults(self, value, schema):
        """Lines that name place and fault; none: it fits."""
        lines = []
        for error in self.validator(schema).iter_errors(value):
            # Of alternatives the innermost fault tells most.
            innermost = jsonschema.exceptions.best_match([error])
            place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}"
                            for part in innermost.absolute_path).lstrip(".")
            lines.append(f"{place or 'the body'}: {innermost.message[:300]}")
        return lines

    def check(self, value, schema, what):
        faults = self.faults(value, schema)
        if faults:
            raise Misfit(f"{what}, and openapi.yaml does not fit:\n  " + "\n  ".join(faults) +
                         f"\n{json.dumps(value)[:1500]}")
