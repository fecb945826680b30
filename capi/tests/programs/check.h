/* What the programs here share: a check that ends the program and says why, and sockets to try. */
#ifndef CHECK_H
#define CHECK_H

#include <zmq.h>

#include <stdlib.h>
#include <unistd.h>

#define CHECK_OR(leave, condition)                                                                  \
    do {                                                                                            \
        if (!(condition)) {                                                                         \
            fprintf (stderr, "%s:%d: %s (errno %d: %s)\n", __FILE__, __LINE__, #condition, errno,   \
                     zmq_strerror (errno));                                                         \
            leave (1);                                                                              \
        }                                                                                           \
    } while (0)
#define CHECK(condition) CHECK_OR (exit, condition)
#define FAILS(number, call) CHECK ((call) == -1 && errno == (number))

/* A socket that waits long, but not for ever. */
static inline void *make (void *context, int type)
{
    int limit = 20000, none = 0;
    void *socket = zmq_socket (context, type);
    CHECK (socket);
    CHECK (zmq_setsockopt (socket, ZMQ_RCVTIMEO, &limit, sizeof limit) == 0);
    CHECK (zmq_setsockopt (socket, ZMQ_LINGER, &none, sizeof none) == 0);
    return socket;
}

/* Binds the one, leaves where, and connects the other. */
static inline void join (void *bound, void *connected, char endpoint[256])
{
    size_t length = 256;
    CHECK (zmq_bind (bound, "tcp://127.0.0.1:*") == 0);
    CHECK (zmq_getsockopt (bound, ZMQ_LAST_ENDPOINT, endpoint, &length) == 0);
    CHECK (zmq_connect (connected, endpoint) == 0);
}

#endif
