"""The Python peer with a ZAP handler (RFC 27) that refuses everybody: libzmq sends ERROR then."""

import pathlib
import sys
import threading

import zmq

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "peers" / "python"))
import peer  # noqa: E402


def refuse(context):
    handler = context.socket(zmq.REP)
    handler.bind("inproc://zeromq.zap.01")
    while True:
        request = handler.recv_multipart()
        handler.send_multipart([request[0], request[1], b"400", b"refused", b"", b""])


class Refuser(peer.Peer):
    def __init__(self):
        super().__init__()
        threading.Thread(target=refuse, args=(self.context,), daemon=True).start()


peer.Peer = Refuser
peer.main()
