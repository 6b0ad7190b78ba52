#!/usr/bin/env python3
"""The workloads W1, W2 and W6 in SimPy, as its own examples would write them.

    workloads.py [--requests N] [--rounds N] [FIGURES]

FIGURES is the file that `cargo bench --bench workloads` leaves; with it the table says how many times as much a request
costs here. Times are of this process's CPU, and mean response times stand beside those to expect, as a check.
"""
import argparse
import csv
import random
import statistics
import time

import simpy

SERVERS = 10
SERVICE = 0.010
GAP = SERVICE / (0.8 * SERVERS)


def in_flight(server):
    return server.count + len(server.queue)


def round_robin(servers, rng):
    turn = 0
    while True:
        yield servers[turn]
        turn = (turn + 1) % len(servers)


def least_connections(servers, rng):
    while True:
        yield min(servers, key=in_flight)


def power_of_two(servers, rng):
    while True:
        yield min(rng.sample(servers, 2), key=in_flight)


def request(env, server, rng, response_times):
    arrived = env.now
    with server.request() as slot:
        yield slot
        yield env.timeout(rng.expovariate(1 / SERVICE))
    response_times.append(env.now - arrived)


def clients(env, picks, rng, requests, response_times):
    for _ in range(requests):
        yield env.timeout(rng.expovariate(1 / GAP))
        env.process(request(env, next(picks), rng, response_times))


def run(rule, requests, seed):
    """Nanoseconds a request, and the mean response time in milliseconds."""
    rng = random.Random(seed)
    start = time.process_time()
    env = simpy.Environment()
    servers = [simpy.Resource(env, capacity=1) for _ in range(SERVERS)]
    response_times = []
    env.process(clients(env, rule(servers, rng), rng, requests, response_times))
    env.run()
    took = time.process_time() - start
    return took * 1e9 / requests, 1e3 * statistics.fmean(response_times)


# The rule, and the mean response time in milliseconds of a long run of lbsim.
WORKLOADS = {
    "W1": ("10 servers, round-robin", round_robin, 29.2),
    "W2": ("10 servers, least-connections", least_connections, 13.56),
    "W6": ("10 servers, power-of-d", power_of_two, 20.75),
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("figures", nargs="?", help="target/workloads.csv, to compare with")
    parser.add_argument("--requests", type=int, default=100_000, help="in each round (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="with a seed each (%(default)s)")
    options = parser.parse_args()
    ours = {}
    if options.figures:
        with open(options.figures, newline="") as file:
            ours = {row["workload"]: float(row["best_ns"]) for row in csv.DictReader(file)}
    rounds = {name: [] for name in WORKLOADS}
    for seed in range(options.rounds):
        for name, (_, rule, _) in WORKLOADS.items():
            rounds[name].append(run(rule, options.requests, seed))
    print(f"ns a request in SimPy {simpy.__version__}, and the mean response times in ms as a check")
    print(f"| {'workload':38} | {'best':>6} | {'median':>6} | {'to lbsim':>9} | {'mean':>7} | {'expected':>8} |")
    print(f"|{'':-<40}|{':':->8}|{':':->8}|{':':->11}|{':':->9}|{':':->10}|")
    for name, (about, _, expected) in WORKLOADS.items():
        costs = sorted(cost for cost, _ in rounds[name])
        mean = statistics.fmean(mean for _, mean in rounds[name])
        ratio = f"{costs[0] / ours[name]:.0f}" if name in ours else ""
        median = statistics.median(costs)
        label = f"{name} {about}"
        print(f"| {label:38} | {costs[0]:6.0f} | {median:6.0f} | {ratio:>9} | {mean:7.2f} | {expected:8} |")


if __name__ == "__main__":
    main()
