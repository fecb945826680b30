"""The left-hand column of the guide's table "From pyzmq": each of its cells is in this file, and does what the page says.

`each_cell_of_the_page_is_tried` in migrating.rs looks for the cells."""

import asyncio
import threading

import zmq
import zmq.asyncio

LIMIT = 60000


def requests_and_replies():
    context = zmq.Context()
    server = context.socket(zmq.REP)
    port = server.bind_to_random_port("tcp://127.0.0.1")
    endpoint = f"tcp://127.0.0.1:{port}"
    serving = threading.Thread(target=lambda: [server.send(server.recv()) for _ in range(2)])
    serving.start()
    socket = context.socket(zmq.REQ)
    socket.rcvtimeo = 60000
    socket.connect(endpoint)
    socket.send_string("text")
    assert socket.recv_string() == "text"
    socket.send(b"bytes")
    assert socket.recv() == b"bytes"
    serving.join()
    context.destroy()


def a_port_of_each_socket():
    context = zmq.Context()
    socket = context.socket(zmq.PAIR)
    port = socket.bind_to_random_port("tcp://127.0.0.1")
    other = context.socket(zmq.PAIR)
    other.connect(f"tcp://127.0.0.1:{port}")
    socket.sndhwm = 10
    socket.linger = 0
    socket.send_multipart([b"a", b"b"])
    socket.send(b"a", zmq.SNDMORE)
    socket.send(b"b")
    socket, other = other, socket
    assert socket.recv_multipart() == [b"a", b"b"]
    assert socket.recv_multipart() == [b"a", b"b"]
    try:
        socket.recv(zmq.NOBLOCK)
        raise AssertionError("there is a message")
    except zmq.Again:
        pass
    context.destroy()


def news_and_polling():
    context = zmq.Context()
    publisher, socket = context.socket(zmq.XPUB), context.socket(zmq.SUB)
    port = publisher.bind_to_random_port("tcp://127.0.0.1")
    socket.subscribe("t")
    socket.connect(f"tcp://127.0.0.1:{port}")
    assert publisher.recv() == b"\x01t"
    publisher.send(b"t1")
    poller = zmq.Poller()
    poller.register(socket, zmq.POLLIN)
    assert dict(poller.poll(60000)) == {socket: zmq.POLLIN}
    assert socket.recv() == b"t1"
    context.destroy()


def routers():
    context = zmq.Context()
    router = context.socket(zmq.ROUTER)
    router.router_mandatory = True
    port = router.bind_to_random_port("tcp://127.0.0.1")
    socket = context.socket(zmq.DEALER)
    socket.identity = b"me"
    socket.connect(f"tcp://127.0.0.1:{port}")
    socket.send(b"x")
    dealer, socket = socket, router
    id, message = socket.recv_multipart()
    assert (id, message) == (b"me", b"x")
    socket.send_multipart([id, b"y"])
    assert dealer.recv() == b"y"
    try:
        socket.send_multipart([b"you", b"y"])
        raise AssertionError("nobody has this id")
    except zmq.ZMQError as error:
        assert error.errno == zmq.EHOSTUNREACH
    context.destroy()


def proxies_monitors_and_keys():
    context = zmq.Context()
    front, back = context.socket(zmq.PULL), context.socket(zmq.PUSH)
    ended = []

    def run():
        try:
            zmq.proxy(front, back)
        except zmq.ContextTerminated:
            ended.append(True)
        front.close(0)
        back.close(0)

    proxy = threading.Thread(target=run)
    proxy.start()
    context.term()
    proxy.join()
    assert ended
    public, secret = zmq.curve_keypair()
    assert len(public) == len(secret) == 40
    context = zmq.Context()
    socket = context.socket(zmq.PULL)
    monitor = socket.get_monitor_socket()
    socket.bind_to_random_port("tcp://127.0.0.1")
    assert len(monitor.recv_multipart()) == 2
    context.destroy()


async def futures():
    context = zmq.asyncio.Context()
    socket, other = context.socket(zmq.PAIR), context.socket(zmq.PAIR)
    socket.bind("inproc://futures")
    other.connect("inproc://futures")
    await socket.send(b"hi")
    socket, other = other, socket
    assert await socket.recv() == b"hi"
    context.destroy()


requests_and_replies()
a_port_of_each_socket()
news_and_polling()
routers()
proxies_monitors_and_keys()
asyncio.run(futures())
print(f"the rows of the page, with pyzmq {zmq.__version__} on libzmq {zmq.zmq_version()}")
