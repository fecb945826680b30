/* What calls answer at the edges of their arguments, as libzmq 4.3.5 does: each was compared with it. */
#define _GNU_SOURCE
#define ZMQ_BUILD_DRAFT_API
#include "check.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

static void *context;

static int number (void *socket, int option)
{
    int value = -77;
    size_t length = sizeof value;
    CHECK (zmq_getsockopt (socket, option, &value, &length) == 0);
    return value;
}

static void contexts (void)
{
    char text[32];
    size_t length;
    void *own = zmq_ctx_new (), *socket;
    CHECK (zmq_ctx_set (own, ZMQ_MAX_SOCKETS, 100000) == 0 && zmq_ctx_get (own, ZMQ_MAX_SOCKETS) == 100000);
    FAILS (EINVAL, zmq_ctx_set (own, ZMQ_MAX_SOCKETS, 0));
    CHECK (zmq_ctx_set (own, ZMQ_BLOCKY, 7) == 0 && zmq_ctx_get (own, ZMQ_BLOCKY) == 1);
    CHECK (zmq_ctx_set (own, ZMQ_IPV6, 7) == 0 && zmq_ctx_get (own, ZMQ_IPV6) == 1);
    CHECK (zmq_ctx_set (own, ZMQ_IPV6, 0) == 0 && zmq_ctx_get (own, ZMQ_IPV6) == 0);
    FAILS (EINVAL, zmq_ctx_set_ext (own, ZMQ_THREAD_NAME_PREFIX, "", 0));
    CHECK (zmq_ctx_set (own, ZMQ_THREAD_NAME_PREFIX, -5) == 0 && zmq_ctx_get (own, ZMQ_THREAD_NAME_PREFIX) == -5);
    CHECK (zmq_ctx_set_ext (own, ZMQ_THREAD_NAME_PREFIX, "abc", 3) == 0);
    length = 3;
    CHECK (zmq_ctx_get_ext (own, ZMQ_THREAD_NAME_PREFIX, text, &length) == 0 && !memcmp (text, "abc", 3));
    length = 2;
    FAILS (EINVAL, zmq_ctx_get_ext (own, ZMQ_THREAD_NAME_PREFIX, text, &length));

    /* The end of the context is told before anything else that is wrong. */
    socket = zmq_socket (own, ZMQ_PAIR);
    CHECK (socket && zmq_ctx_shutdown (own) == 0);
    CHECK (zmq_socket (own, 99) == NULL && errno == ETERM);
    FAILS (ETERM, zmq_bind (socket, NULL));
    FAILS (ETERM, zmq_connect (socket, "nonsense"));
    FAILS (ETERM, zmq_socket_monitor (socket, NULL, 0));
    FAILS (ETERM, zmq_setsockopt (socket, ZMQ_USE_FD, &length, 4));
    CHECK (zmq_close (socket) == 0 && zmq_ctx_term (own) == 0);
}

static void endpoints (void)
{
    char bound[256], named[300];
    size_t length = sizeof bound;
    void *socket = make (context, ZMQ_PAIR);
    FAILS (EINVAL, zmq_unbind (socket, NULL));
    FAILS (EINVAL, zmq_unbind (socket, "nonsense"));
    FAILS (EINVAL, zmq_disconnect (socket, "tcp://"));
    FAILS (EPROTONOSUPPORT, zmq_disconnect (socket, "foo://bar"));
    FAILS (ENOENT, zmq_disconnect (socket, "inproc://nowhere"));

    /* An endpoint ends by the name that it was asked for with, whatever it is called. */
    CHECK (zmq_close (socket) == 0);
    static const char *const spelled[] = {"tcp://127.0.0.1:05555", "tcp://[0:0::1]:5555", "tcp://127.0.0.1:0;127.0.0.1:1"};
    socket = make (context, ZMQ_DEALER);
    for (size_t n = 0; n < sizeof spelled / sizeof *spelled; ++n) {
        CHECK (zmq_connect (socket, spelled[n]) == 0 && zmq_disconnect (socket, spelled[n]) == 0);
        FAILS (ENOENT, zmq_disconnect (socket, spelled[n]));
    }
    CHECK (zmq_bind (socket, "tcp://127.0.0.1:*") == 0);
    CHECK (zmq_getsockopt (socket, ZMQ_LAST_ENDPOINT, bound, &length) == 0 && zmq_unbind (socket, bound) == 0);
    snprintf (named, sizeof named, "tcp://localhost:%s", strrchr (bound, ':') + 1);
    CHECK (zmq_bind (socket, named) == 0 && zmq_unbind (socket, named) == 0);
    FAILS (ENOENT, zmq_unbind (socket, named));
    CHECK (zmq_close (socket) == 0);
}

