/* A message that receives again holds what was received last, whatever it held before: the memory of an equally long
   one may be filled again, that of a copy may not. */
#include "check.h"

#include <string.h>

static char body[2000];

static void receive (zmq_msg_t *msg, void *sender, void *receiver, size_t size, char letter)
{
    memset (body, letter, size);
    CHECK (zmq_send (sender, body, size, 0) == (int) size);
    CHECK (zmq_msg_recv (msg, receiver, 0) == (int) size && zmq_msg_size (msg) == size);
    CHECK (memcmp (zmq_msg_data (msg), body, size) == 0);
}

int main (void)
{
    size_t sizes[] = {40, 40, 64, 64, 33, 40, 40, 1000, 1000, 65, 64, 34, 0, 34};
    zmq_msg_t msg, copy;
    void *context = zmq_ctx_new ();
    void *sender = make (context, ZMQ_PAIR), *receiver = make (context, ZMQ_PAIR);
    CHECK (zmq_bind (receiver, "inproc://refill") == 0 && zmq_connect (sender, "inproc://refill") == 0);
    CHECK (zmq_msg_init (&msg) == 0 && zmq_msg_init (&copy) == 0);
    for (size_t n = 0; n < sizeof sizes / sizeof sizes[0]; ++n)
        receive (&msg, sender, receiver, sizes[n], (char) ('a' + n));
    receive (&msg, sender, receiver, 50, 'x');
    CHECK (zmq_msg_copy (&copy, &msg) == 0);
    receive (&msg, sender, receiver, 50, 'y');
    CHECK (zmq_msg_size (&copy) == 50 && ((char *) zmq_msg_data (&copy))[49] == 'x');
    /* Nothing came: it is empty. */
    FAILS (EAGAIN, zmq_msg_recv (&msg, receiver, ZMQ_DONTWAIT));
    CHECK (zmq_msg_size (&msg) == 0);
    receive (&msg, sender, receiver, 50, 'z');
    CHECK (zmq_msg_close (&msg) == 0 && zmq_msg_close (&copy) == 0);
    CHECK (zmq_close (sender) == 0 && zmq_close (receiver) == 0);
    CHECK (zmq_ctx_term (context) == 0);
    puts ("well");
    return 0;
}
