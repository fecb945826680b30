/* zmq_proxy waits for its capture socket: what nobody can be sent a copy of yet is not forwarded yet. */
#include "check.h"

#include <stdlib.h>

static void *context;

static void forward (void *capture)
{
    void *in = zmq_socket (context, ZMQ_PULL), *out = zmq_socket (context, ZMQ_PUSH);
    CHECK (zmq_bind (in, "inproc://in") == 0 && zmq_bind (out, "inproc://out") == 0);
    CHECK (zmq_proxy (in, out, capture) == -1 && errno == ETERM);
    CHECK (zmq_close (in) == 0 && zmq_close (out) == 0 && zmq_close (capture) == 0);
}

int main (void)
{
    char buffer[8];
    int limit = 20000, brief = 100;
    context = zmq_ctx_new ();
    void *capture = zmq_socket (context, ZMQ_PUSH);
    void *push = zmq_socket (context, ZMQ_PUSH), *pull = zmq_socket (context, ZMQ_PULL);
    void *seen = zmq_socket (context, ZMQ_PULL);
    CHECK (zmq_bind (capture, "inproc://capture") == 0);
    void *proxy = zmq_threadstart (forward, capture);
    CHECK (zmq_connect (push, "inproc://in") == 0 && zmq_connect (pull, "inproc://out") == 0);
    CHECK (zmq_setsockopt (pull, ZMQ_RCVTIMEO, &brief, sizeof brief) == 0);
    CHECK (zmq_setsockopt (seen, ZMQ_RCVTIMEO, &limit, sizeof limit) == 0);
    CHECK (zmq_send (push, "hello", 5, 0) == 5);
    CHECK (zmq_recv (pull, buffer, sizeof buffer, 0) == -1 && errno == EAGAIN);
    CHECK (zmq_connect (seen, "inproc://capture") == 0);
    CHECK (zmq_recv (seen, buffer, sizeof buffer, 0) == 5);
    CHECK (zmq_setsockopt (pull, ZMQ_RCVTIMEO, &limit, sizeof limit) == 0);
    CHECK (zmq_recv (pull, buffer, sizeof buffer, 0) == 5);
    CHECK (zmq_close (push) == 0 && zmq_close (pull) == 0 && zmq_close (seen) == 0);
    CHECK (zmq_ctx_term (context) == 0);
    zmq_threadclose (proxy);
    puts ("well");
    return 0;
}
