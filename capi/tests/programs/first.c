/* REQ and REP, multipart, poll, options, errors, messages: over tcp, with the header alone. */
#include "check.h"

#include <stdlib.h>
#include <string.h>

static int freed;

static void count (void *data, void *hint)
{
    free (data);
    freed += *(int *) hint;
}

static void messages (void)
{
    zmq_msg_t one, two;
    int hint = 1;
    char *data = (char *) malloc (100);
    CHECK (sizeof (zmq_msg_t) == 64);
    memset (data, 'x', 100);
    memset (&one, 0xa5, sizeof one);
    CHECK (zmq_msg_close (&one) == -1 && errno == EFAULT);
    CHECK (zmq_msg_init_data (&one, data, 100, count, &hint) == 0);
    CHECK (zmq_msg_data (&one) == data && zmq_msg_size (&one) == 100);
    CHECK (zmq_msg_init (&two) == 0);
    CHECK (zmq_msg_copy (&two, &one) == 0);
    CHECK (zmq_msg_get (&one, ZMQ_SHARED) == 1 && zmq_msg_data (&two) == data);
    CHECK (zmq_msg_close (&one) == 0 && freed == 0);
    CHECK (zmq_msg_close (&one) == -1 && errno == EFAULT);
    CHECK (zmq_msg_close (&two) == 0 && freed == 1);
    CHECK (zmq_msg_init_size (&one, (size_t) -1) == -1 && errno == ENOMEM);
    CHECK (zmq_msg_init_size (&one, 1000) == 0);
    memset (zmq_msg_data (&one), 'y', 1000);
    data = (char *) zmq_msg_data (&one);
    CHECK (zmq_msg_init (&two) == 0);
    CHECK (zmq_msg_move (&two, &one) == 0);
    CHECK (zmq_msg_size (&one) == 0 && zmq_msg_size (&two) == 1000 && zmq_msg_data (&two) == data);
    CHECK (zmq_msg_close (&one) == 0 && zmq_msg_close (&two) == 0);
}

static void handles (void *context, void *closed)
{
    int local;
    CHECK (zmq_close (NULL) == -1 && errno == ENOTSOCK);
    CHECK (zmq_close (&local) == -1 && errno == ENOTSOCK);
    CHECK (zmq_close (closed) == -1 && errno == ENOTSOCK);
    CHECK (zmq_send (closed, "x", 1, 0) == -1 && errno == ENOTSOCK);
    CHECK (zmq_socket (NULL, ZMQ_PAIR) == NULL && errno == EFAULT);
    CHECK (zmq_socket (context, 99) == NULL && errno == EINVAL);
    CHECK (zmq_ctx_term (&local) == -1 && errno == EFAULT);
    CHECK (zmq_poll (NULL, 1, 0) == -1 && errno == EFAULT);
    CHECK (zmq_poll (NULL, -1, 0) == -1 && errno == EINVAL);
}

int main (void)
{
    int major, minor, patch, value;
    size_t size;
    char endpoint[256], buffer[8];
    zmq_msg_t msg;
    zmq_version (&major, &minor, &patch);
    CHECK (ZMQ_MAKE_VERSION (major, minor, patch) == ZMQ_VERSION);
    messages ();

    void *context = zmq_ctx_new ();
    CHECK (context);
    void *rep = zmq_socket (context, ZMQ_REP);
    void *req = zmq_socket (context, ZMQ_REQ);
    CHECK (rep && req);
    value = -1;
    size = sizeof value;
    CHECK (zmq_getsockopt (req, ZMQ_LINGER, &value, &size) == 0 && value == -1);
    CHECK (zmq_setsockopt (req, ZMQ_LINGER, &value, 3) == -1 && errno == EINVAL);
    CHECK (zmq_bind (rep, "tcp://127.0.0.1:*") == 0);
    size = sizeof endpoint;
    CHECK (zmq_getsockopt (rep, ZMQ_LAST_ENDPOINT, endpoint, &size) == 0);
    CHECK (size == strlen (endpoint) + 1);
    CHECK (zmq_connect (req, endpoint) == 0);
    CHECK (zmq_connect (req, "nonsense") == -1 && errno == EINVAL);
    CHECK (zmq_connect (req, "foo://bar") == -1 && errno == EPROTONOSUPPORT);
    CHECK (zmq_unbind (rep, "tcp://127.0.0.1:1") == -1 && errno == ENOENT);

    CHECK (zmq_recv (req, buffer, sizeof buffer, 0) == -1 && errno == EFSM);
    CHECK (zmq_send (rep, "x", 1, 0) == -1 && errno == EFSM);
    CHECK (zmq_recv (rep, buffer, sizeof buffer, ZMQ_DONTWAIT) == -1 && errno == EAGAIN);

    CHECK (zmq_send (req, "a question", 10, ZMQ_SNDMORE) == 10);
    CHECK (zmq_send (req, "of two parts", 12, 0) == 12);
    zmq_pollitem_t items[] = {{rep, 0, ZMQ_POLLIN | ZMQ_POLLOUT, 0}, {req, 0, ZMQ_POLLOUT, 0}};
    CHECK (zmq_poll (items, 2, 10000) == 1);
    CHECK (items[0].revents == ZMQ_POLLIN && items[1].revents == 0);
    CHECK (zmq_recv (rep, buffer, sizeof buffer, 0) == 10);
    CHECK (memcmp (buffer, "a questi", 8) == 0);
    size = sizeof value;
    CHECK (zmq_getsockopt (rep, ZMQ_RCVMORE, &value, &size) == 0 && value == 1);
    CHECK (zmq_send (rep, "too early", 9, 0) == -1 && errno == EFSM);
    CHECK (zmq_msg_init (&msg) == 0);
    CHECK (zmq_msg_recv (&msg, rep, 0) == 12 && !zmq_msg_more (&msg));
    CHECK (strcmp (zmq_msg_gets (&msg, "Socket-Type"), "REQ") == 0);
    CHECK (strcmp (zmq_msg_gets (&msg, "Peer-Address"), "127.0.0.1") == 0);
    CHECK (zmq_msg_gets (&msg, "Nothing") == NULL && errno == EINVAL);
    CHECK (zmq_msg_send (&msg, rep, 0) == 12 && zmq_msg_size (&msg) == 0);
    CHECK (zmq_msg_close (&msg) == 0);
    CHECK (zmq_recv (req, buffer, sizeof buffer, 0) == 12);

    CHECK (zmq_close (req) == 0);
    handles (context, req);
    CHECK (zmq_ctx_shutdown (context) == 0);
    CHECK (zmq_recv (rep, buffer, sizeof buffer, 0) == -1 && errno == ETERM);
    CHECK (zmq_socket (context, ZMQ_REP) == NULL && errno == ETERM);
    CHECK (zmq_close (rep) == 0);
    CHECK (zmq_ctx_term (context) == 0);
    puts ("well");
    return 0;
}
