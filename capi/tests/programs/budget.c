/* The byte budgets: off unless they are set, and what they hold back is not lost. */
#define ZMQ_ZEROXIDE_OPTIONS
#include "check.h"

#include <stdint.h>
#include <string.h>

#define BODY 100000
#define MANY 1000

static void *context;

static void budgets_are_off_and_read_back (void)
{
    const int options[] = {ZMQ_RCVHWM_BYTES, ZMQ_RCVHWM_BYTES_TOTAL};
    void *socket = make (context, ZMQ_PULL);
    for (int n = 0; n < 2; ++n) {
        uint64_t value = 7, wanted = UINT64_C (1) << 40;
        size_t size = sizeof value;
        int narrow = 1;
        CHECK (zmq_getsockopt (socket, options[n], &value, &size) == 0 && size == 8 && value == 0);
        CHECK (zmq_setsockopt (socket, options[n], &wanted, sizeof wanted) == 0);
        CHECK (zmq_getsockopt (socket, options[n], &value, &size) == 0 && value == wanted);
        FAILS (EINVAL, zmq_setsockopt (socket, options[n], &narrow, sizeof narrow));
    }
    CHECK (zmq_close (socket) == 0);
}

/* Sends until a send has waited for `limit` milliseconds. Returns how many messages were taken, and receives them all. */
static int sent (int option, uint64_t bytes, int limit)
{
    static char body[BODY];
    char endpoint[256];
    size_t length = sizeof endpoint;
    int none = 0, one = 1, count = 0;
    void *pull = make (context, ZMQ_PULL), *push = make (context, ZMQ_PUSH);
    CHECK (zmq_setsockopt (pull, ZMQ_RCVHWM, &none, sizeof none) == 0);
    if (option)
        CHECK (zmq_setsockopt (pull, option, &bytes, sizeof bytes) == 0);
    CHECK (zmq_bind (pull, "tcp://127.0.0.1:*") == 0);
    CHECK (zmq_getsockopt (pull, ZMQ_LAST_ENDPOINT, endpoint, &length) == 0);
    CHECK (zmq_setsockopt (push, ZMQ_SNDHWM, &one, sizeof one) == 0);
    CHECK (zmq_setsockopt (push, ZMQ_SNDTIMEO, &limit, sizeof limit) == 0);
    CHECK (zmq_connect (push, endpoint) == 0);
    while (count < MANY && zmq_send (push, body, BODY, 0) == BODY)
        ++count;
    for (int n = 0; n < count; ++n)
        CHECK (zmq_recv (pull, body, BODY, 0) == BODY);
    CHECK (zmq_close (push) == 0 && zmq_close (pull) == 0);
    return count;
}

int main (void)
{
    context = zmq_ctx_new ();
    budgets_are_off_and_read_back ();
    CHECK (sent (0, 0, 20000) == MANY);
    CHECK (sent (ZMQ_RCVHWM_BYTES, 1 << 20, 1000) < MANY);
    CHECK (sent (ZMQ_RCVHWM_BYTES_TOTAL, 1 << 20, 1000) < MANY);
    CHECK (zmq_ctx_term (context) == 0);
    puts ("well");
    return 0;
}
