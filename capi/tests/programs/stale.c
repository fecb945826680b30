/* Handles that are closed, closed twice, used after that, or never were one: an error each, and no foreign memory is
   touched (this runs under the address sanitizer, too). */
#define ZMQ_BUILD_DRAFT_API
#include <zmq.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                            \
    do {                                                                                            \
        if (!(condition)) {                                                                         \
            fprintf (stderr, "%s:%d: %s (errno %d: %s)\n", __FILE__, __LINE__, #condition, errno,   \
                     zmq_strerror (errno));                                                         \
            exit (1);                                                                               \
        }                                                                                           \
    } while (0)

#define REFUSED(call, number) CHECK ((call) == -1 && errno == (number))

static void no_socket (void *handle)
{
    char buffer[8];
    int value = 1;
    size_t length = sizeof value;
    zmq_msg_t msg;
    zmq_pollitem_t item = {handle, 0, ZMQ_POLLIN, 0};
    void *poller = zmq_poller_new ();
    CHECK (zmq_msg_init_size (&msg, 100) == 0);
    REFUSED (zmq_close (handle), ENOTSOCK);
    REFUSED (zmq_send (handle, "x", 1, 0), ENOTSOCK);
    REFUSED (zmq_send_const (handle, "x", 1, 0), ENOTSOCK);
    REFUSED (zmq_recv (handle, buffer, sizeof buffer, 0), ENOTSOCK);
    REFUSED (zmq_msg_send (&msg, handle, 0), ENOTSOCK);
    REFUSED (zmq_msg_recv (&msg, handle, 0), ENOTSOCK);
    REFUSED (zmq_setsockopt (handle, ZMQ_LINGER, &value, sizeof value), ENOTSOCK);
    REFUSED (zmq_getsockopt (handle, ZMQ_LINGER, &value, &length), ENOTSOCK);
    REFUSED (zmq_bind (handle, "inproc://x"), ENOTSOCK);
    REFUSED (zmq_connect (handle, "inproc://x"), ENOTSOCK);
    REFUSED (zmq_unbind (handle, "inproc://x"), ENOTSOCK);
    REFUSED (zmq_disconnect (handle, "inproc://x"), ENOTSOCK);
    REFUSED (zmq_socket_monitor (handle, "inproc://m", ZMQ_EVENT_ALL), ENOTSOCK);
    if (handle) {
        REFUSED (zmq_poll (&item, 1, 0), ENOTSOCK);
        REFUSED (zmq_proxy (handle, handle, NULL), ENOTSOCK);
    }
    REFUSED (zmq_poller_add (poller, handle, NULL, ZMQ_POLLIN), ENOTSOCK);
    CHECK (zmq_msg_close (&msg) == 0);
    CHECK (zmq_poller_destroy (&poller) == 0);
}

static void no_context (void *handle)
{
    CHECK (zmq_socket (handle, ZMQ_PAIR) == NULL && errno == EFAULT);
    REFUSED (zmq_ctx_term (handle), EFAULT);
    REFUSED (zmq_ctx_shutdown (handle), EFAULT);
    REFUSED (zmq_ctx_set (handle, ZMQ_IO_THREADS, 1), EFAULT);
    REFUSED (zmq_ctx_get (handle, ZMQ_IO_THREADS), EFAULT);
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
    CHECK (context && socket && heap);

    void *strangers[] = {NULL, (void *) 8, here, heap, (char *) socket + 1, (char *) socket + 8, context};
    for (size_t n = 0; n < sizeof strangers / sizeof strangers[0]; ++n)
        no_socket (strangers[n]);
    strangers[6] = socket;
    for (size_t n = 0; n < sizeof strangers / sizeof strangers[0]; ++n)
        no_context (strangers[n]);

    CHECK (zmq_close (socket) == 0);
    no_socket (socket);
    /* Its slot rests while others are opened and closed. */
    for (int n = 0; n < 200; ++n) {
        void *other = zmq_socket (context, ZMQ_PAIR);
        CHECK (other && other != socket && zmq_close (other) == 0);
        REFUSED (zmq_send (socket, "x", 1, ZMQ_DONTWAIT), ENOTSOCK);
    }
    no_socket (socket);

    CHECK (zmq_msg_init_size (&msg, 100) == 0);
    CHECK (zmq_msg_close (&msg) == 0);
    REFUSED (zmq_msg_close (&msg), EFAULT);
    REFUSED (zmq_msg_close ((zmq_msg_t *) here), EFAULT);

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
