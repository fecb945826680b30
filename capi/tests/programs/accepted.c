/* Options that libzmq takes from anybody, whatever becomes of them. */
#define ZMQ_BUILD_DRAFT_API
#include "check.h"

#include <string.h>

static void *context;

static int number (void *socket, int option)
{
    int value;
    size_t size = sizeof value;
    CHECK (zmq_getsockopt (socket, option, &value, &size) == 0);
    return value;
}

static int set (void *socket, int option, int value)
{
    return zmq_setsockopt (socket, option, &value, sizeof value);
}

static void sizes_of_batches_are_kept (void)
{
    const int options[] = {ZMQ_IN_BATCH_SIZE, ZMQ_OUT_BATCH_SIZE};
    void *socket = make (context, ZMQ_PUSH);
    for (int n = 0; n < 2; ++n) {
        CHECK (number (socket, options[n]) == 8192);
        FAILS (EINVAL, set (socket, options[n], 0));
        FAILS (EINVAL, set (socket, options[n], -1));
        CHECK (set (socket, options[n], 1) == 0 && number (socket, options[n]) == 1);
    }
    CHECK (zmq_close (socket) == 0);
}

static void a_proxy_that_is_no_address_fails_when_it_is_dialled (void)
{
    const char *proxies[] = {"garbage", "host:", "host:70000", "*:1"};
    for (int n = 0; n < 4; ++n) {
        char told[64], frame[6], address[64];
        size_t size = sizeof told;
        void *socket = make (context, ZMQ_PUSH), *monitor = make (context, ZMQ_PAIR);
        snprintf (address, sizeof address, "inproc://proxy-%d", n);
        CHECK (zmq_socket_monitor (socket, address, ZMQ_EVENT_CONNECT_RETRIED) == 0);
        CHECK (zmq_connect (monitor, address) == 0);
        CHECK (zmq_setsockopt (socket, ZMQ_SOCKS_PROXY, proxies[n], strlen (proxies[n])) == 0);
        CHECK (zmq_getsockopt (socket, ZMQ_SOCKS_PROXY, told, &size) == 0 && strcmp (told, proxies[n]) == 0);
        CHECK (zmq_connect (socket, "tcp://127.0.0.1:1") == 0);
        CHECK (zmq_recv (monitor, frame, sizeof frame, 0) == sizeof frame);
        CHECK (zmq_close (socket) == 0 && zmq_close (monitor) == 0);
    }
}

int main (void)
{
    context = zmq_ctx_new ();
    sizes_of_batches_are_kept ();
    a_proxy_that_is_no_address_fails_when_it_is_dialled ();
    CHECK (zmq_ctx_term (context) == 0);
    puts ("well");
    return 0;
}
