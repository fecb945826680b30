/* A second peer with a routing id that is in use, and a second peer of a PAIR: its calls return as libzmq's do, and what
   it has sent is not lost, but arrives when the first is gone. With -DRETURNS_ONLY what libzmq does, too. */
#include "check.h"

#include <string.h>

#define MESSAGES 150

static void *context;

static void *dealer (const char *endpoint)
{
    int limit = 20000;
    void *socket = make (context, ZMQ_DEALER);
    CHECK (zmq_setsockopt (socket, ZMQ_ROUTING_ID, "x", 1) == 0);
    CHECK (zmq_setsockopt (socket, ZMQ_SNDTIMEO, &limit, sizeof limit) == 0);
    CHECK (zmq_connect (socket, endpoint) == 0);
    return socket;
}

static void *bound (int type, const char *at, char endpoint[256])
{
    static int count;
    size_t length = 256;
    void *socket = make (context, type);
    /* libzmq frees a name some time after the socket is closed. */
    snprintf (endpoint, length, strcmp (at, "inproc://") ? "%s" : "%s%d", at, ++count);
    CHECK (zmq_bind (socket, endpoint) == 0);
    CHECK (zmq_getsockopt (socket, ZMQ_LAST_ENDPOINT, endpoint, &length) == 0);
    return socket;
}

/* The last part of the next message is `text`. */
static void expect (void *socket, const char *text)
{
    char part[16];
    int more = 1, size = 0;
    size_t length = sizeof more;
    while (more) {
        size = zmq_recv (socket, part, sizeof part, 0);
        CHECK (size >= 0);
        CHECK (zmq_getsockopt (socket, ZMQ_RCVMORE, &more, &length) == 0);
    }
    CHECK ((size_t) size == strlen (text) && memcmp (part, text, strlen (text)) == 0);
}

static void say (void *socket, const char *text)
{
    CHECK (zmq_send (socket, text, strlen (text), 0) == (int) strlen (text));
}

static void a_send_with_a_routing_id_in_use_returns (const char *at)
{
    char endpoint[256];
    void *router = bound (ZMQ_ROUTER, at, endpoint);
    void *first = dealer (endpoint);
    say (first, "first");
    expect (router, "first");
    void *second = dealer (endpoint);
    say (second, "second");
    say (second, "second");
    say (first, "goes on");
    expect (router, "goes on");
    CHECK (zmq_close (first) == 0);
    say (second, "second");
    CHECK (zmq_close (second) == 0);
    CHECK (zmq_close (router) == 0);
}

static void so_does_one_before_the_name_is_bound (void)
{
    char endpoint[256];
    void *first = dealer ("inproc://later");
    void *second = dealer ("inproc://later");
    say (first, "first");
    say (second, "second");
    void *router = bound (ZMQ_ROUTER, "inproc://later", endpoint);
    expect (router, "first");
    say (second, "second");
    CHECK (zmq_close (first) == 0);
    CHECK (zmq_close (second) == 0);
    CHECK (zmq_close (router) == 0);
}

static void a_second_peer_of_a_pair_may_connect (const char *at)
{
    char endpoint[256];
    void *pair = bound (ZMQ_PAIR, at, endpoint);
    void *first = make (context, ZMQ_PAIR);
    void *second = make (context, ZMQ_PAIR);
    CHECK (zmq_connect (first, endpoint) == 0);
    say (first, "first");
    expect (pair, "first");
    CHECK (zmq_connect (second, endpoint) == 0);
    CHECK (zmq_connect (first, endpoint) == 0);
    CHECK (zmq_close (second) == 0);
    CHECK (zmq_close (first) == 0);
    CHECK (zmq_close (pair) == 0);
}

#ifndef RETURNS_ONLY
static void all_of_it_arrives_when_the_first_is_gone (int type, const char *at)
{
    char endpoint[256], text[16];
    int n;
    void *first, *second;
    void *socket = bound (type, at, endpoint);
    if (type == ZMQ_ROUTER) {
        first = dealer (endpoint);
    } else {
        first = make (context, type);
        CHECK (zmq_connect (first, endpoint) == 0);
    }
    say (first, "first");
    expect (socket, "first");
    if (type == ZMQ_ROUTER) {
        second = dealer (endpoint);
    } else {
        second = make (context, type);
        CHECK (zmq_connect (second, endpoint) == 0);
    }
    for (n = 0; n < MESSAGES; ++n) {
        snprintf (text, sizeof text, "%d", n);
        say (second, text);
    }
    CHECK (zmq_close (first) == 0);
    for (n = 0; n < MESSAGES; ++n) {
        snprintf (text, sizeof text, "%d", n);
        expect (socket, text);
    }
    CHECK (zmq_close (second) == 0);
    CHECK (zmq_close (socket) == 0);
}
#endif

int main (void)
{
    const char *transports[] = {"tcp://127.0.0.1:*", "ipc://*", "inproc://"};
    context = zmq_ctx_new ();
    for (int n = 0; n < 3; ++n) {
        a_send_with_a_routing_id_in_use_returns (transports[n]);
        a_second_peer_of_a_pair_may_connect (transports[n]);
#ifndef RETURNS_ONLY
        all_of_it_arrives_when_the_first_is_gone (ZMQ_ROUTER, transports[n]);
        all_of_it_arrives_when_the_first_is_gone (ZMQ_PAIR, transports[n]);
#endif
    }
    so_does_one_before_the_name_is_bound ();
    CHECK (zmq_ctx_term (context) == 0);
    puts ("well");
    return 0;
}
