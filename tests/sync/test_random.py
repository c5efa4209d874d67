#!/usr/bin/env python3
"""Three edges and a hub do what a seed says, in rounds that it orders, killed now and then; then all must be equal,
row by row and stamp by stamp.

    tests/sync/test_random.py [SEED]   one seed; else some, or with KECS_FULL many

A failure prints its seed."""

import os
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from world import ARN, World, run_tests  # noqa: E402

from server import Server, heed_signals  # noqa: E402

OPERATIONS = 160
NAMED = (5, 118)  # seeds that have found something once
server = None


class Run:
    """One seed."""

    def __init__(self, seed):
        self.seed, self.random = seed, random.Random(seed)

    def operation(self, world):
        choice, pick = self.random.random(), self.random.choice
        name = pick("abch" if choice < 0.9 else "abc")
        cluster, service, task = "c%d" % pick(range(3)), "s%d" % pick(range(3)), "t%d" % pick(range(4))
        key = "%s,%s" % (cluster, service)
        if choice < 0.12:
            return "put", name, "cluster", '{"clusterName":"%s"}' % cluster
        if choice < 0.32:
            return "put", name, "service", '{"serviceName":"%s","cluster":"%s","desiredCount":%d}' % (
                service, cluster, pick(range(99)))
        if choice < 0.42:
            return "put", name, "task", '{"taskArn":"%stask/%s/%s","cluster":"%s"}' % (ARN, cluster, task, cluster)
        if choice < 0.52:
            return "set", name, "task", "%stask/%s/%s" % (ARN, cluster, task), "service_arn=%sservice/%s/%s" % (
                ARN, cluster, service)
        if choice < 0.64:
            return "set", name, "service", key, "desired_count=%d" % pick(range(999))
        if choice < 0.76:
            return "set", name, "service", key, "running_count=%d" % pick(range(999))
        if choice < 0.84:
            return "del", name, "service", key
        if choice < 0.88:
            return "del", name, "task", "%stask/%s/%s" % (ARN, cluster, task)
        if choice < 0.90:
            return "del", name, "cluster", cluster
        if choice < 0.96:
            return "sync", name
        return "restart", name

    def run(self):
        with World(server, "abc", batch=self.random.choice((1, 2, 5, 1000))) as world:
            for _ in range(OPERATIONS):
                words = self.operation(world)
                if words[0] == "restart":
                    world.drivers[words[1]].tell("sync", words[1])  # it may be killed anywhere in this round
                    world.restart(words[1])
                    continue
                status, text = world.ask(*words)
                expected = ("KECS_OK", "KECS_E_NOT_FOUND", "KECS_E_REFERENCE", "KECS_E_EXISTS")
                assert status in expected if words[0] != "sync" else status == "KECS_OK", (words, status, text)
            world.check_equal()


def check(seed):
    try:
        Run(seed).run()
    except BaseException as problem:
        raise AssertionError("seed %d: %s" % (seed, problem)) from problem


def test_random_operations():
    seeds = [int(sys.argv[1])] if len(sys.argv) > 1 else range(200 if os.environ.get("KECS_FULL") else 5)
    for seed in seeds:
        check(seed)


def test_seeds_that_have_found_something():
    for seed in NAMED if len(sys.argv) == 1 else ():
        check(seed)


def main():
    global server
    heed_signals()
    with Server() as server:
        return run_tests(globals())


if __name__ == "__main__":
    sys.exit(main())
