"""Shows live video in Python: python viewer.py [ENDPOINT] [-n PICTURES] [-o FILE.gif]

It needs pyzmq, and for a GIF also Pillow.
"""

import argparse
import io
import struct
import time

import zmq

# Topic, number, microseconds since 1970, width, height: the struct Header of the Rust programs.
HEADER = struct.Struct(">4sQQHH")
TOPIC = b"ZVF1"


def main():
    parser = argparse.ArgumentParser(description="Shows live video.")
    parser.add_argument("endpoint", nargs="?", default="tcp://127.0.0.1:5557")
    parser.add_argument("-n", type=int, default=0, metavar="PICTURES", help="ends after so many")
    parser.add_argument("-o", metavar="FILE.gif", help="writes an animated GIF (needs Pillow)")
    arguments = parser.parse_args()

    socket = zmq.Context().socket(zmq.SUB)
    # Before connect: it holds for connections that are made later.
    socket.setsockopt(zmq.CONFLATE, 1)
    socket.setsockopt(zmq.SUBSCRIBE, TOPIC)
    socket.connect(arguments.endpoint)

    shown, lost, last, ages, pictures = 0, 0, None, [], []
    while not arguments.n or shown < arguments.n:
        message = socket.recv()
        _, number, taken, width, height = HEADER.unpack_from(message)
        jpeg = message[HEADER.size :]
        ages.append(time.time() * 1e3 - taken / 1e3)
        assert jpeg.startswith(b"\xff\xd8") and jpeg.endswith(b"\xff\xd9"), "no JPEG"
        shown += 1
        lost += max(0, number - last - 1) if last is not None else 0
        last = number
        if arguments.o:
            from PIL import Image

            pictures.append(Image.open(io.BytesIO(jpeg)).resize((width // 2, height // 2)))
        if shown % 30 == 0 or shown == arguments.n:
            ages.sort()
            p50, p99 = ages[len(ages) // 2], ages[len(ages) * 99 // 100]
            print(f"{shown} shown, {lost} lost, {width}x{height}, latency in ms: p50 {p50:.1f}, p99 {p99:.1f}")
            ages = []
    if pictures:
        pictures[0].save(arguments.o, save_all=True, append_images=pictures[1:], duration=33, loop=0)


try:
    main()
except KeyboardInterrupt:
    pass