/* A bind that fails is told to a monitor, too. (libzmq's errno is then what telling it has left there.) */
static void failures (void)
{
    unsigned char event[6];
    char bound[256];
    size_t length = sizeof bound;
    void *one = make (context, ZMQ_PAIR), *other = make (context, ZMQ_PAIR), *monitor = make (context, ZMQ_PAIR);
    CHECK (zmq_bind (one, "tcp://127.0.0.1:*") == 0);
    CHECK (zmq_getsockopt (one, ZMQ_LAST_ENDPOINT, bound, &length) == 0);
    CHECK (zmq_socket_monitor (other, "inproc://failures", ZMQ_EVENT_BIND_FAILED) == 0);
    CHECK (zmq_connect (monitor, "inproc://failures") == 0);
    FAILS (EADDRINUSE, zmq_bind (other, bound));
    CHECK (zmq_recv (monitor, event, sizeof event, 0) == sizeof event);
    uint16_t kind;
    uint32_t value;
    memcpy (&kind, event, sizeof kind);
    memcpy (&value, event + sizeof kind, sizeof value);
    CHECK (kind == ZMQ_EVENT_BIND_FAILED && value == EADDRINUSE);
    CHECK (zmq_recv (monitor, bound, sizeof bound, 0) > 0);
    CHECK (zmq_close (one) == 0 && zmq_close (other) == 0 && zmq_close (monitor) == 0);
}

/* Names that begin with a zero byte, such as numbers in network byte order, are names. */
static void numbered (void)
{
    static const char name[] = {0, 0, 0, 5};
    char text[256];
    void *router = make (context, ZMQ_ROUTER), *dealer = make (context, ZMQ_DEALER);
    CHECK (zmq_setsockopt (dealer, ZMQ_ROUTING_ID, name, sizeof name) == 0);
    size_t length = sizeof text;
    CHECK (zmq_getsockopt (dealer, ZMQ_ROUTING_ID, text, &length) == 0 && length == 4 && !memcmp (text, name, 4));
    CHECK (zmq_setsockopt (router, ZMQ_CONNECT_ROUTING_ID, name, sizeof name) == 0);
    memset (text, 0, sizeof text);
    FAILS (EINVAL, zmq_setsockopt (dealer, ZMQ_ROUTING_ID, text, 256));
    join (router, dealer, text);
    CHECK (zmq_send (dealer, "x", 1, 0) == 1);
    CHECK (zmq_recv (router, text, sizeof text, 0) == 4 && !memcmp (text, name, 4));
    CHECK (zmq_recv (router, text, sizeof text, 0) == 1);
    CHECK (zmq_send (router, name, 4, ZMQ_SNDMORE) == 4 && zmq_send (router, "y", 1, 0) == 1);
    CHECK (zmq_recv (dealer, text, sizeof text, 0) == 1 && *text == 'y');
    CHECK (zmq_close (router) == 0 && zmq_close (dealer) == 0);
}

static void parts (void *one, void *other)
{
    char text[8];
    struct iovec sent[] = {{"a", 1}, {"bb", 2}, {"ccc", 3}}, received[4];
    size_t count = 4;

    FAILS (ENOTSOCK, zmq_send (NULL, NULL, 5, 0));
    FAILS (ENOTSOCK, zmq_send_const (NULL, NULL, 5, 0));

    /* Without ZMQ_SNDMORE each buffer is a message. */
    CHECK (zmq_sendiov (one, sent, 3, 0) == 3);
    for (int n = 1; n <= 3; ++n)
        CHECK (zmq_recv (other, text, sizeof text, 0) == n && number (other, ZMQ_RCVMORE) == 0);
    CHECK (zmq_sendiov (one, sent, 3, ZMQ_SNDMORE) == 3);
    for (int n = 1; n <= 3; ++n)
        CHECK (zmq_recv (other, text, sizeof text, 0) == n && number (other, ZMQ_RCVMORE) == (n < 3));

    FAILS (EAGAIN, zmq_recviov (other, received, &count, ZMQ_DONTWAIT));
    CHECK (count == 0);
}

