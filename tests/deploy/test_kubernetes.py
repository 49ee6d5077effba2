"""deploy/kubernetes: built with Kustomize, by Kubernetes' schemas, and consistent."""

import re
import shutil
import subprocess
import unittest

import kubernetes_validate
import settings
import yaml
from settings import ROOT

FOLDER = ROOT / "deploy/kubernetes"
VERSIONS = ["1.29", "1.33", "1.37"]
KINDS = {
    "ConfigMap",
    "Deployment",
    "HorizontalPodAutoscaler",
    "Job",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "Service",
}


OPERATOR = "onsale-operator"


def build() -> list[dict]:
    """The objects."""
    for command in (["kustomize", "build"], ["kubectl", "kustomize"]):
        if shutil.which(command[0]):
            built = subprocess.run([*command, str(FOLDER)], capture_output=True, text=True, check=True)
            return list(yaml.safe_load_all(built.stdout))
    raise AssertionError("neither kustomize nor kubectl is here: install one of them")


class Kubernetes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.all = build()
        # One of each kind, but for the operator's Deployment.
        cls.objects = {it["kind"]: it for it in cls.all if it["metadata"]["name"] != OPERATOR}
        (cls.operator,) = (it for it in cls.all if it["metadata"]["name"] == OPERATOR)
        cls.pod = cls.objects["Deployment"]["spec"]["template"]
        cls.job = cls.objects["Job"]["spec"]["template"]
        cls.templates = [cls.pod, cls.job, cls.operator["spec"]["template"]]
        cls.container = cls.pod["spec"]["containers"][0]

    def test_the_schemas_accept_every_object_and_no_field_is_misspelled(self):
        self.assertEqual(set(self.objects), KINDS)
        for version in VERSIONS:
            for built in self.all:
                kubernetes_validate.validate(built, version, strict=True)
        wrong = {**self.objects["Service"], "spec": {"selektor": {}}}
        with self.assertRaises(kubernetes_validate.ValidationError):
            kubernetes_validate.validate(wrong, VERSIONS[0], strict=True)

    def test_the_image_is_that_of_this_release(self):
        release = re.search(r'^version = "(.+)"$', (ROOT / "Cargo.toml").read_text(), re.M)[1]
        for template in self.templates:
            image = template["spec"]["containers"][0]["image"]
            self.assertEqual(image.rpartition(":")[2], release)

    def test_every_setting_exists(self):
        names = set(self.objects["ConfigMap"]["data"])
        for template in self.templates:
            names |= {it["name"] for it in template["spec"]["containers"][0]["env"]}
        self.assertGreater(len(names), 5)
        self.assertEqual(settings.unknown(names), set())

    def test_secrets_are_files_that_the_group_alone_may_read(self):
        text = (FOLDER / "kustomization.yaml").read_text()
        keys = set(re.findall(r"--from-file=([a-z-]+)", text))
        files = set()
        for template in self.templates:
            spec = template["spec"]
            (volume,) = (it for it in spec["volumes"] if "secret" in it)
            (mount,) = (it for it in spec["containers"][0]["volumeMounts"] if it["name"] == volume["name"])
            self.assertTrue(mount["readOnly"])
            self.assertEqual(volume["secret"]["secretName"], "onsale")
            self.assertEqual(volume["secret"]["defaultMode"], 0o440)
            self.assertEqual(spec["securityContext"]["fsGroup"], 10001)
            for variable in spec["containers"][0]["env"]:
                folder, _, file = variable["value"].rpartition("/")
                self.assertEqual(folder, mount["mountPath"])
                files.add(file)
        self.assertEqual(files, keys)

    def test_pods_run_as_the_user_of_the_image_without_rights(self):
        user = int(re.search(r"^USER (\d+)$", (ROOT / "Dockerfile").read_text(), re.M)[1])
        for template in self.templates:
            spec = template["spec"]
            self.assertEqual(spec["securityContext"]["runAsUser"], user)
            self.assertTrue(spec["securityContext"]["runAsNonRoot"])
            self.assertFalse(spec["automountServiceAccountToken"])
            own = spec["containers"][0]["securityContext"]
            self.assertTrue(own["readOnlyRootFilesystem"])
            self.assertEqual(own["capabilities"], {"drop": ["ALL"]})

    def test_everything_selects_the_pods_of_the_deployment(self):
        labels = self.pod["metadata"]["labels"]
        spec = {kind: built["spec"] for kind, built in self.objects.items() if "spec" in built}
        selectors = [
            spec["Deployment"]["selector"]["matchLabels"],
            spec["Service"]["selector"],
            spec["PodDisruptionBudget"]["selector"]["matchLabels"],
        ]
        for selector in selectors:
            self.assertLessEqual(selector.items(), labels.items())
            for other in self.templates[1:]:
                self.assertFalse(selector.items() <= other["metadata"]["labels"].items())
        (limited,) = spec["NetworkPolicy"]["podSelector"]["matchExpressions"]
        for template in self.templates:
            self.assertIn(template["metadata"]["labels"][limited["key"]], limited["values"])
        target = spec["HorizontalPodAutoscaler"]["scaleTargetRef"]
        self.assertEqual((target["kind"], target["name"]), ("Deployment", "onsale"))
        self.assertNotIn("replicas", spec["Deployment"], "the autoscaler sets it")

    def test_the_operator_has_the_settings_of_the_processes_and_runs_only_when_it_is_started(self):
        (container,) = self.operator["spec"]["template"]["spec"]["containers"]
        for field in ("image", "env", "envFrom"):
            self.assertEqual(container[field], self.container[field])
        self.assertEqual(self.operator["spec"]["replicas"], 0)
        self.assertNotIn("ports", container)

    def test_ports_and_probes_are_those_of_the_process(self):
        port = int(self.objects["ConfigMap"]["data"]["ONSALE_LISTEN"].split(":")[1])
        (declared,) = self.container["ports"]
        self.assertEqual(declared["containerPort"], port)
        self.assertEqual(self.objects["Service"]["spec"]["ports"][0]["targetPort"], declared["name"])
        self.assertEqual(self.objects["NetworkPolicy"]["spec"]["ingress"][0]["ports"][0]["port"], port)
        paths = {
            kind: self.container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "readiness", "liveness")
        }
        self.assertEqual(paths, {"startup": "/readyz", "readiness": "/livez", "liveness": "/livez"})

    def test_a_pod_may_drain_before_it_is_killed(self):
        given = self.objects["ConfigMap"]["data"]
        drain = settings.seconds(given["ONSALE_DRAIN_DELAY"]) + settings.seconds(given["ONSALE_DRAIN_TIMEOUT"])
        self.assertGreater(self.pod["spec"]["terminationGracePeriodSeconds"], drain)
        self.assertNotIn("lifecycle", self.container, "the process itself waits")

    def test_the_adapter_has_each_metric_of_the_autoscaler(self):
        rules = yaml.safe_load((FOLDER / "adapter.yaml").read_text())["rules"]
        names = {kind: {rule["name"]["as"] for rule in rules[kind]} for kind in rules}
        asked = {"custom": set(), "external": set()}
        for metric in self.objects["HorizontalPodAutoscaler"]["spec"]["metrics"]:
            if metric["type"] == "Pods":
                asked["custom"].add(metric["pods"]["metric"]["name"])
            elif metric["type"] == "External":
                asked["external"].add(metric["external"]["metric"]["name"])
        self.assertEqual(asked, names)


if __name__ == "__main__":
    unittest.main()
