"""Ctrl-C ends a blocking call of Python: it sleeps inside the library, and a signal has to bring it back with EINTR."""

import os
import signal
import subprocess
import sys
import time

import pytest

# A shell starts what runs in its background with SIGINT ignored, and that is inherited.
CHILD = """
import signal
import zmq
signal.signal(signal.SIGINT, signal.default_int_handler)
with zmq.Context() as context, context.socket(zmq.PULL) as socket:
    socket.bind("inproc://nobody")
    print("ready", flush=True)
    try:
        {call}
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""
LIMIT = 60


def sleeps(pid):
    """Whether the process waits in the kernel (proc(5), stat: the field behind the name)."""
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0] == "S"


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="sees in Linux's /proc that the call sleeps")
@pytest.mark.parametrize("call", ["socket.recv()", "socket.poll()", "zmq.Poller().poll()"])
def test_sigint_ends(call):
    if call.startswith("zmq.Poller"):
        call = "poller = zmq.Poller(); poller.register(socket, zmq.POLLIN); poller.poll()"
    child = subprocess.Popen([sys.executable, "-c", CHILD.format(call=call)], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout.readline() == "ready\n"
        deadline = time.monotonic() + LIMIT
        # From here on it sleeps nowhere but in the call.
        while not sleeps(child.pid):
            assert child.poll() is None and time.monotonic() < deadline
        child.send_signal(signal.SIGINT)
        out, _ = child.communicate(timeout=LIMIT)
    finally:
        child.kill()
    assert (out, child.returncode) == ("interrupted\n", 0)
