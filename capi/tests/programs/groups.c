/* Drafts that wait or have groups: RADIO and DISH, the descriptor of a poller, zmq_ppoll and a signal that came before. */
#define _GNU_SOURCE
#define ZMQ_BUILD_DRAFT_API
#include "check.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static void *context;

static void groups (void)
{
    void *radio = make (context, ZMQ_RADIO), *dish = make (context, ZMQ_DISH), *other = make (context, ZMQ_PAIR);
    zmq_msg_t message;
    int yes = 1, received;
    join (radio, dish, (char[256]) {0});
    FAILS (EINVAL, zmq_join (dish, NULL));
    CHECK (zmq_join (dish, "weather") == 0);
    FAILS (EINVAL, zmq_join (dish, "weather"));
    FAILS (EINVAL, zmq_leave (dish, "sports"));
    FAILS (ENOTSUP, zmq_join (other, "weather"));
    FAILS (ENOTSOCK, zmq_join (NULL, "weather"));
    FAILS (EINVAL, zmq_send (radio, "two", 3, ZMQ_SNDMORE));
    CHECK (zmq_setsockopt (radio, ZMQ_XPUB_NODROP, &yes, sizeof yes) == 0);
    do {
        /* The group is heard of when it is heard of. */
        CHECK (zmq_msg_init_buffer (&message, "12 degrees", 10) == 0);
        CHECK (zmq_msg_set_group (&message, "weather") == 0);
        CHECK (zmq_msg_send (&message, radio, 0) == 10);
        CHECK (zmq_msg_init (&message) == 0);
        received = zmq_msg_recv (&message, dish, ZMQ_DONTWAIT);
        CHECK (received == 10 || errno == EAGAIN);
    } while (received < 0);
    CHECK (strcmp (zmq_msg_group (&message), "weather") == 0);
    CHECK (memcmp (zmq_msg_data (&message), "12 degrees", 10) == 0);
    CHECK (!zmq_msg_more (&message));
    CHECK (zmq_msg_close (&message) == 0);
    CHECK (zmq_leave (dish, "weather") == 0);
    CHECK (zmq_close (radio) == 0 && zmq_close (dish) == 0 && zmq_close (other) == 0);
}

static int is_readable (int fd, int limit)
{
    struct pollfd look = {fd, POLLIN, 0};
    return poll (&look, 1, limit);
}

static void descriptor (void)
{
    void *server = make (context, ZMQ_SERVER), *client = make (context, ZMQ_CLIENT), *poller = zmq_poller_new ();
    zmq_poller_event_t event;
    char body[8];
    int fd;
    join (server, client, (char[256]) {0});
    FAILS (EINVAL, zmq_poller_fd (poller, &fd));
    CHECK (zmq_poller_add (poller, server, client, ZMQ_POLLIN) == 0);
    CHECK (zmq_poller_fd (poller, &fd) == 0);
    for (int n = 0; n < 50; n++) {
        /* Nothing falls between a wait that finds nothing and the descriptor. */
        FAILS (EAGAIN, zmq_poller_wait (poller, &event, 0));
        CHECK (zmq_send (client, "hello", 5, 0) == 5);
        do
            CHECK (is_readable (fd, 20000) == 1);
        while (zmq_poller_wait (poller, &event, 0) == -1 && errno == EAGAIN);
        CHECK (event.socket == server && event.user_data == client && event.events == ZMQ_POLLIN);
        CHECK (zmq_recv (server, body, sizeof body, 0) == 5);
    }
    CHECK (zmq_poller_remove (poller, server) == 0);
    FAILS (EINVAL, zmq_poller_fd (poller, &fd));
    CHECK (zmq_poller_destroy (&poller) == 0);
    CHECK (zmq_close (server) == 0 && zmq_close (client) == 0);
}

static volatile sig_atomic_t signals;

static void count (int number)
{
    (void) number;
    signals++;
}

static void signal_before (void)
{
    void *left = make (context, ZMQ_PAIR), *right = make (context, ZMQ_PAIR);
    struct sigaction action;
    sigset_t blocked, before;
    zmq_pollitem_t item = {NULL, 0, ZMQ_POLLIN, 0};
    join (left, right, (char[256]) {0});
    item.socket = left;
    memset (&action, 0, sizeof action);
    action.sa_handler = count;
    CHECK (sigaction (SIGUSR1, &action, NULL) == 0);
    sigemptyset (&blocked);
    sigaddset (&blocked, SIGUSR1);
    CHECK (sigprocmask (SIG_BLOCK, &blocked, &before) == 0);

    CHECK (raise (SIGUSR1) == 0 && signals == 0);
    FAILS (EINTR, zmq_ppoll (&item, 1, -1, &before));
    CHECK (signals == 1);
    CHECK (zmq_ppoll (&item, 1, 10, &before) == 0);
    CHECK (zmq_send (right, "x", 1, 0) == 1);
    CHECK (zmq_ppoll (&item, 1, -1, &before) == 1 && item.revents == ZMQ_POLLIN);
    /* What is ready does not put a signal off. */
    CHECK (raise (SIGUSR1) == 0);
    FAILS (EINTR, zmq_ppoll (&item, 1, -1, &before));
    CHECK (zmq_ppoll (&item, 1, -1, &before) == 1 && signals == 2);
    FAILS (EINVAL, zmq_ppoll (&item, -1, 0, NULL));
    FAILS (EFAULT, zmq_ppoll (NULL, 1, 0, NULL));
    CHECK (zmq_close (left) == 0 && zmq_close (right) == 0);
}

int main (void)
{
    context = zmq_ctx_new ();
    CHECK (zmq_has ("draft") == 1);
    groups ();
    descriptor ();
    signal_before ();
    CHECK (zmq_ctx_term (context) == 0);
    puts ("well");
    return 0;
}
