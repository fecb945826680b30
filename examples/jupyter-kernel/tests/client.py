"""The front end: jupyter_client, and so libzmq, drives the kernel and checks what it does.

    client.py KERNEL tcp|ipc null|curve

Exit code 0 says that everything was as it should be; else a traceback tells what was not.
"""

import json
import os
import pathlib
import sys
import tempfile

import zmq
from jupyter_client import KernelManager
from jupyter_client.session import Session
from zmq.utils.monitor import recv_monitor_message

LONG = 60
LONG_MS = 1000 * LONG
# A program that runs until it is interrupted.
ENDLESS = "sum(10^18)"


def start(program, transport, mechanism, folder):
    """Starts the kernel as any Jupyter program does: by a kernel specification."""
    spec = pathlib.Path(folder, "kernels", "calculator")
    spec.mkdir(parents=True)
    text = {
        "argv": [program, "{connection_file}"],
        "display_name": "Calculator",
        "language": "calculator",
        "interrupt_mode": "message",
        "metadata": {"supported_encryption": "curve"},
    }
    (spec / "kernel.json").write_text(json.dumps(text))
    encryption = "required" if mechanism == "curve" else "disabled"
    connection_file = str(pathlib.Path(folder, "connection.json"))
    manager = KernelManager(
        kernel_name="calculator",
        transport=transport,
        transport_encryption=encryption,
        connection_file=connection_file,
    )
    manager.start_kernel()
    info = manager.get_connection_info()
    assert ("curve_publickey" in info) == (mechanism == "curve"), info.keys()
    return manager


def connected(manager):
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=LONG)
    return client


def run(client, code, answer=None, **options):
    """Runs a program; returns the reply's content, and what came on iopub as (type, content)."""
    heard = []

    def stdin(message):
        heard.append((message["msg_type"], message["content"]))
        client.input(answer)

    def iopub(message):
        heard.append((message["msg_type"], message["content"]))

    if answer is None:
        options["allow_stdin"] = options.get("allow_stdin", False)
    reply = client.execute_interactive(
        code, output_hook=iopub, stdin_hook=stdin, timeout=LONG, **options
    )
    return reply["content"], heard


def of(heard, kind):
    return [content for what, content in heard if what == kind]


def begin(client, code):
    """Starts a program, and returns when it runs."""
    request = client.execute(code)
    while True:
        message = client.get_iopub_msg(timeout=LONG)
        if message["msg_type"] == "execute_input" and message["parent_header"]["msg_id"] == request:
            return


def tells_about_itself(client):
    client.kernel_info()
    info = client.get_shell_msg(timeout=LONG)["content"]
    assert info["status"] == "ok" and info["protocol_version"] == "5.3", info
    assert info["language_info"]["name"] == "calculator", info


def executes(client):
    reply, heard = run(client, "x = 6; print x + 1\nx * 7")
    assert reply["status"] == "ok", reply
    assert of(heard, "stream") == [{"name": "stdout", "text": "7\n"}], heard
    [result] = of(heard, "execute_result")
    assert result["data"] == {"text/plain": "42"}, result
    assert result["execution_count"] == reply["execution_count"], (result, reply)
    states = [content["execution_state"] for content in of(heard, "status")]
    assert states == ["busy", "idle"], heard
    assert heard[1][0] == "execute_input" and heard[-1][0] == "status", heard
    # Silent programs run and are not counted.
    silent, heard = run(client, "y = x + 1", silent=True)
    assert silent["execution_count"] == reply["execution_count"], silent
    assert [kind for kind, _ in heard] == ["status", "status"], heard
    reply, heard = run(client, "y")
    assert of(heard, "execute_result")[0]["data"]["text/plain"] == "7", heard


def reports_errors(client):
    for code, name in [
        ("1 / 0", "ZeroDivisionError"),
        ("1 +", "SyntaxError"),
        ("nothing", "NameError"),
        ("ask x", "NoInput"),
    ]:
        reply, heard = run(client, code)
        [error] = of(heard, "error")
        assert reply["status"] == "error" and reply["ename"] == error["ename"] == name, (reply, heard)


