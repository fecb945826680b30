/* A peer announces a frame of 2 GiB, which has no limit here, and sends it to a process of 600 MiB: its connection ends,
   the process does not, and everybody else is served. */
#define _GNU_SOURCE
#include "check.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

static const char path[] = "memory.sock";

static void put (int fd, const void *bytes, size_t size)
{
    CHECK_OR (_exit, send (fd, bytes, size, MSG_NOSIGNAL) == (ssize_t) size);
}

static void get (int fd, size_t size)
{
    char byte;
    while (size--)
        CHECK_OR (_exit, read (fd, &byte, 1) == 1);
}

/* The bad peer, a process of its own: it waits for the word, then sends until it is cut off. */
static void send_too_much (int word)
{
    static const unsigned char ready[] = "\4\32\5READY\13Socket-Type\0\0\0\4PUSH";
    static const unsigned char header[9] = {2, 0, 0, 0, 0, 0x80, 0, 0, 0};
    static char zeros[1 << 16];
    unsigned char greeting[64] = {0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 1, 'N', 'U', 'L', 'L'};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket (AF_UNIX, SOCK_STREAM, 0);
    begin_limit ();
    get (word, 1);
    strcpy (address.sun_path, path);
    CHECK_OR (_exit, connect (fd, (struct sockaddr *) &address, sizeof address) == 0);
    put (fd, greeting, sizeof greeting);
    put (fd, ready, sizeof ready - 1);
    get (fd, 64 + sizeof ready - 1);
    put (fd, header, sizeof header);
    while (send (fd, zeros, sizeof zeros, MSG_NOSIGNAL) > 0)
        ;
    _exit (0);
}

int main (void)
{
    struct rlimit limit = {600ul << 20, 600ul << 20};
    int word[2], status;
    zmq_msg_t event;
    char body[8];
    void *context, *pull, *push, *monitor;
    pid_t bad;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    /* A sanitizer alone takes more than the limit. */
    puts ("well");
    return 0;
#endif
    CHECK (pipe (word) == 0 && (bad = fork ()) >= 0);
    if (bad == 0)
        send_too_much (word[0]);
    CHECK (setrlimit (RLIMIT_AS, &limit) == 0);
    context = zmq_ctx_new ();
    pull = make (context, ZMQ_PULL), push = make (context, ZMQ_PUSH), monitor = make (context, ZMQ_PAIR);
    CHECK (zmq_socket_monitor (pull, "inproc://events", ZMQ_EVENT_DISCONNECTED) == 0);
    CHECK (zmq_connect (monitor, "inproc://events") == 0);
    CHECK (zmq_bind (pull, "ipc://memory.sock") == 0 && zmq_connect (push, "ipc://memory.sock") == 0);
    CHECK (zmq_send (push, "before", 6, 0) == 6 && zmq_recv (pull, body, sizeof body, 0) == 6);
    CHECK (write (word[1], "!", 1) == 1);
    CHECK (zmq_msg_init (&event) == 0 && zmq_msg_recv (&event, monitor, 0) > 0 && zmq_msg_close (&event) == 0);
    CHECK (zmq_send (push, "after", 5, 0) == 5);
    CHECK (zmq_recv (pull, body, sizeof body, 0) == 5 && memcmp (body, "after", 5) == 0);
    CHECK (waitpid (bad, &status, 0) == bad && WIFEXITED (status) && WEXITSTATUS (status) == 0);
    CHECK (zmq_close (push) == 0 && zmq_close (pull) == 0 && zmq_close (monitor) == 0);
    CHECK (zmq_ctx_term (context) == 0);
    puts ("well");
    return 0;
}
