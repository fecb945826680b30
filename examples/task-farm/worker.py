#!/usr/bin/env python3
"""A worker of the task farm, in Python, after `pip install pyzmq`: worker.py [BROKER]"""

import os
import sys

import zmq

SILENCE_MS = int(sys.argv[2]) if len(sys.argv) > 2 else 1000


def work(body):
    """How many primes there are up to the number in the body; src/work.rs does the same."""
    try:
        last = int(body)
    except ValueError:
        return b"not a number"
    primes = 0
    for n in range(2, last + 1):
        d = 2
        while d * d <= n and n % d:
            d += 1
        primes += d * d > n
    return str(primes).encode()


dealer = zmq.Context().socket(zmq.DEALER)
dealer.setsockopt(zmq.IMMEDIATE, 1)  # While the broker is away, send waits.
dealer.setsockopt(zmq.HEARTBEAT_IVL, 1000)
dealer.setsockopt(zmq.HEARTBEAT_TIMEOUT, 3000)
dealer.setsockopt(zmq.LINGER, 0)
dealer.connect(sys.argv[1] if len(sys.argv) > 1 else "tcp://127.0.0.1:5555")

ready = [b"READY", b"python %d" % os.getpid(), b"1"]
unconfirmed = {}  # Results that the broker has not yet written to its disk.
dealer.send_multipart(ready)
print("ready", flush=True)
while True:
    if not dealer.poll(SILENCE_MS):
        # The broker may be another one, started after the first was killed.
        dealer.send_multipart(ready)
        for done in unconfirmed.values():
            dealer.send_multipart(done)
        continue
    word, *frames = dealer.recv_multipart()
    if word == b"TASK":
        task, body = frames
        unconfirmed[task] = [b"DONE", task, work(body)]
        dealer.send_multipart(unconfirmed[task])
    elif word == b"OK":
        unconfirmed.pop(frames[1], None)
    else:
        print("not understood:", word, *frames, file=sys.stderr)
