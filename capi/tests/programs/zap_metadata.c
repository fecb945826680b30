/* What the ZAP handler says of a peer is told in place of what the peer says of itself. */
#include "check.h"

#include <pthread.h>
#include <string.h>

static void *context;

/* A property of the handler's reply, and what a message of the peer, which calls itself "mine", tells by a name. */
static const struct
{
    const char *said, *asked, *told;
} table[] = {
  {NULL, "Identity", "mine"},
  {"Identity", "Identity", "ann"},
  {"Routing-Id", "Routing-Id", "ann"},
  /* Two names of one property. */
  {"Identity", "Routing-Id", "ann"},
  {"Routing-Id", "Identity", "ann"},
  {"X-Own", "X-Own", "ann"},
  {"X-Own", "Socket-Type", "DEALER"},
  {"X-Own", "User-Id", "user"},
  /* The handler says that in a frame of its own, */
  {"User-Id", "User-Id", "user"},
  /* and this is seen here. */
  {"Peer-Address", "Peer-Address", "127.0.0.1"},
};

#define ROWS (sizeof table / sizeof table[0])

static void part (void *socket, const void *bytes, size_t size, int more)
{
    CHECK (zmq_send (socket, bytes, size, more ? ZMQ_SNDMORE : 0) == (int) size);
}

/* Lets one peer of each row in. */
static void *handler (void *zap)
{
    for (size_t row = 0; row < ROWS; ++row) {
        char request[64], buffer[256];
        unsigned char metadata[64];
        const char *said = table[row].said;
        int more = 1, size = 0, length = 0;
        size_t int_size = sizeof more;
        for (int frame = 0; more; ++frame) {
            int received = zmq_recv (zap, frame == 1 ? request : buffer, frame == 1 ? sizeof request : sizeof buffer, 0);
            CHECK (received >= 0);
            if (frame == 1)
                length = received;
            CHECK (zmq_getsockopt (zap, ZMQ_RCVMORE, &more, &int_size) == 0);
        }
        if (said) {
            metadata[0] = (unsigned char) strlen (said);
            memcpy (metadata + 1, said, strlen (said));
            memcpy (metadata + 1 + strlen (said), "\0\0\0\3ann", 7);
            size = (int) (1 + strlen (said) + 7);
        }
        part (zap, "1.0", 3, 1);
        part (zap, request, (size_t) length, 1);
        part (zap, "200", 3, 1);
        part (zap, "OK", 2, 1);
        part (zap, "user", 4, 1);
        part (zap, metadata, (size_t) size, 0);
    }
    return NULL;
}

int main (void)
{
    pthread_t thread;
    context = zmq_ctx_new ();
    void *zap = make (context, ZMQ_REP);
    CHECK (zmq_bind (zap, "inproc://zeromq.zap.01") == 0);
    CHECK (pthread_create (&thread, NULL, handler, zap) == 0);
    for (size_t row = 0; row < ROWS; ++row) {
        char endpoint[256];
        zmq_msg_t message;
        void *server = make (context, ZMQ_DEALER), *peer = make (context, ZMQ_DEALER);
        CHECK (zmq_setsockopt (server, ZMQ_ZAP_DOMAIN, "lab", 3) == 0);
        CHECK (zmq_setsockopt (peer, ZMQ_ROUTING_ID, "mine", 4) == 0);
        join (server, peer, endpoint);
        CHECK (zmq_send (peer, "x", 1, 0) == 1);
        CHECK (zmq_msg_init (&message) == 0 && zmq_msg_recv (&message, server, 0) == 1);
        const char *told = zmq_msg_gets (&message, table[row].asked);
        if (!told || strcmp (told, table[row].told) != 0)
            fprintf (stderr, "row %d tells %s\n", (int) row, told ? told : "nothing");
        CHECK (told && strcmp (told, table[row].told) == 0);
        CHECK (zmq_msg_close (&message) == 0 && zmq_close (peer) == 0 && zmq_close (server) == 0);
    }
    CHECK (pthread_join (thread, NULL) == 0);
    CHECK (zmq_close (zap) == 0 && zmq_ctx_term (context) == 0);
    puts ("well");
    return 0;
}
