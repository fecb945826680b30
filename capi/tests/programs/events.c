/* The events of a monitor: for every way that bind, connect, accept, handshake, disconnect and unbind can go, over tcp and
   ipc, the whole stream - event, kind of its value, address, order - is libzmq 4.3.5's, which the table below was
   recorded from. With the argument "record" the program prints the table of the library that it runs on. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <zmq.h>

#include "check.h"

static const char *transport;
static void *context;
/* Where the case at hand binds or connects, as libzmq writes it. */
static char place[256];
/* What the monitor has told. */
static char told[4096];

static const struct {
    int number;
    const char *name;
} events[] = {{ZMQ_EVENT_CONNECTED, "connected"},
              {ZMQ_EVENT_CONNECT_DELAYED, "delayed"},
              {ZMQ_EVENT_CONNECT_RETRIED, "retried"},
              {ZMQ_EVENT_LISTENING, "listening"},
              {ZMQ_EVENT_BIND_FAILED, "bind-failed"},
              {ZMQ_EVENT_ACCEPTED, "accepted"},
              {ZMQ_EVENT_ACCEPT_FAILED, "accept-failed"},
              {ZMQ_EVENT_CLOSED, "closed"},
              {ZMQ_EVENT_CLOSE_FAILED, "close-failed"},
              {ZMQ_EVENT_DISCONNECTED, "disconnected"},
              {ZMQ_EVENT_MONITOR_STOPPED, "stopped"},
              {ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, "failed"},
              {ZMQ_EVENT_HANDSHAKE_SUCCEEDED, "succeeded"},
              {ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, "failed-protocol"},
              {ZMQ_EVENT_HANDSHAKE_FAILED_AUTH, "failed-auth"}};

static const char *name_of (int number)
{
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        if (events[i].number == number)
            return events[i].name;
    return "unknown";
}

/* A value as its kind: a descriptor, a wait, or a number that is told as it is. */
static void tell_value (int event, unsigned value)
{
    char text[64];
    int number = (int) value;
    switch (event) {
        case ZMQ_EVENT_CONNECT_RETRIED:
            snprintf (text, sizeof text, value > 0 && value < 100000 ? " ms" : " %u", value);
            break;
        case ZMQ_EVENT_BIND_FAILED:
        case ZMQ_EVENT_CONNECT_DELAYED:
        case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
        case ZMQ_EVENT_ACCEPT_FAILED:
            snprintf (text, sizeof text, " %s", number ? strerrorname_np (number) : "0");
            break;
        case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
            snprintf (text, sizeof text, " %x", (unsigned) number);
            break;
        case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
        case ZMQ_EVENT_MONITOR_STOPPED:
            snprintf (text, sizeof text, " %d", number);
            break;
        case ZMQ_EVENT_CLOSED:
            /* Of an attempt that failed the number is told by libzmq alone: it stands for nothing any more. */
            *text = 0;
            break;
        default:
            snprintf (text, sizeof text, number > 2 && number < 65536 ? " fd" : " %d", number);
    }
    strcat (told, text);
}

/* An address as what it names: the place of the case, some port of the system's, or itself. */
static void tell_address (const char *address)
{
    char text[300];
    int end = 0;
    unsigned port;
    const char *plain = strstr (place, "://");
    if (*place && strcmp (address, place) == 0)
        snprintf (text, sizeof text, " here");
    else if (plain && strcmp (address, plain + 3) == 0)
        snprintf (text, sizeof text, " here-without-scheme");
    else if (sscanf (address, "tcp://127.0.0.1:%u%n", &port, &end) == 1 && address[end] == 0)
        snprintf (text, sizeof text, " tcp:any");
    else if (strncmp (address, "ipc://", 6) == 0)
        snprintf (text, sizeof text, " ipc:%s", strchr (address, '/') ? "other" : "");
    else
        snprintf (text, sizeof text, " '%s'", address);
    strcat (told, text);
}

