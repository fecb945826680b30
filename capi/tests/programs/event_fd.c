/* ZMQ_FD and zmq_poller_fd, as libzmq's: always writable, signalled by each bind and connect over tcp and ipc, and of use to
   who registers them edge-triggered for both directions, as mio and tokio do. */
#define ZMQ_BUILD_DRAFT_API
#include "check.h"

#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

static void *context;

static int descriptor (void *socket)
{
    int fd;
    size_t size = sizeof fd;
    CHECK (zmq_getsockopt (socket, ZMQ_FD, &fd, &size) == 0);
    return fd;
}

static int events (void *socket)
{
    int found;
    size_t size = sizeof found;
    CHECK (zmq_getsockopt (socket, ZMQ_EVENTS, &found, &size) == 0);
    return found;
}

static int ready (int fd)
{
    struct pollfd look = {fd, POLLIN | POLLOUT, 0};
    CHECK (poll (&look, 1, 0) >= 0);
    return look.revents;
}

static void it_is_writable_and_not_readable_before_something_happens (void)
{
    void *socket = make (context, ZMQ_PULL);
    CHECK (ready (descriptor (socket)) == POLLOUT);
    CHECK (zmq_close (socket) == 0);
}

/* Opens an endpoint, and looks before the signal is taken back and after. */
static void signals (int (*open) (void *, const char *), const char *endpoint, int asked_before)
{
    void *socket = make (context, ZMQ_PULL);
    if (asked_before)
        CHECK (ready (descriptor (socket)) == POLLOUT);
    CHECK (open (socket, endpoint) == 0);
    CHECK (ready (descriptor (socket)) == (POLLIN | POLLOUT));
    CHECK (events (socket) == 0);
    CHECK (zmq_close (socket) == 0);
}

static void a_bind_or_connect_signals_whenever_the_descriptor_is_asked_for (void)
{
    for (int asked_before = 0; asked_before < 2; ++asked_before) {
        signals (zmq_bind, "tcp://127.0.0.1:*", asked_before);
        signals (zmq_bind, "ipc://*", asked_before);
        /* Nobody listens there. */
        signals (zmq_connect, "tcp://127.0.0.1:1", asked_before);
        signals (zmq_connect, "ipc://nobody", asked_before);
    }
}

/* An edge-triggered loop for both directions: sleeps until the descriptor has an event for one of `interest`. */
static void wait_for_edge (int queue, uint32_t interest)
{
    struct epoll_event event;
    do {
        CHECK (epoll_wait (queue, &event, 1, -1) == 1);
    } while (!(event.events & interest));
}

static int edges_of (int fd)
{
    struct epoll_event both = {.events = EPOLLIN | EPOLLOUT | EPOLLET};
    int queue = epoll_create1 (EPOLL_CLOEXEC);
    CHECK (queue >= 0 && epoll_ctl (queue, EPOLL_CTL_ADD, fd, &both) == 0);
    return queue;
}

/* Who wants to send waits for the writable edge. */
static void a_bound_push_learns_of_its_first_peer_by_a_writable_edge (void)
{
    char endpoint[256], buffer[8];
    void *push = make (context, ZMQ_PUSH), *pull = make (context, ZMQ_PULL);
    size_t size = sizeof endpoint;
    CHECK (zmq_bind (push, "tcp://127.0.0.1:*") == 0);
    CHECK (zmq_getsockopt (push, ZMQ_LAST_ENDPOINT, endpoint, &size) == 0);
    int queue = edges_of (descriptor (push));
    CHECK (events (push) == 0);
    CHECK (zmq_connect (pull, endpoint) == 0);
    while (!(events (push) & ZMQ_POLLOUT))
        wait_for_edge (queue, EPOLLOUT);
    CHECK (zmq_send (push, "x", 1, ZMQ_DONTWAIT) == 1);
    CHECK (zmq_recv (pull, buffer, sizeof buffer, 0) == 1);
    CHECK (close (queue) == 0 && zmq_close (push) == 0 && zmq_close (pull) == 0);
}

static void each_message_is_an_edge_for_who_reads_until_there_is_none (void)
{
    char endpoint[256], buffer[8];
    void *push = make (context, ZMQ_PUSH), *pull = make (context, ZMQ_PULL);
    join (pull, push, endpoint);
    int queue = edges_of (descriptor (pull));
    for (int round = 0; round < 100; ++round) {
        CHECK (zmq_send (push, "x", 1, 0) == 1);
        while (zmq_recv (pull, buffer, sizeof buffer, ZMQ_DONTWAIT) == -1) {
            CHECK (errno == EAGAIN);
            wait_for_edge (queue, EPOLLIN);
        }
    }
    CHECK (close (queue) == 0 && zmq_close (push) == 0 && zmq_close (pull) == 0);
}

static void a_pollers_descriptor_is_of_the_same_kind (void)
{
    char endpoint[256];
    size_t size = sizeof endpoint;
    void *server = make (context, ZMQ_SERVER), *client = make (context, ZMQ_CLIENT), *poller = zmq_poller_new ();
    zmq_poller_event_t event;
    int fd;
    CHECK (poller && zmq_bind (server, "tcp://127.0.0.1:*") == 0);
    CHECK (zmq_getsockopt (server, ZMQ_LAST_ENDPOINT, endpoint, &size) == 0);
    CHECK (zmq_poller_add (poller, client, NULL, ZMQ_POLLOUT) == 0);
    CHECK (zmq_poller_fd (poller, &fd) == 0);
    int queue = edges_of (fd);
    FAILS (EAGAIN, zmq_poller_wait (poller, &event, 0));
    CHECK (ready (fd) == POLLOUT);
    CHECK (zmq_connect (client, endpoint) == 0);
    CHECK (ready (fd) == (POLLIN | POLLOUT));
    while (zmq_poller_wait (poller, &event, 0) == -1)
        wait_for_edge (queue, EPOLLOUT);
    CHECK (event.events == ZMQ_POLLOUT);
    CHECK (zmq_poller_destroy (&poller) == 0);
    CHECK (close (queue) == 0 && zmq_close (server) == 0 && zmq_close (client) == 0);
}

int main (void)
{
    context = zmq_ctx_new ();
    it_is_writable_and_not_readable_before_something_happens ();
    a_bind_or_connect_signals_whenever_the_descriptor_is_asked_for ();
    a_bound_push_learns_of_its_first_peer_by_a_writable_edge ();
    each_message_is_an_edge_for_who_reads_until_there_is_none ();
    a_pollers_descriptor_is_of_the_same_kind ();
    CHECK (zmq_ctx_term (context) == 0);
    puts ("well");
    return 0;
}
