#!/usr/bin/env python3
"""Lists what the binary of the image contains: its crates with their licences, and an SBOM.

    scripts/notices.py [--licences FILE] [--sbom FILE]

The crates are those that `cargo tree` names for the build in the Dockerfile, on this platform. The licences are
the files in the crates' own packages; a crate without one gets the text in deploy/licences that its expression
names. The SBOM is CycloneDX 1.6 in JSON. SOURCE_DATE_EPOCH, if set, is its time.
"""

import argparse
import datetime
import json
import os
import re
import subprocess
import sys
import uuid
from pathlib import Path

import tomllib

ROOT = Path(__file__).parents[1]
FEATURES = ["--locked", "--no-default-features"]
LICENCE_FILE = re.compile(r"(licen[cs]e|copying|notice|unlicense|copyright)", re.IGNORECASE)
# A licence has more characters than this.
SHORTEST = 100
LINE = "=" * 80


def cargo(*arguments):
    run = subprocess.run(["cargo", *arguments, *FEATURES], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if run.returncode:
        sys.exit(f"notices: cargo {arguments[0]} failed")
    return run.stdout


def packages():
    """The packages in the binary, by id, onsale itself among them; and onsale's id."""
    tree = cargo("tree", "--edges=normal", "--prefix=none", "--format={p}")
    linked = {tuple(line.split(" ")[:2]) for line in tree.splitlines()}
    described = json.loads(cargo("metadata", "--format-version=1"))
    found = {it["id"]: it for it in described["packages"] if (it["name"], f"v{it['version']}") in linked}
    if len(found) != len(linked):
        sys.exit("notices: cargo tree and cargo metadata disagree")
    nodes = {it["id"]: it for it in described["resolve"]["nodes"]}
    return found, nodes, described["resolve"]["root"]


def expression(package):
    """The licence as an SPDX expression. Older packages write `/` for OR."""
    if not package["license"]:
        sys.exit(f"notices: {package['name']} has no licence expression")
    return package["license"].replace("/", " OR ")


def texts(package):
    """The texts of a package's licences."""
    folder = Path(package["manifest_path"]).parent
    files = [it for it in folder.iterdir() if it.is_file() and LICENCE_FILE.match(it.name)]
    if (folder / "LICENSES").is_dir():
        files += (folder / "LICENSES").iterdir()
    found = {it.read_text(errors="replace").strip() for it in files}
    # Some packages contain only the target of a link, such as `../LICENSE-MIT`.
    found = {text for text in found if len(text) > SHORTEST}
    if not found:
        names = re.split(r" OR | AND ", expression(package))
        own = [ROOT / "deploy/licences" / f"{name}.txt" for name in names]
        found = {it.read_text().strip() for it in own if it.exists()}
    if not found:
        sys.exit(f"notices: no text for {package['name']}, whose licence is {expression(package)}")
    return found


def notices(found):
    """Each licence text once, under the packages that it is for."""
    used = {}
    for package in found:
        for text in texts(package):
            used.setdefault(text, []).append(package)
    parts = ["onsale contains these third-party packages. Above each licence are the packages that it is for."]
    for text, users in sorted(used.items(), key=lambda it: (-len(it[1]), it[1][0]["name"])):
        lines = [f"{it['name']} {it['version']} ({expression(it)}) {it['repository'] or ''}".rstrip() for it in users]
        parts.append("\n".join([LINE, *lines, "", text]))
    return "\n\n".join(parts) + "\n"


def purl(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def component(package, kind, checksums):
    made = {
        "type": kind,
        "bom-ref": purl(package),
        "name": package["name"],
        "version": package["version"],
        "purl": purl(package),
        "licenses": [{"expression": expression(package)}],
    }
    checksum = checksums.get((package["name"], package["version"]))
    if checksum:
        made["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    if package["repository"]:
        made["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    return made


def sbom(found, nodes, root):
    """The SBOM: every package with its checksum in Cargo.lock, and which uses which."""
    locked = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    checksums = {(it["name"], it["version"]): it.get("checksum") for it in locked}
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH", datetime.datetime.now().timestamp()))
    time = datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc)
    uses = []
    for identity, package in found.items():
        linked = [
            it["pkg"]
            for it in nodes[identity]["deps"]
            if it["pkg"] in found and any(kind["kind"] is None for kind in it["dep_kinds"])
        ]
        uses.append({"ref": purl(package), "dependsOn": sorted(purl(found[it]) for it in set(linked))})
    others = sorted((it for identity, it in found.items() if identity != root), key=purl)
    components = [component(it, "library", checksums) for it in others]
    body = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": component(found[root], "application", checksums),
        },
        "components": components,
        "dependencies": sorted(uses, key=lambda it: it["ref"]),
    }
    # The same content has the same number.
    number = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(body, sort_keys=True))
    return {"serialNumber": f"urn:uuid:{number}", **body}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--licences", type=Path, metavar="FILE")
    parser.add_argument("--sbom", type=Path, metavar="FILE")
    chosen = parser.parse_args()
    found, nodes, root = packages()
    if chosen.licences:
        others = [it for identity, it in sorted(found.items()) if identity != root]
        chosen.licences.write_text(notices(others))
    if chosen.sbom:
        chosen.sbom.write_text(json.dumps(sbom(found, nodes, root), indent=1) + "\n")


if __name__ == "__main__":
    main()
