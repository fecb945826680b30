/* Sockets whose keys of CURVE are missing tell their monitors the same as with libzmq: the handshake fails at the peer, whoever
   binds, and nobody is left without an event. */
#include "check.h"

#include <stdint.h>
#include <string.h>

static void *context;

enum part
{
    NULL_PEER,
    PLAIN_SERVER,
    SERVER_WITHOUT_SECRET,
    SERVER,
    CLIENT,
    CLIENT_WITHOUT_SECRET
};

/* No event of the handshake, or its number and value. */
struct outcome
{
    int event;
    uint32_t value;
};

#define MISMATCH {ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH}
#define CRYPTOGRAPHIC {ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC}
#define CLOSED {ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, EPIPE}

/* What libzmq 4.3.5 tells of each pair. */
static const struct
{
    enum part one, other;
    struct outcome told_one, told_other;
} table[] = {
  {SERVER_WITHOUT_SECRET, NULL_PEER, MISMATCH, MISMATCH},
  {SERVER_WITHOUT_SECRET, CLIENT, CRYPTOGRAPHIC, CLOSED},
  {SERVER_WITHOUT_SECRET, CLIENT_WITHOUT_SECRET, CRYPTOGRAPHIC, CLOSED},
  {SERVER, CLIENT_WITHOUT_SECRET, CRYPTOGRAPHIC, CLOSED},
  {NULL_PEER, CLIENT_WITHOUT_SECRET, MISMATCH, MISMATCH},
  {PLAIN_SERVER, SERVER_WITHOUT_SECRET, MISMATCH, MISMATCH},
  {PLAIN_SERVER, CLIENT_WITHOUT_SECRET, MISMATCH, MISMATCH},
};

static char public_key[41], secret_key[41], own_public_key[41], own_secret_key[41];

static void set (void *socket, int option, int value)
{
    CHECK (zmq_setsockopt (socket, option, &value, sizeof value) == 0);
}

static void *peer (enum part part, const char *events, void **monitor)
{
    void *socket = make (context, ZMQ_DEALER);
    /* One attempt is enough. */
    set (socket, ZMQ_RECONNECT_IVL, 600000);
    if (part == PLAIN_SERVER)
        set (socket, ZMQ_PLAIN_SERVER, 1);
    if (part == SERVER || part == SERVER_WITHOUT_SECRET)
        set (socket, ZMQ_CURVE_SERVER, 1);
    if (part == SERVER)
        CHECK (zmq_setsockopt (socket, ZMQ_CURVE_SECRETKEY, secret_key, 41) == 0);
    if (part == CLIENT) {
        CHECK (zmq_setsockopt (socket, ZMQ_CURVE_PUBLICKEY, own_public_key, 41) == 0);
        CHECK (zmq_setsockopt (socket, ZMQ_CURVE_SECRETKEY, own_secret_key, 41) == 0);
    }
    if (part == CLIENT || part == CLIENT_WITHOUT_SECRET)
        CHECK (zmq_setsockopt (socket, ZMQ_CURVE_SERVERKEY, public_key, 41) == 0);
    CHECK (zmq_socket_monitor (socket, events, ZMQ_EVENT_ALL) == 0);
    *monitor = make (context, ZMQ_PAIR);
    CHECK (zmq_connect (*monitor, events) == 0);
    return socket;
}

/* The next event, with its value. */
static uint32_t next (void *monitor, int *event)
{
    unsigned char frame[6];
    char endpoint[256];
    uint16_t number;
    uint32_t value;
    CHECK (zmq_recv (monitor, frame, sizeof frame, 0) == sizeof frame);
    CHECK (zmq_recv (monitor, endpoint, sizeof endpoint, 0) >= 0);
    memcpy (&number, frame, sizeof number);
    memcpy (&value, frame + sizeof number, sizeof value);
    *event = number;
    return value;
}

static void expect (void *monitor, struct outcome told)
{
    const int before = ZMQ_EVENT_LISTENING | ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_CONNECTED | ZMQ_EVENT_CONNECT_DELAYED;
    int event;
    uint32_t value;
    do {
        value = next (monitor, &event);
    } while (event & before);
    CHECK (event == told.event && value == told.value);
    next (monitor, &event);
    CHECK (event == ZMQ_EVENT_DISCONNECTED);
}

int main (void)
{
    context = zmq_ctx_new ();
    CHECK (zmq_curve_keypair (public_key, secret_key) == 0);
    CHECK (zmq_curve_keypair (own_public_key, own_secret_key) == 0);
    for (size_t row = 0; row < sizeof table / sizeof table[0]; ++row)
        for (int swapped = 0; swapped < 2; ++swapped) {
            char names[2][32], endpoint[256];
            void *monitors[2];
            snprintf (names[0], sizeof names[0], "inproc://one-%d-%d", (int) row, swapped);
            snprintf (names[1], sizeof names[1], "inproc://other-%d-%d", (int) row, swapped);
            void *one = peer (table[row].one, names[0], &monitors[0]);
            void *other = peer (table[row].other, names[1], &monitors[1]);
            join (swapped ? other : one, swapped ? one : other, endpoint);
            expect (monitors[0], table[row].told_one);
            expect (monitors[1], table[row].told_other);
            CHECK (zmq_close (one) == 0 && zmq_close (other) == 0);
            CHECK (zmq_close (monitors[0]) == 0 && zmq_close (monitors[1]) == 0);
        }
    CHECK (zmq_ctx_term (context) == 0);
    puts ("well");
    return 0;
}
