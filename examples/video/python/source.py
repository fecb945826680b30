"""Publishes live video from Python: python source.py [ENDPOINT] [FILE.jpg...] [--fps N]

It needs pyzmq. It publishes the files in turn; without files it draws, for which it needs Pillow.
"""

import argparse
import io
import itertools
import struct
import time

import zmq

# Topic, number, microseconds since 1970, width, height: the struct Header of the Rust programs.
HEADER = struct.Struct(">4sQQHH")
TOPIC = b"ZVF1"


def drawn():
    """Pictures of a ball that moves."""
    from PIL import Image, ImageDraw

    for number in itertools.count():
        image = Image.new("RGB", (640, 480), (20, 60, 90))
        x, y = abs(640 - number * 5 % 1280), abs(480 - number * 3 % 960)
        ImageDraw.Draw(image).ellipse((x - 60, y - 60, x + 60, y + 60), fill=(255, 230, 40))
        file = io.BytesIO()
        image.save(file, "JPEG", quality=75)
        yield file.getvalue()


def size(jpeg):
    """Width and height, from the segment SOF0 or SOF2 of a JPEG file."""
    at = 2
    while jpeg[at + 1] not in (0xC0, 0xC2):
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
    height, width = struct.unpack_from(">HH", jpeg, at + 5)
    return width, height


def main():
    parser = argparse.ArgumentParser(description="Publishes live video.")
    parser.add_argument("endpoint", nargs="?", default="tcp://127.0.0.1:5557")
    parser.add_argument("files", nargs="*", metavar="FILE.jpg")
    parser.add_argument("--fps", type=float, default=30)
    arguments = parser.parse_args()

    socket = zmq.Context().socket(zmq.PUB)
    socket.setsockopt(zmq.CONFLATE, 1)
    socket.bind(arguments.endpoint)
    print("bound", socket.getsockopt_string(zmq.LAST_ENDPOINT), flush=True)

    pictures = itertools.cycle(open(file, "rb").read() for file in arguments.files) if arguments.files else drawn()
    due = time.monotonic()
    for number, jpeg in enumerate(pictures):
        taken = time.time_ns() // 1000
        socket.send(HEADER.pack(TOPIC, number, taken, *size(jpeg)) + jpeg)
        due = max(due + 1 / arguments.fps, time.monotonic())
        time.sleep(due - time.monotonic() if due > time.monotonic() else 0)


try:
    main()
except KeyboardInterrupt:
    pass
