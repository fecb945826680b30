#include "zap.h"

#include <string.h>
#include <zmq.h>

#define ENDPOINT "inproc://zeromq.zap.01"
/* Frames of a request before its mechanism (RFC 27): version, request id, domain, address, routing id. */
#define MECHANISM 5
/* More than a request or a rule has. */
#define FRAMES 16
/* More than there are mechanisms. */
#define RULES 4
/* The first frame of a rule, where a request has its version. */
#define RULE "rule"

struct message {
    zmq_msg_t frames[FRAMES];
    size_t count;
};

static void message_free(struct message *message)
{
    for (size_t i = 0; i < message->count; i++)
        zmq_msg_close(&message->frames[i]);
    message->count = 0;
}

static void message_move(struct message *to, struct message *from)
{
    message_free(to);
    for (; to->count < from->count; to->count++) {
        zmq_msg_init(&to->frames[to->count]);
        zmq_msg_move(&to->frames[to->count], &from->frames[to->count]);
    }
    message_free(from);
}

/* Receives a message of at most FRAMES frames; what is longer ends the handler. */
static int receive(void *socket, struct message *message)
{
    message->count = 0;
    do {
        if (message->count == FRAMES)
            return -1;
        zmq_msg_t *frame = &message->frames[message->count++];
        zmq_msg_init(frame);
        if (zmq_msg_recv(frame, socket, 0) < 0)
            return -1;
    } while (zmq_msg_more(&message->frames[message->count - 1]));
    return 0;
}

static int is_same(zmq_msg_t *one, zmq_msg_t *other)
{
    size_t size = zmq_msg_size(one);
    return zmq_msg_size(other) == size
           && (size == 0 || memcmp(zmq_msg_data(one), zmq_msg_data(other), size) == 0);
}

static int is_text(zmq_msg_t *frame, const char *text)
{
    return zmq_msg_size(frame) == strlen(text) && memcmp(zmq_msg_data(frame), text, strlen(text)) == 0;
}

/* The place of the rule about a mechanism, or the first free one. */
static struct message *rule_of(struct message *rules, zmq_msg_t *mechanism)
{
    size_t i = 0;
    while (i + 1 < RULES && rules[i].count > 0 && !is_same(&rules[i].frames[1], mechanism))
        i++;
    return &rules[i];
}

/* Whether a request shows what the rule about its mechanism demands. */
static int is_let_in(struct message *rules, struct message *request)
{
    struct message *rule = rule_of(rules, &request->frames[MECHANISM]);
    if (rule->count == 0)
        return 1;
    int same = rule->count - 1 == request->count - MECHANISM;
    for (size_t i = 1; same && i < rule->count; i++)
        same = is_same(&rule->frames[i], &request->frames[MECHANISM + i - 1]);
    return same;
}

/* The status line, the user id and the metadata are left empty. */
static int answer(void *socket, zmq_msg_t *request_id, const char *status)
{
    return zmq_send(socket, "1.0", 3, ZMQ_SNDMORE) < 0 || zmq_msg_send(request_id, socket, ZMQ_SNDMORE) < 0
                   || zmq_send(socket, status, strlen(status), ZMQ_SNDMORE) < 0
                   || zmq_send(socket, "", 0, ZMQ_SNDMORE) < 0 || zmq_send(socket, "", 0, ZMQ_SNDMORE) < 0
                   || zmq_send(socket, "", 0, 0) < 0
               ? -1
               : 0;
}

/* Answers requests and takes rules until the context ends. */
static void handle(void *socket)
{
    struct message rules[RULES], message;
    memset(rules, 0, sizeof rules);
    int result = 0;
    while (result == 0) {
        result = receive(socket, &message);
        if (result == 0 && message.count > 1 && is_text(&message.frames[0], RULE)) {
            message_move(rule_of(rules, &message.frames[1]), &message);
            result = zmq_send(socket, "", 0, 0) < 0 ? -1 : 0;
        } else if (result == 0 && message.count > MECHANISM) {
            const char *status = is_let_in(rules, &message) ? "200" : "400";
            result = answer(socket, &message.frames[1], status);
        }
        message_free(&message);
    }
    for (size_t i = 0; i < RULES; i++)
        message_free(&rules[i]);
    zmq_close(socket);
}

static int start(void *context)
{
    void *handler = zmq_socket(context, ZMQ_REP);
    if (handler == NULL || zmq_bind(handler, ENDPOINT) != 0)
        return -1;
    zmq_threadstart(handle, handler);
    return 0;
}

int zap_rule(void *context, const char *mechanism, const struct frames *credentials)
{
    static int is_started;
    if (!is_started && start(context) != 0)
        return -1;
    is_started = 1;
    void *socket = zmq_socket(context, ZMQ_REQ);
    if (socket == NULL)
        return -1;
    int result = zmq_connect(socket, ENDPOINT) != 0 || zmq_send(socket, RULE, strlen(RULE), ZMQ_SNDMORE) < 0
                     ? -1
                     : 0;
    if (result == 0)
        result = zmq_send(socket, mechanism, strlen(mechanism), credentials->count > 0 ? ZMQ_SNDMORE : 0);
    for (size_t i = 0; result >= 0 && i < credentials->count; i++) {
        const struct frame *frame = &credentials->list[i];
        result = zmq_send(socket, frame->bytes, frame->size, i + 1 < credentials->count ? ZMQ_SNDMORE : 0);
    }
    /* When it has answered the rule is in force. */
    char nothing;
    if (result >= 0)
        result = zmq_recv(socket, &nothing, sizeof nothing, 0);
    zmq_close(socket);
    return result < 0 ? -1 : 0;
}
