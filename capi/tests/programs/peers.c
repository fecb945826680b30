/* What is known of peers: the descriptor that a message came by, the queues of pipes, numbers to disconnect by. */
#define ZMQ_BUILD_DRAFT_API
#include "check.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void *context;

static uint64_t number (void *monitor)
{
    uint64_t value;
    CHECK (zmq_recv (monitor, &value, sizeof value, 0) == sizeof value);
    return value;
}

/* Receives one event about queues; answers the length of the inbound one. */
static uint64_t waiting (void *monitor, const char *local)
{
    char text[256] = {0};
    uint64_t inbound;
    CHECK (number (monitor) == ZMQ_EVENT_PIPES_STATS);
    CHECK (number (monitor) == 2);
    CHECK (number (monitor) == 0);
    inbound = number (monitor);
    CHECK (zmq_recv (monitor, text, sizeof text, 0) > 0 && !strcmp (text, local));
    memset (text, 0, sizeof text);
    CHECK (zmq_recv (monitor, text, sizeof text, 0) > 0 && !strncmp (text, "tcp://127.0.0.1:", 16));
    return inbound;
}

static void queues_and_descriptors (void)
{
    char endpoint[256], digits[16];
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    zmq_msg_t msg;
    int fd;
    void *pull = make (context, ZMQ_PULL), *push = make (context, ZMQ_PUSH), *monitor = make (context, ZMQ_PAIR);
    CHECK (zmq_socket_monitor_pipes_stats (NULL) == -1 && errno == ENOTSOCK);
    CHECK (zmq_socket_monitor_pipes_stats (pull) == -1 && errno == EINVAL);
    CHECK (zmq_socket_monitor_versioned (pull, "inproc://events", ZMQ_EVENT_PIPES_STATS, 2, ZMQ_PAIR) == 0);
    CHECK (zmq_socket_monitor_pipes_stats (pull) == -1 && errno == EAGAIN);
    CHECK (zmq_connect (monitor, "inproc://events") == 0);
    join (pull, push, endpoint);
    for (int n = 0; n < 3; ++n)
        CHECK (zmq_send (push, "x", 1, 0) == 1);
    CHECK (zmq_msg_init (&msg) == 0);
    CHECK (zmq_msg_get (&msg, ZMQ_SRCFD) == -1);
    CHECK (zmq_msg_recv (&msg, pull, 0) == 1);
    fd = zmq_msg_get (&msg, ZMQ_SRCFD);
    CHECK (getpeername (fd, (struct sockaddr *) &address, &length) == 0 && address.ss_family == AF_INET);
    snprintf (digits, sizeof digits, "%d", fd);
    CHECK (!strcmp (zmq_msg_gets (&msg, "__fd"), digits));
    CHECK (zmq_msg_close (&msg) == 0);
    /* Of the two that are left, one may have been taken out already to see that there is one. */
    do
        CHECK (zmq_socket_monitor_pipes_stats (pull) == 0);
    while (waiting (monitor, endpoint) == 0);
    CHECK (zmq_close (push) == 0 && zmq_close (pull) == 0 && zmq_close (monitor) == 0);
}

static void disconnect (void)
{
    char endpoint[256];
    uint32_t first, second;
    zmq_msg_t msg;
    void *server = make (context, ZMQ_SERVER), *client = make (context, ZMQ_CLIENT), *router = make (context, ZMQ_ROUTER);
    CHECK (zmq_setsockopt (client, ZMQ_HELLO_MSG, "hello", 5) == 0);
    join (server, client, endpoint);
    CHECK (zmq_msg_init (&msg) == 0);
    CHECK (zmq_msg_recv (&msg, server, 0) == 5);
    first = zmq_msg_routing_id (&msg);
    CHECK (first != 0);
    CHECK (zmq_disconnect_peer (server, first) == 0);
    CHECK (zmq_disconnect_peer (server, first) == -1 && errno == EHOSTUNREACH);
    CHECK (zmq_disconnect_peer (router, 1) == -1 && errno == ENOTSUP);
    CHECK (zmq_disconnect_peer (NULL, 1) == -1 && errno == ENOTSOCK);
    /* The client comes again, under another number, and says hello again. */
    CHECK (zmq_msg_recv (&msg, server, 0) == 5);
    second = zmq_msg_routing_id (&msg);
    CHECK (second != 0 && second != first);
    CHECK (zmq_msg_close (&msg) == 0);
    CHECK (zmq_close (server) == 0 && zmq_close (client) == 0 && zmq_close (router) == 0);
}

/* A routing id with nothing behind it is swallowed, whomever it names. */
static void lone_ids (void)
{
    int mandatory = 1;
    void *stream = make (context, ZMQ_STREAM), *router = make (context, ZMQ_ROUTER);
    CHECK (zmq_setsockopt (router, ZMQ_ROUTER_MANDATORY, &mandatory, sizeof mandatory) == 0);
    CHECK (zmq_send (stream, "nobody", 6, 0) == 6);
    CHECK (zmq_send (router, "nobody", 6, 0) == 6);
    CHECK (zmq_send (stream, "nobody", 6, ZMQ_SNDMORE) == -1 && errno == EHOSTUNREACH);
    CHECK (zmq_send (router, "nobody", 6, ZMQ_SNDMORE) == -1 && errno == EHOSTUNREACH);
    CHECK (zmq_close (stream) == 0 && zmq_close (router) == 0);
}

int main (void)
{
    context = zmq_ctx_new ();
    queues_and_descriptors ();
    disconnect ();
    lone_ids ();
    CHECK (zmq_ctx_term (context) == 0);
    puts ("well");
    return 0;
}
