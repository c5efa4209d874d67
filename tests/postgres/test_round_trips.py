#!/usr/bin/env python3
"""How often a call waits for the server: the answers "ready for the next query" are counted between both."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import test_outages as outages  # noqa: E402
from server import Pooler, Proxy, Server  # noqa: E402

READS = "cluster=a cluster=b cluster=none task= service=a,web cluster= node=".split()


def count(proxy, driver, *words):
    before = proxy.answers
    text = driver.ok(*words)
    return proxy.answers - before, text


def check_reads(proxy, driver):
    for name in ("a", "b"):
        driver.ok("put", name)
    for _ in range(3):  # the first one prepares statements
        trips, text = count(proxy, driver, "pipeline", *READS)
        assert text == "1 1 -2 0 -2 2 0", text
        assert trips == 1, "%d round trips" % trips
    single = 0
    for read in READS:
        single += count(proxy, driver, "pipeline", read)[0]
    assert single == len(READS), single


def test_pipeline():
    with Proxy(outages.shared) as proxy, outages.Driver(proxy.url(tenant="trips")) as driver:
        check_reads(proxy, driver)


def test_pipeline_behind_a_pooler():
    with Pooler(outages.shared) as pooler, Proxy(pooler) as proxy, outages.Driver(proxy.url(tenant="pooled")) as driver:
        check_reads(proxy, driver)


def test_lost_in_a_pipeline():
    """Nothing is written by it: it is simply asked again over another connection."""
    with Proxy(outages.shared) as proxy, outages.Driver(proxy.url(tenant="lost")) as driver:
        driver.ok("put", "a")
        for kind in "BES":
            for number in (1, 2, 4):
                for before in (True, False):
                    proxy.lose(kind, number, before=before)
                    text = driver.ok("pipeline", "cluster=a", "cluster=", "cluster=a", "cluster=none", "cluster=")
                    assert text == "1 1 1 -2 1", text
                    assert proxy.hit.is_set() or kind == "S" and number > 1, (kind, number)
                    proxy.rule = None


def main():
    with Server() as outages.shared:
        return outages.run_tests(globals())


if __name__ == "__main__":
    sys.exit(main())
