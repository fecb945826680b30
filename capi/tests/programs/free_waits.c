/* A free function may wait for another thread that its message wakes, however that thread waits and on whatever thread
   the function is called. */
#include "check.h"

#include <poll.h>
#include <stdlib.h>

enum { EXCHANGES = 100 };

/* One that answers by a byte in a pipe, and how it waits for what it answers. */
struct worker {
    void *socket;
    int answers[2], never[2];
    void (*wait) (const struct worker *);
};

static void receive (const struct worker *worker)
{
    (void) worker;
}

static void poll_socket (const struct worker *worker)
{
    zmq_pollitem_t item = {worker->socket, 0, ZMQ_POLLIN, 0};
    CHECK (zmq_poll (&item, 1, -1) == 1);
}

static void poll_both (const struct worker *worker)
{
    zmq_pollitem_t items[] = {{worker->socket, 0, ZMQ_POLLIN, 0}, {NULL, worker->never[0], ZMQ_POLLIN, 0}};
    CHECK (zmq_poll (items, 2, -1) == 1);
}

static void poll_event_fd (const struct worker *worker)
{
    int events = 0;
    size_t length = sizeof events;
    struct pollfd item = {-1, POLLIN, 0};
    size_t size = sizeof item.fd;
    CHECK (zmq_getsockopt (worker->socket, ZMQ_FD, &item.fd, &size) == 0);
    for (;;) {
        CHECK (zmq_getsockopt (worker->socket, ZMQ_EVENTS, &events, &length) == 0);
        if (events & ZMQ_POLLIN)
            return;
        CHECK (poll (&item, 1, -1) == 1);
    }
}

static void work (void *arg)
{
    struct worker *worker = (struct worker *) arg;
    char request;
    for (int n = 0; n < EXCHANGES; ++n) {
        worker->wait (worker);
        CHECK (zmq_recv (worker->socket, &request, 1, 0) == 1);
        CHECK (write (worker->answers[1], &request, 1) == 1);
    }
}

/* What a free function asks, and whom. */
struct question {
    char data[4096];
    void *asker;
    int answers, done;
};

static void ask (void *data, void *hint)
{
    struct question *question = (struct question *) hint;
    char answer;
    (void) data;
    for (int n = 0; n < EXCHANGES; ++n) {
        CHECK (zmq_send (question->asker, "x", 1, 0) == 1);
        CHECK (read (question->answers, &answer, 1) == 1);
    }
    CHECK (write (question->done, "x", 1) == 1);
}

/* Nobody has subscribed: freed by the call that sends. */
static void free_here (zmq_msg_t *msg, void *sockets[2])
{
    CHECK (zmq_bind (sockets[0], "inproc://nobody") == 0);
    CHECK (zmq_msg_send (msg, sockets[0], 0) == (int) sizeof ((struct question *) NULL)->data);
}

/* Sent as soon as there is a peer: freed by the I/O thread. */
static void free_there (zmq_msg_t *msg, void *sockets[2])
{
    char endpoint[256];
    size_t length = sizeof endpoint;
    CHECK (zmq_bind (sockets[1], "tcp://127.0.0.1:*") == 0);
    CHECK (zmq_getsockopt (sockets[1], ZMQ_LAST_ENDPOINT, endpoint, &length) == 0);
    CHECK (zmq_unbind (sockets[1], endpoint) == 0);
    CHECK (zmq_connect (sockets[0], endpoint) == 0);
    CHECK (zmq_msg_send (msg, sockets[0], 0) == (int) sizeof ((struct question *) NULL)->data);
    /* libzmq frees the port some time after the call. */
    while (zmq_bind (sockets[1], endpoint) != 0)
        CHECK (errno == EADDRINUSE);
}

static void try_with (void (*wait) (const struct worker *), int there)
{
    static struct question question;
    struct worker worker = {NULL, {-1, -1}, {-1, -1}, wait};
    int done[2];
    char byte;
    zmq_msg_t msg;
    void *context = zmq_ctx_new ();
    void *sockets[] = {make (context, there ? ZMQ_PUSH : ZMQ_PUB), make (context, ZMQ_PULL)};
    CHECK (pipe (worker.answers) == 0 && pipe (worker.never) == 0 && pipe (done) == 0);
    worker.socket = zmq_socket (context, ZMQ_PULL);
    question.asker = make (context, ZMQ_PUSH);
    question.answers = worker.answers[0];
    question.done = done[1];
    CHECK (zmq_bind (worker.socket, "inproc://worker") == 0);
    CHECK (zmq_connect (question.asker, "inproc://worker") == 0);
    CHECK (zmq_msg_init_data (&msg, question.data, sizeof question.data, ask, &question) == 0);
    void *thread = zmq_threadstart (work, &worker);
    (there ? free_there : free_here) (&msg, sockets);
    CHECK (read (done[0], &byte, 1) == 1);
    zmq_threadclose (thread);
    CHECK (zmq_close (sockets[0]) == 0 && zmq_close (sockets[1]) == 0);
    CHECK (zmq_close (question.asker) == 0 && zmq_close (worker.socket) == 0);
    CHECK (zmq_ctx_term (context) == 0);
    int *pipes[] = {worker.answers, worker.never, done};
    for (int n = 0; n < 3; ++n)
        CHECK (close (pipes[n][0]) == 0 && close (pipes[n][1]) == 0);
}

int main (void)
{
    void (*ways[]) (const struct worker *) = {receive, poll_socket, poll_both, poll_event_fd};
    for (size_t way = 0; way < sizeof ways / sizeof ways[0]; ++way)
        for (int there = 0; there < 2; ++there)
            try_with (ways[way], there);
    puts ("well");
    return 0;
}
