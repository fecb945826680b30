"""A peer of the interop harness with pyzmq: see PROTOCOL.md, two folders up."""

import struct
import sys
import threading
import zlib

import zmq

PERIOD = 251
FILL = bytes(range(PERIOD)) * 5000


class Refusal(Exception):
    """An answer that is not ok: its code and a text."""

    def __init__(self, code, text=""):
        super().__init__(code + " " + text)


def fill(size, seed):
    start = seed % PERIOD
    if start + size <= len(FILL):
        return FILL[start : start + size]
    return (bytes(range(PERIOD)) * (size // PERIOD + 2))[start : start + size]


def frame(word):
    kind, _, rest = word.partition(":")
    if word == "-":
        return b""
    if kind == "t":
        return rest.encode()
    if kind == "h":
        return bytes.fromhex(rest)
    if kind == "f":
        size, _, seed = rest.partition(":")
        return fill(int(size), int(seed))
    raise Refusal("usage", "no frame: " + word)


def told(data):
    if not data:
        return "-"
    if len(data) <= 64:
        return "h:" + data.hex()
    return "d:%d:%08x" % (len(data), zlib.crc32(data))


def numbered(n):
    return struct.pack(">I", n) + fill(n % 301, n)


class Peer:
    def __init__(self):
        self.context = zmq.Context()
        self.sockets = {}
        self.rules = None

    def socket_of(self, name):
        if name not in self.sockets:
            raise Refusal("usage", "no socket " + name)
        return self.sockets[name]

    def increasing(self, name, limit, head):
        """The numbers of the numbered messages that arrive; each is greater than the one before."""
        socket = self.socket_of(name)
        socket.rcvtimeo = int(limit)
        head = [None if word == "*" else frame(word) for word in head]
        last = -1
        while True:
            message = socket.recv_multipart()
            n = int.from_bytes(message[-1][:4], "big")
            check(n, message, head)
            if n <= last:
                raise Refusal("order", "message %d came after %d" % (n, last))
            last = n
            yield n

    def hello(self, version):
        if version != "1":
            raise Refusal("usage", "protocol 1 only")
        return ["1", "pyzmq-%s/libzmq-%s" % (zmq.__version__, zmq.zmq_version()), "tcp", "ipc"]

    def zap(self, mechanism, *words):
        if self.rules is None:
            self.rules = {}
            handler = self.context.socket(zmq.REP)
            handler.bind("inproc://zeromq.zap.01")
            threading.Thread(target=decide, args=(handler, self.rules), daemon=True).start()
        self.rules[mechanism.encode()] = [frame(word) for word in words]

    def socket(self, name, kind):
        if not isinstance(getattr(zmq, kind, None), zmq.SocketType):
            raise Refusal("usage", "unknown socket type " + kind)
        made = self.context.socket(getattr(zmq, kind))
        made.linger = 0
        self.sockets[name] = made

    def set(self, name, option, value):
        value = frame(value) if value[:2] in ("-", "t:", "h:", "f:") else int(value)
        if not isinstance(getattr(zmq, option, None), zmq.SocketOption):
            raise Refusal("usage", "unknown option " + option)
        self.socket_of(name).setsockopt(getattr(zmq, option), value)

    def bind(self, name, endpoint):
        socket = self.socket_of(name)
        socket.bind(endpoint)
        return [socket.last_endpoint.rstrip(b"\0").decode()]

    def connect(self, name, endpoint):
        self.socket_of(name).connect(endpoint)

    def unbind(self, name, endpoint):
        self.socket_of(name).unbind(endpoint)

    def disconnect(self, name, endpoint):
        self.socket_of(name).disconnect(endpoint)

    def subscribe(self, name, topic):
        self.socket_of(name).subscribe(frame(topic))

    def unsubscribe(self, name, topic):
        self.socket_of(name).unsubscribe(frame(topic))

    def send(self, name, limit, *words):
        socket = self.socket_of(name)
        socket.sndtimeo = int(limit)
        socket.send_multipart([frame(word) for word in words])

    def recv(self, name, limit):
        socket = self.socket_of(name)
        socket.rcvtimeo = int(limit)
        return [told(data) for data in socket.recv_multipart()]

    def burst(self, name, limit, count, *head):
        socket = self.socket_of(name)
        socket.sndtimeo = int(limit)
        head = [frame(word) for word in head]
        for n in range(int(count)):
            socket.send_multipart(head + [numbered(n)])

    def expect(self, name, limit, count, *head):
        socket = self.socket_of(name)
        socket.rcvtimeo = int(limit)
        head = [None if word == "*" else frame(word) for word in head]
        for n in range(int(count)):
            check(n, socket.recv_multipart(), head)

    def take(self, name, limit, count, *head):
        numbers = self.increasing(name, limit, head)
        taken = [next(numbers) for _ in range(int(count))]
        return list(map(str, taken[:1] + taken[-1:])) or ["-", "-"]

    def drain(self, name, limit, *head):
        taken, first, last = 0, "-", "-"
        try:
            for last in self.increasing(name, limit, head):
                first = last if taken == 0 else first
                taken += 1
        except zmq.Again:
            return [str(taken), str(first), str(last)]

    def fill(self, name, limit, count, *head):
        socket = self.socket_of(name)
        socket.sndtimeo = int(limit)
        head = [frame(word) for word in head]
        for n in range(int(count)):
            try:
                socket.send_multipart(head + [numbered(n)])
            except zmq.Again:
                return [str(n)]
        return [count]

    def request(self, name, limit, count, window, *head):
        socket = self.socket_of(name)
        socket.sndtimeo = socket.rcvtimeo = int(limit)
        count, window, sent = int(count), int(window), 0
        head = [frame(word) for word in head]
        for n in range(count):
            while sent < min(count, n + window):
                socket.send_multipart(head + [numbered(sent)])
                sent += 1
            check(n, socket.recv_multipart(), head)

    def echo(self, name, limit, count):
        socket = self.socket_of(name)
        socket.sndtimeo = socket.rcvtimeo = int(limit)
        for _ in range(int(count)):
            socket.send_multipart(socket.recv_multipart())

    def proxy(self, front, back):
        sockets = self.socket_of(front), self.socket_of(back)
        # From now on they are the thread's own.
        del self.sockets[front], self.sockets[back]
        threading.Thread(target=forward, args=sockets, daemon=True).start()

    def close(self, name):
        self.socket_of(name).close()
        del self.sockets[name]

    def quit(self):
        for socket in self.sockets.values():
            socket.close()
        # Ends what runs in the background, too, which alone may close its sockets.
        self.context.term()


def decide(handler, rules):
    """A ZAP handler (RFC 27): who comes with a mechanism that has a rule must show its credentials."""
    try:
        while True:
            _version, request, _domain, _address, _identity, mechanism, *shown = handler.recv_multipart()
            status = b"200" if rules.get(mechanism, shown) == shown else b"400"
            handler.send_multipart([b"1.0", request, status, b"", b"", b""])
    except zmq.ContextTerminated:
        handler.close(linger=0)


def forward(front, back):
    try:
        zmq.proxy(front, back)
    except zmq.ContextTerminated:
        front.close()
        back.close()


def check(n, message, head):
    expected = head + [numbered(n)]
    same = len(message) == len(expected) and all(
        want is None or want == have for want, have in zip(expected, message)
    )
    if not same:
        raise Refusal("order", "message %d is %s" % (n, " ".join(map(told, message))))


COMMANDS = {
    name: method
    for name, method in vars(Peer).items()
    if not name.startswith("_") and name not in ("socket_of", "increasing")
}


def answer(peer, line):
    name, *arguments = line.split(" ")
    try:
        if name not in COMMANDS:
            raise Refusal("usage", "unknown command " + name)
        words = COMMANDS[name](peer, *arguments)
        return " ".join(["ok"] + (words or []))
    except Refusal as refusal:
        return "err %s" % refusal
    except zmq.ZMQError as error:
        codes = {zmq.EAGAIN: "again", zmq.EHOSTUNREACH: "unroutable", zmq.EFSM: "state"}
        return "err %s %s" % (codes.get(error.errno, "other"), error)
    except (TypeError, ValueError, AttributeError) as error:
        return "err usage %s" % error


def main():
    peer = Peer()
    for line in sys.stdin:
        line = line.rstrip("\n")
        sys.stdout.write(answer(peer, line).replace("\n", " ") + "\n")
        sys.stdout.flush()
        if line == "quit":
            return
    for socket in peer.sockets.values():
        socket.linger = 0
    peer.quit()


if __name__ == "__main__":
    main()
