/* A free function may call the library: it sends a message, on whatever thread it is called. */
#include "check.h"

#include <stdlib.h>
#include <string.h>

static void tell (void *data, void *teller)
{
    free (data);
    CHECK (zmq_send (teller, "freed", 5, ZMQ_DONTWAIT) == 5);
}

static void fill (zmq_msg_t *msg, size_t size, void *teller)
{
    char *data = (char *) malloc (size);
    CHECK (data);
    memset (data, 'x', size);
    CHECK (zmq_msg_init_data (msg, data, size, tell, teller) == 0);
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
