"""deploy/nginx against the defaults of onsale. tests/onsale/deploy runs it with the real nginx."""

import re
import unittest

import settings
from settings import ROOT


class Nginx(unittest.TestCase):
    def test_idle_connections_are_closed_before_a_process_that_drains_closes_them(self):
        text = (ROOT / "deploy" / "nginx" / "onsale.conf").read_text()
        upstream = re.search(r"^upstream onsale \{$.*?^\}$", text, re.MULTILINE | re.DOTALL)[0]
        idle = re.search(r"^ +keepalive_timeout (\w+);$", upstream, re.MULTILINE)[1]
        self.assertLess(settings.seconds(idle), settings.seconds(settings.sample()["ONSALE_DRAIN_DELAY"]))


if __name__ == "__main__":
    unittest.main()
