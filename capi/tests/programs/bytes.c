/* Texts of options are bytes: libzmq asks of none that it is UTF-8 or without NULs. */
#define ZMQ_BUILD_DRAFT_API
#include "check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

static void *context;

static const char name[] = "\xff\xc3(\0ann", password[] = "\xfepass\0", domain[] = "lab\xed\xa0\x80\0";
#define SIZE(text) (sizeof (text) - 1)

static void set (void *socket, int option, const char *text, size_t size)
{
    CHECK (zmq_setsockopt (socket, option, text, size) == 0);
}

static void what_is_set_is_read_back (void)
{
    const int options[] = {ZMQ_PLAIN_USERNAME, ZMQ_PLAIN_PASSWORD, ZMQ_ZAP_DOMAIN,
                           ZMQ_SOCKS_USERNAME, ZMQ_SOCKS_PASSWORD, ZMQ_SOCKS_PROXY};
    for (int n = 0; n < 6; ++n) {
        char longest[256], read[300];
        void *socket = make (context, ZMQ_DEALER);
        size_t size = sizeof read;
        set (socket, options[n], name, SIZE (name));
        CHECK (zmq_getsockopt (socket, options[n], read, &size) == 0);
        CHECK (size == sizeof name && memcmp (read, name, sizeof name) == 0);
        memset (longest, 0xff, sizeof longest);
        set (socket, options[n], longest, 255);
        size = sizeof read;
        CHECK (zmq_getsockopt (socket, options[n], read, &size) == 0);
        CHECK (size == 256 && memcmp (read, longest, 255) == 0 && read[255] == 0);
        if (options[n] == ZMQ_SOCKS_PROXY)
            set (socket, options[n], longest, 256);
        else
            FAILS (EINVAL, zmq_setsockopt (socket, options[n], longest, 256));
        if (options[n] == ZMQ_SOCKS_USERNAME || options[n] == ZMQ_SOCKS_PASSWORD)
            set (socket, options[n], longest, 0);
        else
            FAILS (EINVAL, zmq_setsockopt (socket, options[n], longest, 0));
        CHECK (zmq_close (socket) == 0);
    }
}

static void metadata_is_a_name_and_a_value_of_any_bytes (void)
{
    const char *wrong[] = {"", "X-Key", "X-Key:", ":value", "Key:value", "x-Key:value", "X-a:"};
    void *socket = make (context, ZMQ_DEALER);
    for (int n = 0; n < 7; ++n)
        FAILS (EINVAL, zmq_setsockopt (socket, ZMQ_METADATA, wrong[n], strlen (wrong[n])));
    set (socket, ZMQ_METADATA, "X-Key:\xff:\0", 9);
    CHECK (zmq_close (socket) == 0);
}

static void part (void *socket, const void *bytes, size_t size, int more)
{
    CHECK (zmq_send (socket, bytes, size, more ? ZMQ_SNDMORE : 0) == (int) size);
}

/* Lets one peer in that shows the name and the password in the domain. */
static void *handler (void *zap)
{
    char frames[8][256];
    int sizes[8], more = 1, count = 0;
    for (size_t size = sizeof more; more; ++count) {
        CHECK (count < 8);
        sizes[count] = zmq_recv (zap, frames[count], sizeof frames[count], 0);
        CHECK (zmq_getsockopt (zap, ZMQ_RCVMORE, &more, &size) == 0);
    }
    CHECK (count == 8);
    CHECK (sizes[2] == SIZE (domain) && memcmp (frames[2], domain, SIZE (domain)) == 0);
    CHECK (sizes[6] == SIZE (name) && memcmp (frames[6], name, SIZE (name)) == 0);
    CHECK (sizes[7] == SIZE (password) && memcmp (frames[7], password, SIZE (password)) == 0);
    part (zap, "1.0", 3, 1);
    part (zap, frames[1], (size_t) sizes[1], 1);
    part (zap, "200", 3, 1);
    part (zap, "OK", 2, 1);
    part (zap, "user", 4, 1);
    part (zap, "", 0, 0);
    return NULL;
}

