/* A full pipe gives credit back by lots of half its high-water mark, as libzmq's does, and a sender that does not wait is
   refused until a whole lot has been read. */
#include "check.h"

#include <string.h>

#define MARK 10

static int writable (void *socket)
{
    zmq_pollitem_t item = {socket, 0, ZMQ_POLLOUT, 0};
    int ready = zmq_poll (&item, 1, 0);
    CHECK (ready >= 0);
    return ready;
}

/* Sends what goes without waiting. Between the attempts it is looked whether there is room: an attempt alone looks once
   in a millisecond. */
static int fill (void *sender)
{
    int sent = 0;
    while (writable (sender)) {
        if (zmq_send (sender, "x", 1, ZMQ_DONTWAIT) == 1)
            ++sent;
        else
            CHECK (errno == EAGAIN);
    }
    FAILS (EAGAIN, zmq_send (sender, "x", 1, ZMQ_DONTWAIT));
    return sent;
}

static void drain (void *receiver, int count)
{
    char body[2];
    while (count--)
        CHECK (zmq_recv (receiver, body, sizeof body, ZMQ_DONTWAIT) == 1);
}

static void try_types (void *context, int sending, int receiving, const char *endpoint)
{
    int half = MARK / 2;
    void *sender = make (context, sending), *receiver = make (context, receiving);
    CHECK (zmq_setsockopt (sender, ZMQ_SNDHWM, &half, sizeof half) == 0);
    CHECK (zmq_setsockopt (receiver, ZMQ_RCVHWM, &half, sizeof half) == 0);
    CHECK (zmq_bind (receiver, endpoint) == 0 && zmq_connect (sender, endpoint) == 0);
    /* Over inproc one queue stands for both, and its mark is the sum. */
    CHECK (fill (sender) == MARK);
    drain (receiver, MARK / 2 - 1);
    CHECK (fill (sender) == 0);
    drain (receiver, 1);
    CHECK (fill (sender) == MARK / 2);
    /* The pipe is empty, and the last lot is read to its end. */
    drain (receiver, MARK);
    CHECK (fill (sender) == MARK);
    CHECK (zmq_close (sender) == 0 && zmq_close (receiver) == 0);
}

int main (void)
{
    void *context = zmq_ctx_new ();
    try_types (context, ZMQ_PUSH, ZMQ_PULL, "inproc://pipeline");
    try_types (context, ZMQ_PAIR, ZMQ_PAIR, "inproc://pair");
    try_types (context, ZMQ_DEALER, ZMQ_DEALER, "inproc://dealers");
    CHECK (zmq_ctx_term (context) == 0);
    puts ("well");
    return 0;
}
