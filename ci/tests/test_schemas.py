"""What other projects' API servers get, against the CustomResourceDefinitions that they publish in their Go modules; unknown fields
are errors. Our own objects go against crds/."""

import copy
import json
import os
import subprocess
import unittest
from pathlib import Path
from typing import Any

import jsonschema
from ruamel.yaml import YAML

from tests.support import CI, ROOT

SOURCES = json.loads(Path(__file__).with_name("schemas.json").read_text(encoding="utf-8"))
OURS = [ROOT / "crds/coprtestruns.yaml"]
OBJECTS = [*sorted((CI / "tekton").glob("*.yaml")), CI / "argocd/application.yaml", CI / "argocd/coprtestrun.yaml"]
OBJECTS += sorted((CI / "flux").glob("*.yaml"))


def module(source: dict[str, Any]) -> Path:
    """The folder that the module proxy's copy is in: the very one that was looked at."""
    ran = subprocess.run(
        ["go", "mod", "download", "-json", source["module"]],
        cwd="/",
        env=os.environ | {"GOWORK": "off", "GOFLAGS": "", "GOSUMDB": "off"},
        text=True,
        capture_output=True,
        check=False,
    )
    got = json.loads(ran.stdout)
    if ran.returncode != 0 or got["Sum"] != source["sum"]:
        raise RuntimeError(f"{source['module']}: {ran.stdout}{ran.stderr}")
    return Path(got["Dir"])


def documents(path: Path) -> list[Any]:
    """All of a file, as JSON has it: without dates."""
    yaml = YAML(typ="safe", pure=True)
    yaml.constructor.yaml_constructors.pop("tag:yaml.org,2002:timestamp", None)
    return [json.loads(json.dumps(document)) for document in yaml.load_all(path.read_text(encoding="utf-8"))]


def strict(schema: Any) -> Any:
    """As the API server takes a structural schema with strict validation: what isn't named is refused."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: strict(value) for key, value in schema.items()}
    named = isinstance(schema.get("properties"), dict) and schema.get("type") == "object"
    if named and "additionalProperties" not in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
        result["additionalProperties"] = False
    if schema.get("x-kubernetes-int-or-string"):
        result.pop("type", None)
        result["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    return result


def schemas() -> dict[tuple[str, str], Any]:
    """By apiVersion and kind."""
    files = [module(source) / file for source in SOURCES for file in source["files"]]
    found = {}
    for definition in (document for file in (*files, *OURS) for document in documents(file) if document):
        spec = definition["spec"]
        for version in spec["versions"]:
            schema = strict(version["schema"]["openAPIV3Schema"])
            schema.setdefault("properties", {})
            # The API server knows these by itself.
            schema["properties"] |= {name: {"type": "string"} for name in ("apiVersion", "kind")}
            schema["properties"]["metadata"] = {"type": "object", "required": ["name"]}
            found[f"{spec['group']}/{version['name']}", spec["names"]["kind"]] = schema
    return found


class Schemas(unittest.TestCase):
    known: dict[tuple[str, str], Any]

    @classmethod
    def setUpClass(cls) -> None:
        cls.known = schemas()

    def errors(self, document: Any) -> list[str]:
        schema = self.known[document["apiVersion"], document["kind"]]
        found = jsonschema.Draft202012Validator(schema).iter_errors(document)
        return [f"{'/'.join(map(str, error.path))}: {error.message}" for error in found]

    def test_everything_is_as_its_schema_says(self) -> None:
        kinds = set()
        for path in OBJECTS:
            for document in documents(path):
                with self.subTest(path.name, kind=document["kind"]):
                    self.assertEqual(self.errors(document), [])
                    kinds.add(document["kind"])
        expected = {"Task", "Pipeline", "PipelineRun", "IntegrationTestScenario"}
        self.assertEqual(kinds, expected | {"Application", "CoprTestRun", "GitRepository", "Kustomization"})

    def test_what_is_wrong_would_be_found(self) -> None:
        for path in OBJECTS:
            for document in documents(path):
                with self.subTest(path.name, kind=document["kind"]):
                    misspelt = copy.deepcopy(document)
                    misspelt["spec"]["nosuchfield"] = "x"
                    self.assertIn("nosuchfield", str(self.errors(misspelt)))
