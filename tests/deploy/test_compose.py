"""docker-compose.yml, as `docker compose config` understands it."""

import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import settings
import yaml
from settings import ROOT

PROCESSES = ["onsale-1", "onsale-2"]
SERVICES = {*PROCESSES, "migrate", "nginx", "postgres", "redis", "prometheus", "grafana", "users", "k6"}


def program() -> list[str]:
    """The command of compose: the plugin, or the older program of its own."""
    if shutil.which("docker"):
        asked = subprocess.run(["docker", "compose", "version"], capture_output=True)
        if asked.returncode == 0:
            return ["docker", "compose"]
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    raise AssertionError("neither `docker compose` nor docker-compose is here: run scripts/check-deploy.sh")


def values() -> dict[str, str]:
    """A value of its own for each setting, so that none can be mixed up with another one."""
    return {name: f"value{at}" for at, name in enumerate(sorted(settings.sample()))}


def resolve(env: dict[str, str]) -> subprocess.CompletedProcess:
    """Runs `config` in a folder with the file and this .env."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(ROOT / "docker-compose.yml", folder)
        text = "".join(f"{name}={value}\n" for name, value in env.items())
        Path(folder, ".env").write_text(text)
        command = [*program(), "--profile", "loadtest", "config"]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def sources(service: dict) -> list[str]:
    """Paths of the repository that a service mounts, relative to its root."""
    mounts = service.get("volumes", [])
    paths = [it["source"] if isinstance(it, dict) else it.split(":")[0] for it in mounts]
    return [re.sub(r"^/tmp/[^/]+/", "", path) for path in paths if path.startswith("/")]


def address(service: dict) -> str:
    return service["networks"]["default"]["ipv4_address"]


class Compose(unittest.TestCase):
    def setUp(self):
        found = resolve(values())
        self.assertEqual(found.returncode, 0, found.stderr)
        self.services = yaml.safe_load(found.stdout)["services"]

    def test_every_service_is_there_with_a_pinned_image(self):
        self.assertEqual(set(self.services), SERVICES)
        for name, service in self.services.items():
            if "build" not in service:
                self.assertRegex(service["image"], r":v?\d+\.\d+(\.\d+)?$", name)

    def test_every_setting_reaches_the_container(self):
        replaced = {"DATABASE_URL", "REDIS_URL", "ONSALE_LISTEN", "ONSALE_TRUSTED_PROXIES"}
        given = values()
        for name in [*PROCESSES, "migrate", "users"]:
            environment = self.services[name]["environment"]
            for setting in settings.NAMES - replaced:
                self.assertEqual(environment.get(setting), given[setting], f"{name}: {setting}")
            for setting in replaced:
                self.assertNotIn(environment[setting], given.values(), f"{name}: {setting}")

    def test_a_missing_secret_is_named(self):
        for name in ["ONSALE_QUEUE_SECRETS", *settings.COMPOSE]:
            found = resolve({**values(), name: ""})
            self.assertNotEqual(found.returncode, 0, name)
            self.assertIn(name, found.stderr)

    def test_mounted_files_exist(self):
        mounted = [path for service in self.services.values() for path in sources(service)]
        self.assertGreater(len(mounted), 5)
        for path in mounted:
            self.assertTrue((ROOT / path).exists(), path)

    def test_nginx_and_prometheus_know_the_processes_and_the_processes_know_nginx(self):
        deploy = ROOT / "deploy"
        servers = re.findall(r"^server (\S+):8080", (deploy / "nginx/site/servers.conf").read_text(), re.M)
        self.assertEqual(servers, PROCESSES)
        prometheus = yaml.safe_load((deploy / "prometheus/prometheus.yml").read_text())
        targets = prometheus["scrape_configs"][0]["static_configs"][0]["targets"]
        self.assertEqual(targets, [f"{name}:8080" for name in PROCESSES])
        for name in PROCESSES:
            environment = self.services[name]["environment"]
            self.assertEqual(environment["ONSALE_TRUSTED_PROXIES"], address(self.services["nginx"]))
            self.assertEqual(environment["ONSALE_LISTEN"].split(":")[1], "8080")
        # k6 makes the sale of its test.
        operators = (deploy / "nginx/site/operators.conf").read_text()
        self.assertIn(f"allow {address(self.services['k6'])};", operators)

    def test_grafana_loads_the_dashboard_from_prometheus(self):
        provisioning = ROOT / "deploy/grafana/provisioning"
        loader = yaml.safe_load((provisioning / "dashboards/onsale.yml").read_text())
        folder = loader["providers"][0]["options"]["path"]
        text = (ROOT / "docker-compose.yml").read_text()
        self.assertIn(f"./deploy/grafana:{folder}:ro", text)
        source = yaml.safe_load((provisioning / "datasources/prometheus.yml").read_text())["datasources"][0]
        self.assertEqual(source["url"], "http://prometheus:9090")

    def test_a_process_may_drain_before_it_is_killed(self):
        for name in PROCESSES:
            grace = settings.seconds(self.services[name]["stop_grace_period"])
            self.assertGreater(grace, settings.default_drain())


if __name__ == "__main__":
    unittest.main()
