"""The licences and the SBOM of the image (scripts/notices.py)."""

import json
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from settings import ROOT


def write(*choices: str) -> list[str]:
    """Runs the script; returns the texts of the files that it writes."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, choice.strip("-")) for choice in choices]
        words = [word for choice, path in zip(choices, paths) for word in (choice, str(path))]
        environment = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
        subprocess.run([ROOT / "scripts/notices.py", *words], check=True, env=environment)
        return [path.read_text() for path in paths]


class Notices(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.licences, cls.text = write("--licences", "--sbom")
        cls.sbom = json.loads(cls.text)
        cls.names = {it["name"] for it in cls.sbom["components"]}

    def test_the_sbom_is_valid(self):
        validator = JsonStrictValidator(SchemaVersion.V1_6)
        self.assertIsNone(validator.validate_str(self.text))
        wrong = {**self.sbom, "components": [{"type": "library"}]}
        self.assertIsNotNone(validator.validate_str(json.dumps(wrong)))

    def test_the_sbom_lists_what_is_in_the_binary_and_nothing_else(self):
        self.assertGreater(len(self.names), 100)
        self.assertLessEqual({"axum", "sqlx", "redis"}, self.names)
        # Private servers, and what only tests and benchmarks use.
        self.assertFalse(self.names & {"onsale-dev", "criterion", "proptest", "stateright"})
        # Cargo.lock has no checksum of this repository's own packages.
        registered = [it for it in self.sbom["components"] if it["name"] != "onsale-model"]
        self.assertEqual(len(registered), len(self.sbom["components"]) - 1)
        for it in registered:
            self.assertRegex(it["hashes"][0]["content"], r"^[0-9a-f]{64}$", it["name"])
        root = self.sbom["metadata"]["component"]
        self.assertEqual(root["name"], "onsale")
        uses = {it["ref"]: it["dependsOn"] for it in self.sbom["dependencies"]}
        self.assertIn("pkg:cargo/axum@", "".join(uses[root["bom-ref"]]))
        reached, waiting = set(), [root["bom-ref"]]
        while waiting:
            ref = waiting.pop()
            if ref not in reached:
                reached.add(ref)
                waiting += uses[ref]
        self.assertEqual(reached, set(uses), "everything is used by something")

    def test_every_package_has_the_text_of_its_licence(self):
        # Some licences have such lines too.
        for part in re.split(r"\n\n={80}\n(?=\S+ \d\S* \()", self.licences)[1:]:
            heads, _, text = part.partition("\n\n")
            self.assertGreater(len(text), 50, heads)
        for it in self.sbom["components"]:
            self.assertIn(f"\n{it['name']} {it['version']} (", self.licences)

    def test_the_same_sources_give_the_same_files(self):
        self.assertEqual(write("--sbom"), [self.text])
        self.assertNotIn(str(Path.home()), self.licences + self.text)


class Licences(unittest.TestCase):
    def test_the_texts_for_packages_without_one_are_of_licences_that_are_allowed(self):
        allowed = re.findall(r'^    "(.+)",$', (ROOT / "deny.toml").read_text(), re.M)
        for file in (ROOT / "deploy/licences").iterdir():
            self.assertIn(file.stem, allowed)


if __name__ == "__main__":
    unittest.main()