/* Takes the next event; returns its number. */
static int take (void *monitor)
{
    char address[300];
    unsigned char first[6];
    unsigned short event;
    unsigned value;
    if (zmq_recv (monitor, first, sizeof first, 0) != 6) {
        fprintf (stderr, "nothing more after: %s\n", told);
        exit (1);
    }
    memcpy (&event, first, 2);
    memcpy (&value, first + 2, 4);
    int size = zmq_recv (monitor, address, sizeof address - 1, 0);
    CHECK (size >= 0);
    address[size] = 0;
    if (*told)
        strcat (told, ", ");
    strcat (told, name_of (event));
    tell_value (event, value);
    if (event != ZMQ_EVENT_MONITOR_STOPPED)
        tell_address (address);
    return event;
}

/* Takes events until one of this kind has come. */
static void until (void *monitor, int event)
{
    while (take (monitor) != event)
        ;
}

static void set (void *socket, int option, int value)
{
    CHECK (zmq_setsockopt (socket, option, &value, sizeof value) == 0);
}

/* A socket that waits long before it connects again. */
static void *patient (int type)
{
    void *socket = make (context, type);
    set (socket, ZMQ_RECONNECT_IVL, 50000);
    return socket;
}

/* Monitors a socket. */
static void *watch (void *socket)
{
    static int count;
    char name[64];
    snprintf (name, sizeof name, "inproc://monitor-%d", count++);
    CHECK (zmq_socket_monitor (socket, name, ZMQ_EVENT_ALL) == 0);
    void *monitor = make (context, ZMQ_PAIR);
    CHECK (zmq_connect (monitor, name) == 0);
    return monitor;
}

/* Closes a monitored socket and takes what is left. */
static void finish (void *socket, void *monitor)
{
    CHECK (zmq_close (socket) == 0);
    until (monitor, ZMQ_EVENT_MONITOR_STOPPED);
    CHECK (zmq_close (monitor) == 0);
}

static int is_tcp (void)
{
    return strcmp (transport, "tcp") == 0;
}

/* Binds to a place of the system's choice. */
static void bind_here (void *socket)
{
    size_t size = sizeof place;
    CHECK (zmq_bind (socket, is_tcp () ? "tcp://127.0.0.1:*" : "ipc://*") == 0);
    CHECK (zmq_getsockopt (socket, ZMQ_LAST_ENDPOINT, place, &size) == 0);
}

