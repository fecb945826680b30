/* A child of fork closes and terminates what it inherits, is refused all else, and uses a context of its own, while the
   parent's threads send and receive, make handles and close them: it never waits for a lock that one of them held, and they
   lose nothing. */
#define _GNU_SOURCE
#define ZMQ_BUILD_DRAFT_API
#include "check.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A child must not run what the parent has registered for its exit. */
#undef CHECK
#define CHECK(condition) CHECK_OR (_exit, condition)

enum { CHILDREN = 20, END = -1 };

static void *context, *push, *pull, *stop, *poller, *timers;

static void *sends (void *unused)
{
    int n = 0, end = END;
    (void) unused;
    while (!zmq_atomic_counter_value (stop)) {
        CHECK (zmq_send (push, &n, sizeof n, 0) == sizeof n);
        ++n;
    }
    CHECK (zmq_send (push, &end, sizeof end, 0) == sizeof end);
    return NULL;
}

static void *receives (void *unused)
{
    int n, expected = 0;
    (void) unused;
    for (;;) {
        CHECK (zmq_recv (pull, &n, sizeof n, 0) == sizeof n);
        if (n == END)
            return NULL;
        CHECK (n == expected);
        ++expected;
    }
}

/* Has the tables of handles changing all the time. */
static void *churns (void *unused)
{
    (void) unused;
    while (!zmq_atomic_counter_value (stop)) {
        void *short_poller = zmq_poller_new (), *short_timers = zmq_timers_new ();
        CHECK (zmq_poller_destroy (&short_poller) == 0 && zmq_timers_destroy (&short_timers) == 0);
        void *socket = zmq_socket (context, ZMQ_PAIR);
        CHECK (socket && zmq_close (socket) == 0);
    }
    return NULL;
}

static void is_due (int id, void *calls)
{
    (void) id;
    ++*(int *) calls;
}

/* What the parent made is refused, whatever its threads were doing with it. */
static void uses_what_it_inherits (void)
{
    char buffer[8], endpoint[] = "inproc://inherited";
    int value = 1, calls = 0;
    size_t length = sizeof value;
    zmq_msg_t msg;
    zmq_pollitem_t item = {pull, 0, ZMQ_POLLIN, 0};
    zmq_poller_event_t event;
    CHECK (zmq_msg_init_size (&msg, 100) == 0);
    FAILS (ETERM, zmq_send (push, "x", 1, 0));
    FAILS (ETERM, zmq_send_const (push, "x", 1, 0));
    FAILS (ETERM, zmq_msg_send (&msg, push, 0));
    FAILS (ETERM, zmq_recv (pull, buffer, sizeof buffer, 0));
    FAILS (ETERM, zmq_msg_recv (&msg, pull, 0));
    FAILS (ETERM, zmq_poll (&item, 1, -1));
    FAILS (ETERM, zmq_ppoll (&item, 1, -1, NULL));
    FAILS (ETERM, zmq_setsockopt (push, ZMQ_LINGER, &value, sizeof value));
    FAILS (ETERM, zmq_getsockopt (pull, ZMQ_EVENTS, &value, &length));
    FAILS (ETERM, zmq_bind (pull, endpoint));
    FAILS (ETERM, zmq_connect (push, endpoint));
    FAILS (ETERM, zmq_unbind (pull, endpoint));
    FAILS (ETERM, zmq_disconnect (push, endpoint));
    FAILS (ETERM, zmq_socket_monitor (pull, NULL, 0));
    FAILS (ETERM, zmq_proxy (pull, push, NULL));
    FAILS (ETERM, zmq_poller_wait (poller, &event, -1));
    FAILS (ETERM, zmq_poller_remove (poller, pull));
    CHECK (zmq_socket (context, ZMQ_PAIR) == NULL && errno == ETERM);
    FAILS (ETERM, zmq_ctx_get (context, ZMQ_IO_THREADS));
    CHECK (zmq_ctx_shutdown (context) == 0);
    /* Timers are memory, and this thread's. */
    CHECK (zmq_timers_add (timers, 0, is_due, &calls) == 1 && zmq_timers_execute (timers) == 0 && calls == 1);
    CHECK (zmq_msg_close (&msg) == 0);
}

