"""Celery: the task of the worker (celery --app celery_queue worker), and the driver (python3 -m celery_queue).

The driver answers the requests that bench/peers/queue.ts describes.
"""

import json
import os
import subprocess
import sys
import time

from celery import Celery, group

URL = os.environ["BENCH_REDIS"]
app = Celery("celery_queue", broker=URL, backend=URL)


@app.task(name="run_job")
def run_job(argv):
    """Runs a program; returns its output."""
    return subprocess.run(argv, stdout=subprocess.PIPE, check=True).stdout.decode()


def dispatch(count):
    """Runs jobs one after another; returns the time of each from submit to its stamp, ms."""
    times = []
    for _ in range(count):
        begun = time.time_ns()
        stamp = run_job.delay(["date", "+%s%N"]).get()
        times.append((int(stamp) - begun) / 1e6)
    return times


def burst(count):
    """Submits no-ops at once; returns jobs per second."""
    begun = time.monotonic()
    group(run_job.s(["true"]) for _ in range(count)).apply_async().join()
    return count / (time.monotonic() - begun)


if __name__ == "__main__":
    # The worker has printed its banner, but may not take jobs yet.
    while not app.control.ping(timeout=1):
        pass
    for line in sys.stdin:
        request, count = line.split()
        answer = burst(int(count)) if request == "burst" else dispatch(int(count))
        print(json.dumps(answer), flush=True)
