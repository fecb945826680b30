/* Handles that are closed, closed twice, used after that, or never were one: an error each, and no foreign memory is
   touched (this runs under the address sanitizer, too). */
#define ZMQ_BUILD_DRAFT_API
#include "check.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static void no_socket (void *handle)
{
    char buffer[8];
    int value = 1;
    size_t length = sizeof value;
    zmq_msg_t msg;
    zmq_pollitem_t item = {handle, 0, ZMQ_POLLIN, 0};
    void *poller = zmq_poller_new ();
    CHECK (zmq_msg_init_size (&msg, 100) == 0);
    FAILS (ENOTSOCK, zmq_close (handle));
    FAILS (ENOTSOCK, zmq_send (handle, "x", 1, 0));
    FAILS (ENOTSOCK, zmq_send_const (handle, "x", 1, 0));
    FAILS (ENOTSOCK, zmq_recv (handle, buffer, sizeof buffer, 0));
    FAILS (ENOTSOCK, zmq_msg_send (&msg, handle, 0));
    FAILS (ENOTSOCK, zmq_msg_recv (&msg, handle, 0));
    FAILS (ENOTSOCK, zmq_setsockopt (handle, ZMQ_LINGER, &value, sizeof value));
    FAILS (ENOTSOCK, zmq_getsockopt (handle, ZMQ_LINGER, &value, &length));
    FAILS (ENOTSOCK, zmq_bind (handle, "inproc://x"));
    FAILS (ENOTSOCK, zmq_connect (handle, "inproc://x"));
    FAILS (ENOTSOCK, zmq_unbind (handle, "inproc://x"));
    FAILS (ENOTSOCK, zmq_disconnect (handle, "inproc://x"));
    FAILS (ENOTSOCK, zmq_socket_monitor (handle, "inproc://m", ZMQ_EVENT_ALL));
    if (handle) {
        FAILS (ENOTSOCK, zmq_poll (&item, 1, 0));
        FAILS (ENOTSOCK, zmq_proxy (handle, handle, NULL));
    }
    FAILS (ENOTSOCK, zmq_poller_add (poller, handle, NULL, ZMQ_POLLIN));
    CHECK (zmq_msg_close (&msg) == 0);
    CHECK (zmq_poller_destroy (&poller) == 0);
}

static void no_context (void *handle)
{
    CHECK (zmq_socket (handle, ZMQ_PAIR) == NULL && errno == EFAULT);
    FAILS (EFAULT, zmq_ctx_term (handle));
    FAILS (EFAULT, zmq_ctx_shutdown (handle));
    FAILS (EFAULT, zmq_ctx_set (handle, ZMQ_IO_THREADS, 1));
    FAILS (EFAULT, zmq_ctx_get (handle, ZMQ_IO_THREADS));
}

static void no_poller (void *handle)
{
    zmq_poller_event_t event;
    FAILS (EFAULT, zmq_poller_size (handle));
    FAILS (EFAULT, zmq_poller_add_fd (handle, 0, NULL, ZMQ_POLLIN));
    FAILS (EFAULT, zmq_poller_wait (handle, &event, 0));
    FAILS (EFAULT, zmq_poller_destroy (&handle));
}

static void no_timers (void *handle)
{
    FAILS (EFAULT, (int) zmq_timers_timeout (handle));
    FAILS (EFAULT, zmq_timers_execute (handle));
    FAILS (EFAULT, zmq_timers_cancel (handle, 1));
    FAILS (EFAULT, zmq_timers_destroy (&handle));
}

