/* A child of fork closes and terminates what it inherits, and uses a context of its own, while the parent's threads send
   and receive: it never waits for a lock that one of them held, and they lose nothing. */
#define _GNU_SOURCE
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

static void *context, *push, *pull, *stop;

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

static void child (void)
{
    char buffer[8];
    begin_limit ();
    CHECK (zmq_close (push) == 0 && zmq_close (pull) == 0);
    CHECK (zmq_ctx_term (context) == 0);
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
    pthread_t sender, receiver;
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
    CHECK (pthread_create (&sender, NULL, sends, NULL) == 0);
    CHECK (pthread_create (&receiver, NULL, receives, NULL) == 0);
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
    CHECK (zmq_close (push) == 0 && zmq_close (pull) == 0);
    CHECK (zmq_ctx_term (context) == 0);
    zmq_atomic_counter_destroy (&stop);
    puts ("well");
    return 0;
}
