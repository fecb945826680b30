/* Numbers of errors that libzmq gives in rare cases. */
#define ZMQ_BUILD_DRAFT_API
#include "check.h"

#include <string.h>

static void *context;

static void parts_on_a_type_that_does_not_send_are_not_supported (void)
{
    const int types[] = {ZMQ_GATHER, ZMQ_DISH, ZMQ_PULL, ZMQ_SUB};
    for (int n = 0; n < 4; ++n) {
        void *socket = make (context, types[n]);
        FAILS (ENOTSUP, zmq_send (socket, "x", 1, ZMQ_SNDMORE | ZMQ_DONTWAIT));
        FAILS (ENOTSUP, zmq_send (socket, "x", 1, ZMQ_DONTWAIT));
        CHECK (zmq_close (socket) == 0);
    }
}

static void parts_on_a_type_that_sends_single_frames_are_wrong (void)
{
    const int types[] = {ZMQ_SERVER, ZMQ_CLIENT, ZMQ_RADIO, ZMQ_SCATTER, ZMQ_PEER, ZMQ_CHANNEL};
    for (int n = 0; n < 6; ++n) {
        void *socket = make (context, types[n]);
        FAILS (EINVAL, zmq_send (socket, "x", 1, ZMQ_SNDMORE | ZMQ_DONTWAIT));
        CHECK (zmq_close (socket) == 0);
    }
}

static void an_endpoint_that_is_not_there_cannot_end (void)
{
    const int types[] = {ZMQ_GATHER, ZMQ_PULL};
    for (int n = 0; n < 2; ++n) {
        char endpoint[256];
        size_t size = sizeof endpoint;
        void *socket = make (context, types[n]);
        FAILS (ENOENT, zmq_unbind (socket, "tcp://127.0.0.1:9"));
        CHECK (zmq_bind (socket, "tcp://127.0.0.1:*") == 0);
        CHECK (zmq_getsockopt (socket, ZMQ_LAST_ENDPOINT, endpoint, &size) == 0);
        CHECK (zmq_unbind (socket, endpoint) == 0);
        FAILS (ENOENT, zmq_unbind (socket, endpoint));
        CHECK (zmq_close (socket) == 0);
    }
}

static void an_ipv6_address_is_no_device_without_ipv6 (void)
{
    const char *endpoints[] = {"tcp://[::1]:*", "tcp://::1:*", "tcp://[::]:*"};
    void *socket = make (context, ZMQ_PULL);
    for (int n = 0; n < 3; ++n)
        FAILS (ENODEV, zmq_bind (socket, endpoints[n]));
    CHECK (zmq_connect (socket, "tcp://[::1]:9") == 0);
    CHECK (zmq_close (socket) == 0);
}

static void an_ipv4_address_in_the_form_of_ipv6_needs_no_ipv6 (void)
{
    char endpoint[256], mapped[300], body;
    size_t size = sizeof endpoint;
    void *bound = make (context, ZMQ_PULL), *connected = make (context, ZMQ_PUSH);
    CHECK (zmq_bind (bound, "tcp://[::ffff:127.0.0.1]:*") == 0);
    CHECK (zmq_getsockopt (bound, ZMQ_LAST_ENDPOINT, endpoint, &size) == 0);
    CHECK (strncmp (endpoint, "tcp://127.0.0.1:", 16) == 0);
    snprintf (mapped, sizeof mapped, "tcp://[::ffff:127.0.0.1]%s", strrchr (endpoint, ':'));
    CHECK (zmq_connect (connected, mapped) == 0);
    CHECK (zmq_send (connected, "x", 1, 0) == 1 && zmq_recv (bound, &body, 1, 0) == 1);
    CHECK (zmq_close (connected) == 0 && zmq_close (bound) == 0);
}

int main (void)
{
    context = zmq_ctx_new ();
    parts_on_a_type_that_does_not_send_are_not_supported ();
    parts_on_a_type_that_sends_single_frames_are_wrong ();
    an_endpoint_that_is_not_there_cannot_end ();
    an_ipv6_address_is_no_device_without_ipv6 ();
    an_ipv4_address_in_the_form_of_ipv6_needs_no_ipv6 ();
    CHECK (zmq_ctx_term (context) == 0);
    puts ("well");
    return 0;
}
