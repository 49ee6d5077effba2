"""deploy/systemd, by systemd-analyze."""

import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import settings
from settings import ROOT

UNIT = ROOT / "deploy/systemd/onsale.service"
# Exposure by `systemd-analyze security`, from 0 (good) to 100.
MOST_EXPOSED = 15


def analyze(*arguments: str) -> subprocess.CompletedProcess:
    """Runs systemd-analyze on the unit, whose binary is another program that exists."""
    if not shutil.which("systemd-analyze"):
        raise AssertionError("systemd-analyze is missing: run scripts/check-deploy.sh")
    with tempfile.TemporaryDirectory() as folder:
        unit = Path(folder, "onsale.service")
        unit.write_text(UNIT.read_text().replace("/usr/local/bin/onsale", "/bin/true"))
        command = ["systemd-analyze", *arguments, str(unit)]
        return subprocess.run(command, capture_output=True, text=True)


class Systemd(unittest.TestCase):
    def test_the_unit_is_valid(self):
        found = analyze("verify", "--man=no")
        self.assertEqual((found.returncode, found.stderr), (0, ""))

    def test_the_service_is_confined(self):
        found = analyze("security", "--offline=yes", "--no-pager", f"--threshold={MOST_EXPOSED}")
        self.assertEqual(found.returncode, 0, found.stdout)
        self.assertIn("Overall exposure level", found.stdout)

    def test_every_setting_exists_and_each_credential_is_read(self):
        text = UNIT.read_text()
        variables = dict(re.findall(r"^Environment=([A-Z_]+)=(.*)$", text, re.M))
        self.assertEqual(settings.unknown(variables), set())
        loaded = re.findall(r"^LoadCredential=([a-z-]+):/etc/onsale/credentials/\1$", text, re.M)
        read = [value.removeprefix("%d/") for name, value in variables.items() if name.endswith("_FILE")]
        self.assertEqual(loaded, read)
        self.assertEqual(len(loaded), 4)

    def test_the_service_may_drain_before_it_is_killed(self):
        stop = re.search(r"^TimeoutStopSec=(\S+)$", UNIT.read_text(), re.M)
        self.assertGreater(settings.seconds(stop[1]), settings.default_drain())


if __name__ == "__main__":
    unittest.main()