def asks_for_input(client):
    reply, heard = run(client, "ask number; number * 2", answer="21", allow_stdin=True)
    assert reply["status"] == "ok", reply
    assert of(heard, "input_request") == [{"prompt": "number = ", "password": False}], heard
    assert of(heard, "execute_result")[0]["data"]["text/plain"] == "42", heard
    reply, _ = run(client, "ask number", answer="many", allow_stdin=True)
    assert reply["ename"] == "ValueError", reply


def is_interrupted(manager, client):
    begin(client, ENDLESS)
    manager.interrupt_kernel()
    reply = client.get_shell_msg(timeout=LONG)["content"]
    assert reply["ename"] == "Interrupted", reply
    # While it waits for input, too; the answer that comes too late is none to the next question.
    client.execute("ask x", allow_stdin=True)
    assert client.get_stdin_msg(timeout=LONG)["msg_type"] == "input_request"
    manager.interrupt_kernel()
    reply = client.get_shell_msg(timeout=LONG)["content"]
    assert reply["ename"] == "Interrupted", reply
    tells_about_itself(client)


def stranger(manager, socket_type):
    """A socket whose key, if there are keys, is not that of the connection file."""
    socket = manager.context.socket(socket_type)
    socket.linger = 0
    if manager.curve_publickey:
        socket.curve_publickey, socket.curve_secretkey = zmq.curve_keypair()
        socket.curve_serverkey = manager.curve_publickey
    return socket


def beats_while_it_computes(manager, client):
    begin(client, ENDLESS)
    # As jupyter_client does, which makes keys up for it.
    heartbeat = stranger(manager, zmq.REQ)
    heartbeat.connect(manager._make_url("hb"))
    for beat in [b"one", b"two"]:
        heartbeat.send(beat)
        assert heartbeat.poll(LONG_MS) and heartbeat.recv() == beat
    heartbeat.close()
    manager.interrupt_kernel()
    client.get_shell_msg(timeout=LONG)


def ignores_who_does_not_know_the_key(manager):
    shell = manager.connect_shell(identity=b"forger")
    forger, friend = Session(key=b"a guess"), manager.session
    forger.send(shell, "kernel_info_request")
    shell.send_multipart([b"no", b"frames", b"of", b"Jupyter"])
    right = friend.send(shell, "kernel_info_request")
    assert shell.poll(LONG_MS)
    _, frames = friend.feed_identities(shell.recv_multipart())
    reply = friend.deserialize(frames)
    assert reply["parent_header"]["msg_id"] == right["header"]["msg_id"], reply
    shell.close()


def refuses_who_has_another_curve_key(manager):
    shell = stranger(manager, zmq.DEALER)
    monitor = shell.get_monitor_socket()
    shell.connect(manager._make_url("shell"))
    while True:
        assert monitor.poll(LONG_MS)
        event = recv_monitor_message(monitor)
        assert event["event"] != zmq.EVENT_HANDSHAKE_SUCCEEDED, event
        if event["event"] == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
            assert event["value"] == 400, event
            break
    shell.disable_monitor()
    shell.close()


def shuts_down(manager, client):
    """By itself, in the midst of a program."""
    process = manager.provisioner.process
    begin(client, ENDLESS)
    client.stop_channels()
    manager.shutdown_kernel()
    assert process.returncode == 0, process.returncode


def main(program, transport, mechanism):
    with tempfile.TemporaryDirectory() as folder:
        os.environ["JUPYTER_PATH"] = folder
        manager = start(program, transport, mechanism, folder)
        try:
            client = connected(manager)
            tells_about_itself(client)
            executes(client)
            reports_errors(client)
            asks_for_input(client)
            is_interrupted(manager, client)
            beats_while_it_computes(manager, client)
            ignores_who_does_not_know_the_key(manager)
            if mechanism == "curve":
                refuses_who_has_another_curve_key(manager)
            client.stop_channels()
            # Another process on the same endpoints.
            manager.restart_kernel()
            client = connected(manager)
            executes(client)
            shuts_down(manager, client)
        finally:
            if manager.has_kernel:
                manager.shutdown_kernel(now=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