static void a_zap_handler_sees_the_bytes_and_so_does_the_peer (void)
{
    pthread_t thread;
    zmq_msg_t message;
    char endpoint[256];
    int on = 1;
    void *zap = make (context, ZMQ_REP), *server = make (context, ZMQ_PULL), *peer = make (context, ZMQ_PUSH);
    CHECK (zmq_bind (zap, "inproc://zeromq.zap.01") == 0);
    CHECK (pthread_create (&thread, NULL, handler, zap) == 0);
    CHECK (zmq_setsockopt (server, ZMQ_PLAIN_SERVER, &on, sizeof on) == 0);
    set (server, ZMQ_ZAP_DOMAIN, domain, SIZE (domain));
    set (peer, ZMQ_PLAIN_USERNAME, name, SIZE (name));
    set (peer, ZMQ_PLAIN_PASSWORD, password, SIZE (password));
    set (peer, ZMQ_METADATA, "X-Key:\xff\xfe:v", 10);
    join (server, peer, endpoint);
    CHECK (zmq_send (peer, "x", 1, 0) == 1);
    CHECK (zmq_msg_init (&message) == 0);
    CHECK (zmq_msg_recv (&message, server, 0) == 1);
    CHECK (strcmp (zmq_msg_gets (&message, "User-Id"), "user") == 0);
    CHECK (strcmp (zmq_msg_gets (&message, "X-Key"), "\xff\xfe:v") == 0);
    CHECK (zmq_msg_close (&message) == 0);
    CHECK (pthread_join (thread, NULL) == 0);
    CHECK (zmq_close (peer) == 0);
    CHECK (zmq_close (server) == 0);
    CHECK (zmq_close (zap) == 0);
}

static void expect (int connection, const void *bytes, size_t size)
{
    char read[256];
    CHECK (recv (connection, read, size, MSG_WAITALL) == (ssize_t) size);
    CHECK (memcmp (read, bytes, size) == 0);
}

static void a_proxy_sees_the_bytes (void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    char text[64], methods[2 + 255];
    const unsigned char lengths[] = {1, SIZE (name), SIZE (password)};
    void *own = zmq_ctx_new (), *peer = make (own, ZMQ_PUSH);
    int listener = socket (AF_INET, SOCK_STREAM, 0), connection;
    CHECK (bind (listener, (struct sockaddr *) &address, size) == 0);
    CHECK (listen (listener, 1) == 0);
    CHECK (getsockname (listener, (struct sockaddr *) &address, &size) == 0);
    snprintf (text, sizeof text, "127.0.0.1:%d", ntohs (address.sin_port));
    set (peer, ZMQ_SOCKS_PROXY, text, strlen (text));
    set (peer, ZMQ_SOCKS_USERNAME, name, SIZE (name));
    set (peer, ZMQ_SOCKS_PASSWORD, password, SIZE (password));
    CHECK (zmq_connect (peer, "tcp://127.0.0.1:9") == 0);
    connection = accept (listener, NULL, NULL);
    CHECK (connection >= 0);
    CHECK (recv (connection, methods, 2, MSG_WAITALL) == 2);
    CHECK (recv (connection, methods + 2, (size_t) methods[1], MSG_WAITALL) == methods[1]);
    CHECK (send (connection, "\5\2", 2, 0) == 2);
    expect (connection, lengths, 2);
    expect (connection, name, SIZE (name));
    expect (connection, lengths + 2, 1);
    expect (connection, password, SIZE (password));
    CHECK (zmq_close (peer) == 0);
    /* libzmq aborts if the proxy is gone by then. */
    CHECK (zmq_ctx_term (own) == 0);
    CHECK (close (connection) == 0);
    CHECK (close (listener) == 0);
}

int main (void)
{
    context = zmq_ctx_new ();
    what_is_set_is_read_back ();
    metadata_is_a_name_and_a_value_of_any_bytes ();
    a_zap_handler_sees_the_bytes_and_so_does_the_peer ();
    a_proxy_sees_the_bytes ();
    CHECK (zmq_ctx_term (context) == 0);
    puts ("well");
    return 0;
}
