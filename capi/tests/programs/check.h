/* What the programs here share: a check that ends the program and says why, a limit to its time, and sockets to try. */
#ifndef CHECK_H
#define CHECK_H

#include <zmq.h>

#include <signal.h>
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

/* Seconds that a program may take; sanitized ones are slow. */
#ifndef LIMIT
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LIMIT 240
#else
#define LIMIT 60
#endif
#endif

/* A program that hangs fails, and says so. Only what a signal handler may call. */
static inline void out_of_time (int number)
{
    static const char text[] = "still running after its limit of time: " __BASE_FILE__ "\n";
    ssize_t written = write (STDERR_FILENO, text, sizeof text - 1);
    (void) number;
    (void) written;
    _exit (1);
}

/* Begins the limit anew. Every program begins so; a child of fork, which inherits no alarm, has to call it. Who uses
   SIGALRM for something else counts. */
__attribute__ ((constructor)) static inline void begin_limit (void)
{
    signal (SIGALRM, out_of_time);
    alarm (LIMIT);
}

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
