"""One secured REP or REQ of pyzmq, for interop/tests/secure.rs. Keys are Z85; words on standard output are what it saw.

server MECHANISM [SERVER_SECRET CLIENT_PUBLIC]   binds, with pyzmq's own ZAP handler; answers each request with its User-Id
client MECHANISM ENDPOINT [SERVER_PUBLIC CLIENT_SECRET | USER PASSWORD]   one request; prints the reply, or the failure's event
"""

import sys

import zmq
import zmq.auth
from zmq.auth.thread import ThreadAuthenticator
from zmq.utils.monitor import recv_monitor_message

DOMAIN = "lab"
LIMIT = 10_000


class OneKey:
    """Knows one client, by its key in Z85."""

    def __init__(self, key):
        self.key = key

    def callback(self, domain, key):
        return key == self.key


def serve(mechanism, *words):
    context = zmq.Context()
    handler = ThreadAuthenticator(context)
    handler.start()
    server = context.socket(zmq.REP)
    server.linger = 0
    server.zap_domain = DOMAIN.encode()
    if mechanism == "plain":
        handler.configure_plain(domain=DOMAIN, passwords={"ann": "secret"})
        server.plain_server = True
    elif mechanism == "curve":
        secret, known = words
        handler.configure_curve_callback(domain=DOMAIN, credentials_provider=OneKey(known.encode()))
        server.curve_server = True
        server.curve_publickey = zmq.curve_public(secret.encode())
        server.curve_secretkey = secret.encode()
    else:
        handler.allow("127.0.0.1")
    server.bind("tcp://127.0.0.1:*")
    print(server.last_endpoint.decode(), flush=True)
    # Until the harness closes our input or ends us.
    poller = zmq.Poller()
    poller.register(server, zmq.POLLIN)
    poller.register(sys.stdin, zmq.POLLIN)
    while True:
        ready = dict(poller.poll())
        if server not in ready:
            break
        request = server.recv(copy=False)
        server.send_string(request.get("User-Id") or "-")
    server.close()
    handler.stop()
    context.term()


def ask(mechanism, endpoint, *words):
    context = zmq.Context()
    client = context.socket(zmq.REQ)
    client.linger = 0
    client.handshake_ivl = 3000
    if mechanism == "plain":
        client.plain_username, client.plain_password = (word.encode() for word in words)
    elif mechanism == "curve":
        server, secret = (word.encode() for word in words)
        client.curve_serverkey = server
        client.curve_secretkey = secret
        client.curve_publickey = zmq.curve_public(secret)
    events = client.get_monitor_socket()
    client.connect(endpoint)
    client.send_string("hello")
    poller = zmq.Poller()
    poller.register(client, zmq.POLLIN)
    poller.register(events, zmq.POLLIN)
    failures = {
        zmq.EVENT_HANDSHAKE_FAILED_AUTH: "auth",
        zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL: "protocol",
        zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL: "closed",
        zmq.EVENT_DISCONNECTED: "closed",
    }
    while True:
        ready = dict(poller.poll(LIMIT))
        if client in ready:
            print("reply", client.recv_string(), flush=True)
            break
        if events not in ready:
            print("silence", flush=True)
            break
        event = recv_monitor_message(events)
        if event["event"] in failures:
            print(failures[event["event"]], event["value"], flush=True)
            break
    client.close()
    context.destroy(linger=0)


if __name__ == "__main__":
    {"server": serve, "client": ask}[sys.argv[1]](*sys.argv[2:])
