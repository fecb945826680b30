/* A signal ends whatever call waits, with EINTR: recv, send, poll with and without descriptors, poller_wait, ctx_term. Nothing
   else ends a wait before its time. */
#define _GNU_SOURCE
#define ZMQ_BUILD_DRAFT_API
#include "check.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static void *context, *pull, *push;

/* What the limit of time uses, too: so it is counted here. */
static void handle (int number)
{
    static volatile sig_atomic_t count;
    count = count + 1;
    if (count > LIMIT * 50)
        out_of_time (number);
}

/* Signals come again and again, so that one which comes before a call waits is followed by another. */
static void start (void)
{
    struct itimerval often = {{0, 20000}, {0, 20000}};
    struct sigaction action;
    memset (&action, 0, sizeof action);
    action.sa_handler = handle;
    CHECK (sigaction (SIGALRM, &action, NULL) == 0);
    CHECK (setitimer (ITIMER_REAL, &often, NULL) == 0);
}

static void stop (void)
{
    struct itimerval never = {{0, 0}, {0, 0}};
    sigset_t own;
    CHECK (setitimer (ITIMER_REAL, &never, NULL) == 0);
    /* One that is pending comes now, and is not taken for the limit's. */
    sigemptyset (&own);
    sigaddset (&own, SIGALRM);
    CHECK (pthread_sigmask (SIG_UNBLOCK, &own, NULL) == 0);
    begin_limit ();
}

static double milliseconds (void)
{
    struct timespec now;
    CHECK (clock_gettime (CLOCK_MONOTONIC, &now) == 0);
    return (double) now.tv_sec * 1e3 + (double) now.tv_nsec / 1e6;
}

/* Signals come each 20 ms: a wait of 15 ms often ends by itself, one of 40 ms almost never. */
static void a_wait_comes_back_empty_only_when_its_time_is_over (zmq_pollitem_t *items, void *poller)
{
    const long limits[] = {15, 40};
    int empty = 0, interrupted = 0;
    for (int round = 0; empty < 10 || interrupted < 10; ++round) {
        long limit = limits[round % 2];
        zmq_poller_event_t event;
        double start = milliseconds ();
        int found = round % 3 < 2 ? zmq_poll (items, 1 + round % 3, limit) : zmq_poller_wait (poller, &event, limit);
        int why = errno;
        double passed = milliseconds () - start;
        if (found == -1 && why == EINTR) {
            ++interrupted;
            continue;
        }
        CHECK (round % 3 < 2 ? found == 0 : found == -1 && why == EAGAIN);
        CHECK (passed >= (double) limit);
        ++empty;
    }
}

static void *calls (void *unused)
{
    char buffer[8];
    int pipes[2];
    zmq_msg_t msg;
    zmq_poller_event_t event;
    void *poller = zmq_poller_new ();
    (void) unused;
    CHECK (pipe (pipes) == 0);
    CHECK (zmq_poller_add (poller, pull, NULL, ZMQ_POLLIN) == 0);
    zmq_pollitem_t items[] = {{pull, 0, ZMQ_POLLIN, 0}, {NULL, pipes[0], ZMQ_POLLIN, 0}};
    CHECK (zmq_msg_init_size (&msg, 100) == 0);
    void *data = zmq_msg_data (&msg);
    for (int round = 0; round < 3; ++round) {
        CHECK (zmq_recv (pull, buffer, sizeof buffer, 0) == -1 && errno == EINTR);
        CHECK (zmq_send (push, "x", 1, 0) == -1 && errno == EINTR);
        CHECK (zmq_msg_send (&msg, push, 0) == -1 && errno == EINTR);
        CHECK (zmq_msg_data (&msg) == data && zmq_msg_size (&msg) == 100);
        CHECK (zmq_poll (items, 1, -1) == -1 && errno == EINTR);
        CHECK (zmq_poll (items, 2, -1) == -1 && errno == EINTR);
        CHECK (zmq_poller_wait (poller, &event, -1) == -1 && errno == EINTR);
    }
    a_wait_comes_back_empty_only_when_its_time_is_over (items, poller);
    CHECK (zmq_msg_close (&msg) == 0);
    CHECK (zmq_poller_destroy (&poller) == 0);
    CHECK (zmq_ctx_term (context) == -1 && errno == EINTR);
    return NULL;
}

int main (void)
{
    sigset_t own;
    pthread_t thread;
    context = zmq_ctx_new ();
    pull = zmq_socket (context, ZMQ_PULL);
    push = zmq_socket (context, ZMQ_PUSH);
    /* A bound socket has I/O threads, which must leave the signals alone. */
    CHECK (zmq_bind (pull, "tcp://127.0.0.1:*") == 0);
    CHECK (zmq_bind (push, "tcp://127.0.0.1:*") == 0);
    CHECK (pthread_create (&thread, NULL, calls, NULL) == 0);
    /* Only that thread takes them now. */
    sigemptyset (&own);
    sigaddset (&own, SIGALRM);
    CHECK (pthread_sigmask (SIG_BLOCK, &own, NULL) == 0);
    start ();
    CHECK (pthread_join (thread, NULL) == 0);
    stop ();
    CHECK (zmq_close (pull) == 0 && zmq_close (push) == 0);
    CHECK (zmq_ctx_term (context) == 0);
    puts ("well");
    return 0;
}
