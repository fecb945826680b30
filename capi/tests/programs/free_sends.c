/* A free function may call the library: it sends a message, or uses the socket that frees, on whatever thread it is called. */
#include "check.h"

#include <stdlib.h>
#include <string.h>

static void tell (void *data, void *teller)
{
    free (data);
    CHECK (zmq_send (teller, "freed", 5, ZMQ_DONTWAIT) == 5);
}

static void look (void *data, void *socket)
{
    int events;
    size_t size = sizeof events;
    free (data);
    CHECK (zmq_getsockopt (socket, ZMQ_EVENTS, &events, &size) == 0);
}

static void fill_for (zmq_msg_t *msg, size_t size, zmq_free_fn *freed, void *socket)
{
    char *data = (char *) malloc (size);
    CHECK (data);
    memset (data, 'x', size);
    CHECK (zmq_msg_init_data (msg, data, size, freed, socket) == 0);
}

static void fill (zmq_msg_t *msg, size_t size, void *teller)
{
    fill_for (msg, size, tell, teller);
}

/* A body that was sent as the second part, behind a subscription or a routing id, and that the socket may have copied. */
static void second_part (void *context, int type, int peer_type, const char *first, size_t first_size, size_t size)
{
    char endpoint[256];
    size_t length = sizeof endpoint;
    int limit = 20000;
    zmq_msg_t msg, received;
    void *sender = zmq_socket (context, type), *receiver = zmq_socket (context, peer_type);
    CHECK (zmq_setsockopt (receiver, ZMQ_RCVTIMEO, &limit, sizeof limit) == 0);
    CHECK (zmq_setsockopt (receiver, ZMQ_ROUTING_ID, "peer", 4) == 0);
    CHECK (zmq_bind (receiver, "tcp://127.0.0.1:*") == 0);
    CHECK (zmq_getsockopt (receiver, ZMQ_LAST_ENDPOINT, endpoint, &length) == 0);
    CHECK (zmq_connect (sender, endpoint) == 0);
    if (type == ZMQ_ROUTER) {
        CHECK (zmq_send (receiver, "hello", 5, 0) == 5);
        CHECK (zmq_msg_init (&received) == 0 && zmq_msg_recv (&received, sender, 0) == 4);
        CHECK (zmq_msg_recv (&received, sender, 0) == 5 && zmq_msg_close (&received) == 0);
    }
    CHECK (zmq_send (sender, first, first_size, ZMQ_SNDMORE) == (int) first_size);
    fill_for (&msg, size, look, sender);
    CHECK (zmq_msg_send (&msg, sender, 0) == (int) size);
    CHECK (zmq_msg_init (&received) == 0);
    if (type == ZMQ_XSUB) {
        CHECK (zmq_msg_recv (&received, receiver, 0) == (int) first_size);
    }
    CHECK (zmq_msg_recv (&received, receiver, 0) == (int) size);
    CHECK (zmq_msg_close (&received) == 0);
    CHECK (zmq_close (sender) == 0 && zmq_close (receiver) == 0);
}

int main (void)
{
    char buffer[8], endpoint[256];
    size_t sizes[] = {1, 33, 34, 64, 65, 1000, 100000}, length;
    int limit = 20000, none = 0;
    zmq_msg_t msg, received;
    void *context = zmq_ctx_new ();
    void *teller = zmq_socket (context, ZMQ_PAIR), *told = zmq_socket (context, ZMQ_PAIR);
    void *sender = zmq_socket (context, ZMQ_PAIR), *receiver = zmq_socket (context, ZMQ_PAIR);
    CHECK (zmq_bind (told, "inproc://told") == 0 && zmq_connect (teller, "inproc://told") == 0);
    CHECK (zmq_setsockopt (told, ZMQ_RCVTIMEO, &limit, sizeof limit) == 0);
    CHECK (zmq_setsockopt (receiver, ZMQ_RCVTIMEO, &limit, sizeof limit) == 0);
    CHECK (zmq_bind (receiver, "tcp://127.0.0.1:*") == 0);
    length = sizeof endpoint;
    CHECK (zmq_getsockopt (receiver, ZMQ_LAST_ENDPOINT, endpoint, &length) == 0);
    CHECK (zmq_connect (sender, endpoint) == 0);
    CHECK (zmq_msg_init (&received) == 0);
    for (size_t n = 0; n < sizeof sizes / sizeof sizes[0]; ++n) {
        fill (&msg, sizes[n], teller);
        CHECK (zmq_msg_send (&msg, sender, 0) == (int) sizes[n]);
        CHECK (zmq_msg_recv (&received, receiver, 0) == (int) sizes[n]);
        CHECK (((char *) zmq_msg_data (&received))[sizes[n] - 1] == 'x');
        CHECK (zmq_recv (told, buffer, sizeof buffer, 0) == 5);
    }
    for (size_t n = 0; n < sizeof sizes / sizeof sizes[0]; ++n) {
        second_part (context, ZMQ_XSUB, ZMQ_XPUB, "\1t", 2, sizes[n]);
        second_part (context, ZMQ_ROUTER, ZMQ_DEALER, "peer", 4, sizes[n]);
    }
    /* Closed unsent: freed by the close. */
    fill (&msg, 1000, teller);
    CHECK (zmq_msg_close (&msg) == 0);
    CHECK (zmq_recv (told, buffer, sizeof buffer, 0) == 5);
    /* Queued for nobody, and dropped with its socket. */
    void *lonely = zmq_socket (context, ZMQ_PUSH);
    CHECK (zmq_setsockopt (lonely, ZMQ_LINGER, &none, sizeof none) == 0);
    CHECK (zmq_connect (lonely, "tcp://127.0.0.1:1") == 0);
    fill (&msg, 1000, teller);
    CHECK (zmq_msg_send (&msg, lonely, 0) == 1000);
    CHECK (zmq_close (lonely) == 0);
    CHECK (zmq_recv (told, buffer, sizeof buffer, 0) == 5);
    CHECK (zmq_msg_close (&received) == 0);
    CHECK (zmq_close (sender) == 0 && zmq_close (receiver) == 0);
    CHECK (zmq_close (teller) == 0 && zmq_close (told) == 0);
    CHECK (zmq_ctx_term (context) == 0);
    puts ("well");
    return 0;
}