/* A poller that watches a closed socket does not take the next one with the same handle for it. */
static void kept_by_a_poller (void *context)
{
    int old = 0, new = 0;
    zmq_poller_event_t event;
    void *poller = zmq_poller_new (), *socket = zmq_socket (context, ZMQ_PUB), *next;
    CHECK (zmq_poller_add (poller, socket, &old, ZMQ_POLLOUT) == 0);
    CHECK (zmq_poller_wait (poller, &event, 0) == 0 && event.socket == socket && event.user_data == &old);
    CHECK (zmq_close (socket) == 0);
    FAILS (ENOTSOCK, zmq_poller_wait (poller, &event, 0));
    do {
        next = zmq_socket (context, ZMQ_PUB);
        CHECK (next);
    } while (next != socket && zmq_close (next) == 0);
    FAILS (ENOTSOCK, zmq_poller_wait (poller, &event, 0));
    FAILS (EINVAL, zmq_poller_modify (poller, next, ZMQ_POLLOUT));
    FAILS (EINVAL, zmq_poller_remove (poller, next));
    CHECK (zmq_poller_add (poller, next, &new, ZMQ_POLLOUT) == 0);
    CHECK (zmq_poller_size (poller) == 2);
    CHECK (zmq_poller_remove (poller, next) == 0);
    CHECK (zmq_poller_destroy (&poller) == 0 && zmq_close (next) == 0);
}

static void *waits (void *socket)
{
    char buffer[8];
    /* Closing beside a call is against the rules: the call ends, whatever it says. */
    CHECK (zmq_recv (socket, buffer, sizeof buffer, 0) == -1);
    return NULL;
}

int main (void)
{
    zmq_msg_t msg;
    pthread_t thread;
    char here[256] = {0};
    void *heap = calloc (1, 256);
    void *context = zmq_ctx_new ();
    void *socket = zmq_socket (context, ZMQ_PAIR);
    void *poller = zmq_poller_new (), *timers = zmq_timers_new ();
    CHECK (context && socket && heap && poller && timers);

    void *strangers[] = {NULL, (void *) 8, here, heap, (char *) socket + 1, (char *) socket + 8};
    for (size_t n = 0; n < sizeof strangers / sizeof strangers[0]; ++n) {
        no_socket (strangers[n]);
        no_context (strangers[n]);
        no_poller (strangers[n]);
        no_timers (strangers[n]);
    }
    /* Each of them is open, and of one kind. */
    void *handles[] = {socket, context, poller, timers};
    void (*refuse[]) (void *) = {no_socket, no_context, no_poller, no_timers};
    for (size_t n = 0; n < 4; ++n)
        for (size_t kind = 0; kind < 4; ++kind)
            if (kind != n)
                refuse[kind] (handles[n]);
    void *closed_poller = poller, *closed_timers = timers;
    CHECK (zmq_poller_destroy (&poller) == 0 && zmq_timers_destroy (&timers) == 0);
    no_poller (closed_poller);
    no_timers (closed_timers);

    CHECK (zmq_close (socket) == 0);
    no_socket (socket);
    /* Its slot rests while others are opened and closed. */
    for (int n = 0; n < 200; ++n) {
        void *other = zmq_socket (context, ZMQ_PAIR);
        CHECK (other && other != socket && zmq_close (other) == 0);
        FAILS (ENOTSOCK, zmq_send (socket, "x", 1, ZMQ_DONTWAIT));
    }
    no_socket (socket);
    kept_by_a_poller (context);

    CHECK (zmq_msg_init_size (&msg, 100) == 0);
    CHECK (zmq_msg_close (&msg) == 0);
    FAILS (EFAULT, zmq_msg_close (&msg));
    FAILS (EFAULT, zmq_msg_close ((zmq_msg_t *) here));

    socket = zmq_socket (context, ZMQ_PULL);
    CHECK (zmq_bind (socket, "tcp://127.0.0.1:*") == 0);
    CHECK (pthread_create (&thread, NULL, waits, socket) == 0);
    CHECK (zmq_close (socket) == 0);
    CHECK (pthread_join (thread, NULL) == 0);

    CHECK (zmq_ctx_term (context) == 0);
    no_context (context);
    no_socket (socket);
    free (heap);
    puts ("well");
    return 0;
}