static void ready (void *one, void *other)
{
    int pair[2], ends[2];
    zmq_poller_event_t event;
    void *poller = zmq_poller_new ();
    zmq_pollitem_t items[] = {{other, 0, ZMQ_POLLIN, 7}, {NULL, 0, 0, 7}};
    CHECK (zmq_send (one, "x", 1, 0) == 1 && zmq_poll (items, 1, -1) == 1 && items[0].revents == ZMQ_POLLIN);

    /* What is wrong with a descriptor is told although nothing is asked for, but by a poller. */
    CHECK (socketpair (AF_UNIX, SOCK_STREAM, 0, pair) == 0 && close (pair[1]) == 0);
    items[1].fd = pair[0];
    CHECK (zmq_poll (items + 1, 1, -1) == 1 && items[1].revents == ZMQ_POLLERR);
    CHECK (zmq_poller_add_fd (poller, pair[0], NULL, 0) == 0);
    FAILS (EFAULT, zmq_poller_wait (poller, &event, -1));
    FAILS (EAGAIN, zmq_poller_wait (poller, &event, 0));
    memset (&event, 7, sizeof event);
    FAILS (EFAULT, zmq_poller_wait (NULL, &event, 0));
    CHECK (event.socket == NULL && event.fd == -1 && event.events == 0);
    CHECK (zmq_poller_destroy (&poller) == 0);

    /* After a wait that failed nothing is ready. */
    CHECK (pipe (ends) == 0);
    items[1].events = ZMQ_POLLIN;
    items[1].fd = ends[0];
    items[1].revents = 7;
    items[0].socket = zmq_socket (context, ZMQ_PAIR);
    items[0].revents = 7;
    alarm (1);
    FAILS (EINTR, zmq_poll (items, 2, -1));
    CHECK (items[0].revents == 0 && items[1].revents == 0);
    begin_limit ();
    CHECK (zmq_close (items[0].socket) == 0);
    for (int n = 0; n < 2; ++n)
        CHECK (close (ends[n]) == 0);
    CHECK (close (pair[0]) == 0);
}

static int freed;

static void count_free (void *data, void *hint)
{
    (void) data;
    (void) hint;
    ++freed;
}

static void messages (void)
{
    static char data[1];
    zmq_msg_t message;
    CHECK (zmq_msg_init (&message) == 0);
    FAILS (EINVAL, zmq_msg_get (&message, ZMQ_SRCFD));
    CHECK (zmq_msg_close (&message) == 0);
    CHECK (zmq_msg_init_data (&message, data, 0, count_free, NULL) == 0);
    CHECK (zmq_msg_data (&message) == data && zmq_msg_size (&message) == 0);
    CHECK (zmq_msg_close (&message) == 0 && freed == 1);
}

/* A thread has the stack that the system gives to threads, takes no signals, and may end as it likes. */
static void thread (void *argument)
{
    pthread_attr_t usual, own;
    size_t wanted = 0, given = 0;
    sigset_t blocked;
    CHECK (pthread_attr_init (&usual) == 0 && pthread_attr_getstacksize (&usual, &wanted) == 0);
    CHECK (pthread_getattr_np (pthread_self (), &own) == 0 && pthread_attr_getstacksize (&own, &given) == 0);
    /* The guard may be taken off it. */
    CHECK (given + (64 << 10) >= wanted);
    pthread_attr_destroy (&usual);
    pthread_attr_destroy (&own);
    CHECK (pthread_sigmask (SIG_BLOCK, NULL, &blocked) == 0 && sigismember (&blocked, SIGUSR1) == 1);
    *(int *) argument = 1;
    pthread_exit (NULL);
}

static void nothing (int signal)
{
    (void) signal;
}

int main (void)
{
    int ran = 0;
    sigset_t blocked;
    void *one, *other, *started;
    context = zmq_ctx_new ();
    one = make (context, ZMQ_PAIR);
    other = make (context, ZMQ_PAIR);
    CHECK (zmq_bind (one, "inproc://edges") == 0 && zmq_connect (other, "inproc://edges") == 0);
    contexts ();
    endpoints ();
    failures ();
    numbered ();
    parts (one, other);
    messages ();
    struct sigaction action = {.sa_handler = nothing};
    CHECK (sigaction (SIGALRM, &action, NULL) == 0);
    ready (one, other);
    started = zmq_threadstart (thread, &ran);
    CHECK (started);
    zmq_threadclose (started);
    CHECK (ran == 1 && pthread_sigmask (SIG_BLOCK, NULL, &blocked) == 0 && sigismember (&blocked, SIGUSR1) == 0);
    CHECK (zmq_close (one) == 0 && zmq_close (other) == 0 && zmq_ctx_term (context) == 0);
    puts ("well");
    return 0;
}
