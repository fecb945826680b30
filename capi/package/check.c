/* The program that `cargo xtask install --check` builds against an installed package, in each way that it offers. */

#include <stdio.h>
#include <string.h>
#include <zmq.h>

static int fail (const char *what)
{
    fprintf (stderr, "%s: %s\n", what, zmq_strerror (zmq_errno ()));
    return 1;
}

int main (void)
{
    char endpoint[256], text[8];
    size_t size = sizeof endpoint;
    int major, minor, patch, second = 5000;

    zmq_version (&major, &minor, &patch);
    if (ZMQ_MAKE_VERSION (major, minor, patch) != ZMQ_VERSION)
        return fail ("header and library differ in their version");
    void *context = zmq_ctx_new ();
    void *rep = zmq_socket (context, ZMQ_REP);
    void *req = zmq_socket (context, ZMQ_REQ);
    zmq_setsockopt (rep, ZMQ_RCVTIMEO, &second, sizeof second);
    zmq_setsockopt (req, ZMQ_RCVTIMEO, &second, sizeof second);
    if (zmq_bind (rep, "tcp://127.0.0.1:*") != 0)
        return fail ("bind");
    if (zmq_getsockopt (rep, ZMQ_LAST_ENDPOINT, endpoint, &size) != 0 || zmq_connect (req, endpoint) != 0)
        return fail ("connect");
    if (zmq_send (req, "ask", 3, 0) != 3 || zmq_recv (rep, text, sizeof text, 0) != 3)
        return fail ("the question");
    if (zmq_send (rep, "tell", 4, 0) != 4 || zmq_recv (req, text, sizeof text, 0) != 4)
        return fail ("the answer");
    if (memcmp (text, "tell", 4) != 0)
        return fail ("another answer");
    if (zmq_close (req) != 0 || zmq_close (rep) != 0 || zmq_ctx_term (context) != 0)
        return fail ("the end");
    printf ("well, %d.%d.%d\n", major, minor, patch);
    return 0;
}