/* A socket of the system, connected to the place or listening there. */
static int raw (int listens)
{
    int fd = socket (is_tcp () ? AF_INET : AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    in.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
    socklen_t size = is_tcp () ? sizeof in : sizeof un;
    struct sockaddr *address = is_tcp () ? (struct sockaddr *) &in : (struct sockaddr *) &un;
    CHECK (fd >= 0);
    if (listens) {
        static int count;
        snprintf (un.sun_path, sizeof un.sun_path, "raw-%d-%d", (int) getpid (), count++);
        CHECK (bind (fd, address, size) == 0 && listen (fd, 5) == 0);
        CHECK (getsockname (fd, address, &size) == 0);
        if (is_tcp ())
            snprintf (place, sizeof place, "tcp://127.0.0.1:%d", ntohs (in.sin_port));
        else
            snprintf (place, sizeof place, "ipc://%s", un.sun_path);
    } else {
        if (is_tcp ())
            in.sin_port = htons (atoi (strrchr (place, ':') + 1));
        else
            snprintf (un.sun_path, sizeof un.sun_path, "%s", place + 6);
        CHECK (connect (fd, address, size) == 0);
    }
    return fd;
}

/* What a raw peer does when it has said what it says. */
enum { CLOSES, IS_SLOW, IS_CLOSED };

#define GREETING(mechanism) "\377\0\0\0\0\0\0\0\1\177\3\0" mechanism "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" \
                            "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
static const char http[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: a program that speaks something else\r\n\r\n";
static const char wrong[] = GREETING ("NULL") "\4\10\5WRONGxx";
static const char req[] = GREETING ("NULL") "\4\31\5READY\13Socket-Type\0\0\0\3REQ";
static const char other_mechanism[] = GREETING ("OURS");

/* Reads until the other side closes. */
static void until_closed (int fd)
{
    char bytes[256];
    while (read (fd, bytes, sizeof bytes) > 0)
        ;
    close (fd);
}

/* The cases. Each leaves in `told` what the monitor said. */

static void bind_and_unbind (void)
{
    void *socket = make (context, ZMQ_PULL), *monitor = watch (socket);
    bind_here (socket);
    CHECK (zmq_unbind (socket, place) == 0);
    until (monitor, ZMQ_EVENT_CLOSED);
    finish (socket, monitor);
}

static void bind_and_close (void)
{
    void *socket = make (context, ZMQ_PULL), *monitor = watch (socket);
    bind_here (socket);
    finish (socket, monitor);
}

static void bind_in_use (void)
{
    void *socket = make (context, ZMQ_PULL), *monitor = watch (socket);
    int other = raw (1);
    if (is_tcp ())
        FAILS (EADDRINUSE, zmq_bind (socket, place));
    else {
        /* A path in use is taken over. */
        CHECK (zmq_bind (socket, place) == 0);
    }
    close (other);
    finish (socket, monitor);
}

static void bind_elsewhere (void)
{
    void *socket = make (context, ZMQ_PULL), *monitor = watch (socket);
    snprintf (place, sizeof place, is_tcp () ? "tcp://192.0.2.1:5555" : "ipc://no/such/folder/it");
    CHECK (zmq_bind (socket, place) == -1);
    finish (socket, monitor);
}

static void bind_to_no_name (void)
{
    void *socket = make (context, ZMQ_PULL), *monitor = watch (socket);
    snprintf (place, sizeof place, is_tcp () ? "tcp://no.such.interface:5555" : "ipc:///proc/no");
    CHECK (zmq_bind (socket, place) == -1);
    finish (socket, monitor);
}

static void accept_and_lose (void)
{
    void *socket = make (context, ZMQ_PULL), *monitor = watch (socket), *peer = make (context, ZMQ_PUSH);
    bind_here (socket);
    CHECK (zmq_connect (peer, place) == 0);
    until (monitor, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    CHECK (zmq_close (peer) == 0);
    until (monitor, ZMQ_EVENT_DISCONNECTED);
    finish (socket, monitor);
}

static void accept_and_close (void)
{
    void *socket = make (context, ZMQ_PULL), *monitor = watch (socket), *peer = patient (ZMQ_PUSH);
    bind_here (socket);
    CHECK (zmq_connect (peer, place) == 0);
    until (monitor, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    finish (socket, monitor);
    CHECK (zmq_close (peer) == 0);
}

static void accept_and_unbind (void)
{
    void *socket = make (context, ZMQ_PULL), *monitor = watch (socket), *peer = patient (ZMQ_PUSH);
    bind_here (socket);
    CHECK (zmq_connect (peer, place) == 0);
    until (monitor, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    CHECK (zmq_unbind (socket, place) == 0);
    until (monitor, ZMQ_EVENT_CLOSED);
    finish (socket, monitor);
    CHECK (zmq_close (peer) == 0);
}

/* Accepts a raw peer that says `said`. */
static void accept_raw (const void *said, size_t size, int then)
{
    void *socket = make (context, ZMQ_PULL), *monitor = watch (socket);
    set (socket, ZMQ_HANDSHAKE_IVL, then == IS_SLOW ? 50 : 50000);
    bind_here (socket);
    int fd = raw (0);
    until (monitor, ZMQ_EVENT_ACCEPTED);
    CHECK (write (fd, said, size) == (ssize_t) size);
    if (then == CLOSES)
        shutdown (fd, SHUT_WR);
    until_closed (fd);
    until (monitor, ZMQ_EVENT_DISCONNECTED);
    finish (socket, monitor);
}

static void accept_the_wrong_type (void)
{
    accept_raw (req, sizeof req - 1, IS_CLOSED);
}

static void accept_another_mechanism (void)
{
    accept_raw (other_mechanism, 64, IS_CLOSED);
}

static void accept_silence (void)
{
    accept_raw ("", 0, IS_SLOW);
}

static void accept_a_closed_stream (void)
{
    accept_raw ("", 0, CLOSES);
}

static void accept_no_zmtp (void)
{
    accept_raw (http, sizeof http, CLOSES);
}

static void accept_half_a_greeting (void)
{
    accept_raw (wrong, 20, CLOSES);
}

static void accept_a_greeting (void)
{
    accept_raw (wrong, 64, CLOSES);
}

static void accept_a_wrong_command (void)
{
    accept_raw (wrong, sizeof wrong - 1, IS_CLOSED);
}

static void connect_and_lose (void)
{
    void *socket = patient (ZMQ_PUSH), *monitor = watch (socket), *peer = make (context, ZMQ_PULL);
    bind_here (peer);
    CHECK (zmq_connect (socket, place) == 0);
    until (monitor, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    CHECK (zmq_close (peer) == 0);
    until (monitor, ZMQ_EVENT_CONNECT_RETRIED);
    finish (socket, monitor);
}

static void connect_and_lose_for_good (void)
{
    void *socket = make (context, ZMQ_PUSH), *monitor = watch (socket), *peer = make (context, ZMQ_PULL);
    set (socket, ZMQ_RECONNECT_IVL, -1);
    bind_here (peer);
    CHECK (zmq_connect (socket, place) == 0);
    until (monitor, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    CHECK (zmq_close (peer) == 0);
    until (monitor, ZMQ_EVENT_DISCONNECTED);
    finish (socket, monitor);
}

static void connect_and_disconnect (void)
{
    void *socket = patient (ZMQ_PUSH), *monitor = watch (socket), *peer = make (context, ZMQ_PULL);
    bind_here (peer);
    CHECK (zmq_connect (socket, place) == 0);
    until (monitor, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    CHECK (zmq_disconnect (socket, place) == 0);
    finish (socket, monitor);
    CHECK (zmq_close (peer) == 0);
}

static void connect_and_close (void)
{
    void *socket = patient (ZMQ_PUSH), *monitor = watch (socket), *peer = make (context, ZMQ_PULL);
    bind_here (peer);
    CHECK (zmq_connect (socket, place) == 0);
    until (monitor, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    finish (socket, monitor);
    CHECK (zmq_close (peer) == 0);
}

static void connect_to_nobody (void)
{
    void *socket = patient (ZMQ_PUSH), *monitor = watch (socket);
    close (raw (1));
    CHECK (zmq_connect (socket, place) == 0);
    until (monitor, ZMQ_EVENT_CONNECT_RETRIED);
    finish (socket, monitor);
}

static void connect_to_nobody_once (void)
{
    void *socket = patient (ZMQ_PUSH), *monitor = watch (socket);
    set (socket, ZMQ_RECONNECT_IVL, -1);
    close (raw (1));
    CHECK (zmq_connect (socket, place) == 0);
    until (monitor, ZMQ_EVENT_CLOSED);
    finish (socket, monitor);
}

static void connect_to_no_name (void)
{
    void *socket = patient (ZMQ_PUSH), *monitor = watch (socket);
    snprintf (place, sizeof place, is_tcp () ? "tcp://no.such.host.invalid:5555" : "ipc://no/such/folder/it");
    CHECK (zmq_connect (socket, place) == 0);
    until (monitor, ZMQ_EVENT_CONNECT_RETRIED);
    finish (socket, monitor);
}

/* Connects to a raw peer that says `said`; the last event is this. */
static void connect_raw (const void *said, size_t size, int then, int last)
{
    void *socket = patient (ZMQ_PUSH), *monitor = watch (socket);
    set (socket, ZMQ_HANDSHAKE_IVL, then == IS_SLOW ? 50 : 50000);
    int listener = raw (1);
    CHECK (zmq_connect (socket, place) == 0);
    int fd = accept (listener, NULL, NULL);
    CHECK (fd >= 0);
    until (monitor, ZMQ_EVENT_CONNECTED);
    CHECK (write (fd, said, size) == (ssize_t) size);
    if (then == CLOSES)
        shutdown (fd, SHUT_WR);
    until_closed (fd);
    until (monitor, last);
    close (listener);
    finish (socket, monitor);
}

static void connect_to_the_wrong_type (void)
{
    connect_raw (req, sizeof req - 1, IS_CLOSED, ZMQ_EVENT_DISCONNECTED);
}

static void connect_to_another_mechanism (void)
{
    connect_raw (other_mechanism, 64, IS_CLOSED, ZMQ_EVENT_DISCONNECTED);
}

static void connect_to_silence (void)
{
    connect_raw ("", 0, IS_SLOW, ZMQ_EVENT_CONNECT_RETRIED);
}

static void connect_to_a_closed_stream (void)
{
    connect_raw ("", 0, CLOSES, ZMQ_EVENT_CONNECT_RETRIED);
}

static void connect_to_no_zmtp (void)
{
    connect_raw (http, sizeof http, CLOSES, ZMQ_EVENT_CONNECT_RETRIED);
}

static void connect_to_a_greeting (void)
{
    connect_raw (wrong, 64, CLOSES, ZMQ_EVENT_CONNECT_RETRIED);
}

static void connect_to_a_wrong_command (void)
{
    connect_raw (wrong, sizeof wrong - 1, IS_CLOSED, ZMQ_EVENT_DISCONNECTED);
}

/* A peer that is denied by a ZAP handler; the one side or the other is monitored. */
static void denied (int bound)
{
    void *server = make (context, ZMQ_PULL), *client = patient (ZMQ_PUSH), *zap = make (context, ZMQ_REP);
    void *socket = bound ? server : client, *monitor = watch (socket);
    CHECK (zmq_bind (zap, "inproc://zeromq.zap.01") == 0);
    set (server, ZMQ_PLAIN_SERVER, 1);
    CHECK (zmq_setsockopt (server, ZMQ_ZAP_DOMAIN, "here", 4) == 0);
    CHECK (zmq_setsockopt (client, ZMQ_PLAIN_USERNAME, "me", 2) == 0);
    CHECK (zmq_setsockopt (client, ZMQ_PLAIN_PASSWORD, "it", 2) == 0);
    bind_here (server);
    CHECK (zmq_connect (client, place) == 0);
    char id[32];
    int more, size = 0;
    size_t length = sizeof more;
    for (int part = 0; part == 0 || more; part++) {
        char bytes[256];
        int got = zmq_recv (zap, bytes, sizeof bytes, 0);
        CHECK (got >= 0);
        if (part == 1)
            memcpy (id, bytes, size = got);
        CHECK (zmq_getsockopt (zap, ZMQ_RCVMORE, &more, &length) == 0);
    }
    CHECK (zmq_send (zap, "1.0", 3, ZMQ_SNDMORE) == 3 && zmq_send (zap, id, size, ZMQ_SNDMORE) == size);
    CHECK (zmq_send (zap, "400", 3, ZMQ_SNDMORE) == 3 && zmq_send (zap, "no", 2, ZMQ_SNDMORE) == 2);
    CHECK (zmq_send (zap, "", 0, ZMQ_SNDMORE) == 0 && zmq_send (zap, "", 0, 0) == 0);
    until (monitor, ZMQ_EVENT_DISCONNECTED);
    CHECK (zmq_close (bound ? client : server) == 0 && zmq_close (zap) == 0);
    finish (socket, monitor);
}

static void deny (void)
{
    denied (1);
}

static void be_denied (void)
{
    denied (0);
}

static const struct {
    const char *name;
    void (*run) (void);
} cases[] = {
#define CASE(name) {#name, name}
    CASE (bind_and_unbind), CASE (bind_and_close), CASE (bind_in_use), CASE (bind_elsewhere), CASE (bind_to_no_name),
    CASE (accept_and_lose), CASE (accept_and_close), CASE (accept_and_unbind),
    CASE (accept_the_wrong_type), CASE (accept_another_mechanism), CASE (accept_silence),
    CASE (accept_a_closed_stream), CASE (accept_no_zmtp), CASE (accept_half_a_greeting), CASE (accept_a_greeting),
    CASE (accept_a_wrong_command), CASE (connect_and_lose), CASE (connect_and_lose_for_good),
    CASE (connect_and_disconnect), CASE (connect_and_close), CASE (connect_to_nobody),
    CASE (connect_to_nobody_once), CASE (connect_to_no_name),
    CASE (connect_to_the_wrong_type), CASE (connect_to_another_mechanism), CASE (connect_to_silence),
    CASE (connect_to_a_closed_stream), CASE (connect_to_no_zmtp), CASE (connect_to_a_greeting),
    CASE (connect_to_a_wrong_command), CASE (deny), CASE (be_denied)};

static const struct row {
    const char *name, *told;
} table[] = {
#include "events.h"
};

/* Where this library knows better. libzmq does not say what is wrong with a socket type, leaves an old errno where a
   handshake takes too long, and takes what is no ZMTP for ZMTP 1.0. */
static const struct row instead[] = {
    {"accept_the_wrong_type", "listening fd here, accepted fd here, failed-protocol 10000018 here, disconnected fd here, "
                              "closed here, stopped 0"},
    {"accept_silence", "listening fd here, accepted fd here, failed ETIMEDOUT here, disconnected fd here, closed here, "
                       "stopped 0"},
    {"accept_no_zmtp", "listening fd here, accepted fd here, failed-protocol 10000000 here, disconnected fd here, "
                       "closed here, stopped 0"},
    {"connect_to_the_wrong_type", "connected fd here, failed-protocol 10000018 here, disconnected fd here, stopped 0"},
    {"connect_to_silence", "connected fd here, failed ETIMEDOUT here, disconnected fd here, retried ms here, stopped 0"},
    {"connect_to_no_zmtp", "connected fd here, failed-protocol 10000000 here, disconnected fd here, retried ms here, "
                           "stopped 0"},
};

/* What is expected of the case `at`. */
static const char *expected_of (const char *kind, const char *name)
{
    static char text[512];
    for (size_t row = 0; row < sizeof instead / sizeof *instead; row++)
        if (strcmp (instead[row].name, kind) == 0) {
            /* A connect over ipc is not delayed. */
            int delayed = is_tcp () && strncmp (kind, "connect", 7) == 0;
            snprintf (text, sizeof text, "%s%s", delayed ? "delayed EINPROGRESS here, " : "", instead[row].told);
            return text;
        }
    for (size_t row = 0; row < sizeof table / sizeof *table; row++)
        if (strcmp (table[row].name, name) == 0)
            return table[row].told;
    return "not in the table";
}

int main (int count, char **arguments)
{
    int records = count > 1 && strcmp (arguments[1], "record") == 0, wrong = 0;
    static const char *const transports[] = {"tcp", "ipc"};
    for (size_t at = 0; at < sizeof cases / sizeof *cases; at++)
        for (int way = 0; way < 2; way++) {
            char name[100];
            transport = transports[way];
            *told = *place = 0;
            snprintf (name, sizeof name, "%s %s", cases[at].name, transport);
            begin_limit ();
            context = zmq_ctx_new ();
            cases[at].run ();
            CHECK (zmq_ctx_term (context) == 0);
            if (records) {
                printf ("{\"%s\", \"%s\"},\n", name, told);
                continue;
            }
            const char *expected = expected_of (cases[at].name, name);
            if (strcmp (told, expected) != 0) {
                fprintf (stderr, "%s\n  libzmq: %s\n  here:   %s\n", name, expected, told);
                wrong++;
            }
        }
    if (wrong)
        return 1;
    if (!records)
        puts ("well");
    return 0;
}
