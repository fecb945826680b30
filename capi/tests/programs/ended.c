/* When zmq_ctx_term returns, no thread and no descriptor of the context is left: what the system allows to a process of
   one thread only, it allows then. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "check.h"

/* How many entries a folder has; looking needs one descriptor more, each time the same. */
static int entries (const char *of)
{
    int count = 0;
    DIR *folder = opendir (of);
    CHECK (folder);
    while (readdir (folder))
        count++;
    closedir (folder);
    return count;
}

static void *blocked (void *socket)
{
    char byte;
    FAILS (ETERM, zmq_recv (socket, &byte, 1, 0));
    CHECK (zmq_close (socket) == 0);
    return NULL;
}

static void *terminate (void *context)
{
    CHECK (zmq_ctx_term (context) == 0);
    return NULL;
}

static void exchange (void *context, const char *endpoint, int number)
{
    char name[64], bound[256];
    size_t length = sizeof bound;
    int fd;
    size_t size = sizeof fd;
    void *pull = make (context, ZMQ_PULL), *push = make (context, ZMQ_PUSH), *monitor = make (context, ZMQ_PAIR);
    snprintf (name, sizeof name, "inproc://monitor-%d", number);
    CHECK (zmq_socket_monitor (pull, name, ZMQ_EVENT_ALL) == 0);
    CHECK (zmq_connect (monitor, name) == 0);
    CHECK (zmq_bind (pull, endpoint) == 0);
    CHECK (zmq_getsockopt (pull, ZMQ_LAST_ENDPOINT, bound, &length) == 0);
    CHECK (zmq_connect (push, bound) == 0);
    CHECK (zmq_send (push, "x", 1, 0) == 1);
    CHECK (zmq_recv (pull, name, 1, 0) == 1);
    CHECK (zmq_getsockopt (pull, ZMQ_FD, &fd, &size) == 0);
    zmq_pollitem_t item = {.socket = pull, .events = ZMQ_POLLIN};
    CHECK (zmq_poll (&item, 1, 1) == 0);
    CHECK (zmq_close (push) == 0 && zmq_close (pull) == 0 && zmq_close (monitor) == 0);
}

static void *nothing (void *none)
{
    return none;
}

int main (void)
{
    /* The thread sanitizer starts a thread of its own with a program's first, and keeps it. */
    pthread_t first;
    CHECK (pthread_create (&first, NULL, nothing, NULL) == 0 && pthread_join (first, NULL) == 0);
    int threads = entries ("/proc/self/task"), descriptors = entries ("/proc/self/fd");
    for (int round = 0; round < 100; round++) {
        void *context = zmq_ctx_new ();
        CHECK (context && zmq_ctx_set (context, ZMQ_IO_THREADS, 2) == 0);
        exchange (context, "tcp://127.0.0.1:*", 1);
        exchange (context, "ipc://*", 2);
        exchange (context, "inproc://here", 3);
        if (round % 2 == 0) {
            /* A thread that waits in a call of the context ends that wait and closes, while another terminates. */
            pthread_t receiver, terminator;
            CHECK (pthread_create (&receiver, NULL, blocked, make (context, ZMQ_PULL)) == 0);
            CHECK (pthread_create (&terminator, NULL, terminate, context) == 0);
            CHECK (pthread_join (terminator, NULL) == 0 && pthread_join (receiver, NULL) == 0);
            CHECK (entries ("/proc/self/fd") == descriptors);
        } else {
            CHECK (zmq_ctx_term (context) == 0);
            CHECK (entries ("/proc/self/task") == threads);
            CHECK (entries ("/proc/self/fd") == descriptors);
        }
    }
    puts ("well");
    return 0;
}