static void child (void)
{
    char buffer[8];
    begin_limit ();
    uses_what_it_inherits ();
    void *own_poller = zmq_poller_new (), *own_timers = zmq_timers_new ();
    CHECK (own_poller && own_timers);
    FAILS (ETERM, zmq_poller_add (own_poller, pull, NULL, ZMQ_POLLIN));
    CHECK (zmq_poller_destroy (&own_poller) == 0 && zmq_timers_destroy (&own_timers) == 0);
    CHECK (zmq_poller_destroy (&poller) == 0 && zmq_timers_destroy (&timers) == 0);
    CHECK (zmq_close (push) == 0 && zmq_close (pull) == 0);
    CHECK (zmq_ctx_term (context) == 0);
    FAILS (ENOTSOCK, zmq_close (push));
    FAILS (EFAULT, zmq_ctx_term (context));
    void *own = zmq_ctx_new ();
    void *left = zmq_socket (own, ZMQ_PAIR), *right = zmq_socket (own, ZMQ_PAIR);
    char endpoint[64];
    size_t length = sizeof endpoint;
    CHECK (zmq_bind (left, "tcp://127.0.0.1:*") == 0);
    CHECK (zmq_getsockopt (left, ZMQ_LAST_ENDPOINT, endpoint, &length) == 0);
    CHECK (zmq_connect (right, endpoint) == 0);
    CHECK (zmq_send (right, "child", 5, 0) == 5);
    CHECK (zmq_recv (left, buffer, sizeof buffer, 0) == 5);
    CHECK (zmq_close (left) == 0 && zmq_close (right) == 0);
    CHECK (zmq_ctx_term (own) == 0);
    _exit (0);
}

int main (void)
{
    pthread_t sender, receiver, churner;
    char endpoint[64];
    size_t length = sizeof endpoint;
    context = zmq_ctx_new ();
    stop = zmq_atomic_counter_new ();
    push = zmq_socket (context, ZMQ_PUSH);
    pull = zmq_socket (context, ZMQ_PULL);
    CHECK (zmq_bind (pull, "tcp://127.0.0.1:*") == 0);
    CHECK (zmq_getsockopt (pull, ZMQ_LAST_ENDPOINT, endpoint, &length) == 0);
    CHECK (zmq_socket_monitor (pull, "inproc://events", ZMQ_EVENT_ALL) == 0);
    CHECK (zmq_connect (push, endpoint) == 0);
    poller = zmq_poller_new ();
    timers = zmq_timers_new ();
    CHECK (zmq_poller_add (poller, pull, NULL, ZMQ_POLLIN) == 0);
    CHECK (pthread_create (&sender, NULL, sends, NULL) == 0);
    CHECK (pthread_create (&receiver, NULL, receives, NULL) == 0);
    CHECK (pthread_create (&churner, NULL, churns, NULL) == 0);
    for (int n = 0; n < CHILDREN; ++n) {
        int status;
        pid_t pid = fork ();
        if (pid == 0)
            child ();
        CHECK (pid > 0 && waitpid (pid, &status, 0) == pid);
        if (!WIFEXITED (status) || WEXITSTATUS (status) != 0) {
            fprintf (stderr, "child %d: status %x\n", n, (unsigned) status);
            return 1;
        }
    }
    zmq_atomic_counter_inc (stop);
    CHECK (pthread_join (sender, NULL) == 0 && pthread_join (receiver, NULL) == 0);
    CHECK (pthread_join (churner, NULL) == 0);
    CHECK (zmq_poller_destroy (&poller) == 0 && zmq_timers_destroy (&timers) == 0);
    CHECK (zmq_close (push) == 0 && zmq_close (pull) == 0);
    CHECK (zmq_ctx_term (context) == 0);
    zmq_atomic_counter_destroy (&stop);
    puts ("well");
    return 0;
}
