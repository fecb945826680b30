/* A peer of the interop harness with libzmq: see PROTOCOL.md, three folders up.
 *
 * A command that fails writes the rest of an `err` line with `refuse` and returns -1. */

#include "options.h"
#include "words.h"
#include "zap.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

/* A socket with its name. */
struct slot {
    char *name;
    void *socket;
    struct slot *next;
};

struct peer {
    void *context;
    struct slot *slots;
};

/* A message received, whole. */
struct message {
    zmq_msg_t *frames;
    size_t count;
    size_t room;
};

/* What a command works with: its socket, its words after the socket's name, where the answer grows. */
struct call {
    void *socket;
    char **words;
    size_t count;
    struct text *answer;
};

static int refuse(struct text *answer, const char *code, const char *format, ...)
{
    char text[256];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    answer->size = 0;
    text_add(answer, "err %s %s", code, text);
    return -1;
}

/* Refuses for what libzmq said last. */
static int refuse_errno(struct text *answer)
{
    int error = zmq_errno();
    const char *code = "other";
    if (error == EAGAIN)
        code = "again";
    else if (error == EHOSTUNREACH)
        code = "unroutable";
    else if (error == EFSM)
        code = "state";
    return refuse(answer, code, "%s", zmq_strerror(error));
}

/* Whether the answer is a refusal for want of time. */
static int is_again(const struct text *answer)
{
    return strncmp(answer->chars, "err again", strlen("err again")) == 0;
}

static int number(struct text *answer, const char *word, long *value)
{
    char *end;
    errno = 0;
    *value = strtol(word, &end, 10);
    if (errno != 0 || end == word || *end != 0)
        return refuse(answer, "usage", "not a number: %.100s", word);
    return 0;
}

static int frames(struct call *call, size_t first, struct frames *made)
{
    if (frames_of(made, call->words + first, call->count - first) == 0)
        return 0;
    frames_free(made);
    return refuse(call->answer, "usage", "not a frame");
}

/* Sets both timeouts from the first word. */
static int limit(struct call *call)
{
    long ms;
    if (number(call->answer, call->words[0], &ms) != 0)
        return -1;
    int value = (int) ms;
    if (zmq_setsockopt(call->socket, ZMQ_SNDTIMEO, &value, sizeof value) != 0
        || zmq_setsockopt(call->socket, ZMQ_RCVTIMEO, &value, sizeof value) != 0)
        return refuse_errno(call->answer);
    return 0;
}

/* Sends frames, and a numbered one after them unless n is negative. */
static int send_frames(struct call *call, const struct frames *frames, long n)
{
    for (size_t i = 0; i < frames->count; i++) {
        const struct frame *frame = &frames->list[i];
        int more = n >= 0 || i + 1 < frames->count ? ZMQ_SNDMORE : 0;
        if (zmq_send(call->socket, frame->bytes, frame->size, more) < 0)
            return refuse_errno(call->answer);
    }
    if (n >= 0) {
        unsigned char last[NUMBERED_MAX];
        if (zmq_send(call->socket, last, numbered((uint32_t) n, last), 0) < 0)
            return refuse_errno(call->answer);
    }
    return 0;
}

static void message_free(struct message *message)
{
    for (size_t i = 0; i < message->count; i++)
        zmq_msg_close(&message->frames[i]);
    free(message->frames);
    memset(message, 0, sizeof *message);
}

/* Receives a message; the caller frees it, however this ends. */
static int receive(struct call *call, struct message *message)
{
    memset(message, 0, sizeof *message);
    do {
        if (message->count == message->room) {
            message->room = message->room == 0 ? 4 : 2 * message->room;
            message->frames = must(realloc(message->frames, message->room * sizeof *message->frames));
        }
        zmq_msg_t *frame = &message->frames[message->count++];
        zmq_msg_init(frame);
        if (zmq_msg_recv(frame, call->socket, 0) < 0)
            return refuse_errno(call->answer);
    } while (zmq_msg_more(&message->frames[message->count - 1]));
    return 0;
}

static int is_same(zmq_msg_t *frame, const unsigned char *bytes, size_t size)
{
    return zmq_msg_size(frame) == size && (size == 0 || memcmp(zmq_msg_data(frame), bytes, size) == 0);
}

/* Refuses unless the message is the numbered one. */
static int check(struct call *call, uint32_t n, struct message *message, const struct frames *head)
{
    unsigned char last[NUMBERED_MAX];
    size_t size = numbered(n, last);
    int same = message->count == head->count + 1 && is_same(&message->frames[head->count], last, size);
    for (size_t i = 0; same && i < head->count; i++) {
        const struct frame *due = &head->list[i];
        same = due->is_any || is_same(&message->frames[i], due->bytes, due->size);
    }
    if (same)
        return 0;
    refuse(call->answer, "order", "message %lu is", (unsigned long) n);
    for (size_t i = 0; i < message->count; i++)
        text_tell(call->answer, zmq_msg_data(&message->frames[i]), zmq_msg_size(&message->frames[i]));
    return -1;
}

/* Receives the numbered message n. */
static int expect_one(struct call *call, uint32_t n, const struct frames *head)
{
    struct message message;
    int result = receive(call, &message);
    if (result == 0)
        result = check(call, n, &message, head);
    message_free(&message);
    return result;
}

/* Receives a numbered message of a number greater than `last`, and puts its number there. */
static int next(struct call *call, const struct frames *head, long *last)
{
    struct message message;
    int result = receive(call, &message);
    if (result == 0) {
        zmq_msg_t *frame = &message.frames[message.count - 1];
        const unsigned char *bytes = zmq_msg_data(frame);
        uint32_t n = 0;
        for (int i = 0; zmq_msg_size(frame) >= 4 && i < 4; i++)
            n = n << 8 | bytes[i];
        result = check(call, n, &message, head);
        if (result == 0 && (long) n <= *last)
            result = refuse(call->answer, "order", "message %lu came after %ld", (unsigned long) n, *last);
        *last = (long) n;
    }
    message_free(&message);
    return result;
}

static int do_set(struct call *call)
{
    const struct option *option = option_of(call->words[0]);
    if (option == NULL)
        return refuse(call->answer, "usage", "unknown option %.100s", call->words[0]);
    int result;
    if (option->kind == KIND_BYTES) {
        struct frames value;
        if (frames(call, 1, &value) != 0)
            return -1;
        /* libzmq takes no null pointer for an empty value. */
        const void *bytes = value.list[0].size == 0 ? "" : (const void *) value.list[0].bytes;
        result = zmq_setsockopt(call->socket, option->number, bytes, value.list[0].size);
        frames_free(&value);
    } else {
        long value;
        if (number(call->answer, call->words[1], &value) != 0)
            return -1;
        int as_int = (int) value;
        int64_t as_int64 = value;
        result = option->kind == KIND_INT
                   ? zmq_setsockopt(call->socket, option->number, &as_int, sizeof as_int)
                   : zmq_setsockopt(call->socket, option->number, &as_int64, sizeof as_int64);
    }
    if (result != 0 && zmq_errno() == EINVAL)
        return refuse(call->answer, "usage", "%s of %s", zmq_strerror(EINVAL), option->name);
    return result == 0 ? 0 : refuse_errno(call->answer);
}

static int do_bind(struct call *call)
{
    char endpoint[512];
    size_t size = sizeof endpoint;
    if (zmq_bind(call->socket, call->words[0]) != 0
        || zmq_getsockopt(call->socket, ZMQ_LAST_ENDPOINT, endpoint, &size) != 0)
        return refuse_errno(call->answer);
    text_add(call->answer, " %s", endpoint);
    return 0;
}

static int do_connect(struct call *call)
{
    return zmq_connect(call->socket, call->words[0]) == 0 ? 0 : refuse_errno(call->answer);
}

static int do_unbind(struct call *call)
{
    return zmq_unbind(call->socket, call->words[0]) == 0 ? 0 : refuse_errno(call->answer);
}

static int do_disconnect(struct call *call)
{
    return zmq_disconnect(call->socket, call->words[0]) == 0 ? 0 : refuse_errno(call->answer);
}

static int set_topic(struct call *call, int option)
{
    struct frames topic;
    if (frames(call, 0, &topic) != 0)
        return -1;
    int result = zmq_setsockopt(call->socket, option, topic.list[0].bytes, topic.list[0].size);
    frames_free(&topic);
    return result == 0 ? 0 : refuse_errno(call->answer);
}

static int do_subscribe(struct call *call)
{
    return set_topic(call, ZMQ_SUBSCRIBE);
}

static int do_unsubscribe(struct call *call)
{
    return set_topic(call, ZMQ_UNSUBSCRIBE);
}

static int do_send(struct call *call)
{
    struct frames message;
    if (limit(call) != 0 || frames(call, 1, &message) != 0)
        return -1;
    int result = send_frames(call, &message, -1);
    frames_free(&message);
    return result;
}

static int do_recv(struct call *call)
{
    struct message message;
    if (limit(call) != 0)
        return -1;
    int result = receive(call, &message);
    for (size_t i = 0; result == 0 && i < message.count; i++)
        text_tell(call->answer, zmq_msg_data(&message.frames[i]), zmq_msg_size(&message.frames[i]));
    message_free(&message);
    return result;
}

/* The words that commands about numbered messages begin with: the limit, `count` numbers, then the head. */
static int begin(struct call *call, long *numbers, size_t count, struct frames *head)
{
    if (limit(call) != 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (number(call->answer, call->words[1 + i], &numbers[i]) != 0)
            return -1;
    return frames(call, 1 + count, head);
}

static int do_burst(struct call *call)
{
    long count;
    struct frames head;
    int result = begin(call, &count, 1, &head);
    if (result != 0)
        return -1;
    for (long n = 0; result == 0 && n < count; n++)
        result = send_frames(call, &head, n);
    frames_free(&head);
    return result;
}

static int do_expect(struct call *call)
{
    long count;
    struct frames head;
    int result = begin(call, &count, 1, &head);
    if (result != 0)
        return -1;
    for (long n = 0; result == 0 && n < count; n++)
        result = expect_one(call, (uint32_t) n, &head);
    frames_free(&head);
    return result;
}

static int do_take(struct call *call)
{
    long count, first = -1, last = -1;
    struct frames head;
    int result = begin(call, &count, 1, &head);
    if (result != 0)
        return -1;
    for (long n = 0; result == 0 && n < count; n++) {
        result = next(call, &head, &last);
        first = n == 0 ? last : first;
    }
    frames_free(&head);
    if (result == 0 && count > 0)
        text_add(call->answer, " %ld %ld", first, last);
    else if (result == 0)
        text_add(call->answer, " - -");
    return result;
}

static int do_drain(struct call *call)
{
    long count = 0, first = -1, last = -1;
    struct frames head;
    if (begin(call, NULL, 0, &head) != 0)
        return -1;
    for (; next(call, &head, &last) == 0; count++)
        first = count == 0 ? last : first;
    frames_free(&head);
    if (!is_again(call->answer))
        return -1;
    call->answer->size = 0;
    text_add(call->answer, count == 0 ? "ok 0 - -" : "ok %ld %ld %ld", count, first, last);
    return 0;
}

static int do_fill(struct call *call)
{
    long count, n = 0;
    struct frames head;
    if (begin(call, &count, 1, &head) != 0)
        return -1;
    while (n < count && send_frames(call, &head, n) == 0)
        n++;
    frames_free(&head);
    if (n < count && !is_again(call->answer))
        return -1;
    call->answer->size = 0;
    text_add(call->answer, "ok %ld", n);
    return 0;
}

static int do_request(struct call *call)
{
    long numbers[2], sent = 0;
    struct frames head;
    int result = begin(call, numbers, 2, &head);
    if (result != 0)
        return -1;
    long count = numbers[0], window = numbers[1];
    for (long n = 0; result == 0 && n < count; n++) {
        for (; result == 0 && sent < count && sent < n + window; sent++)
            result = send_frames(call, &head, sent);
        if (result == 0)
            result = expect_one(call, (uint32_t) n, &head);
    }
    frames_free(&head);
    return result;
}

static int do_echo(struct call *call)
{
    long count;
    if (limit(call) != 0 || number(call->answer, call->words[1], &count) != 0)
        return -1;
    int result = 0;
    for (long n = 0; result == 0 && n < count; n++) {
        struct message message;
        result = receive(call, &message);
        for (size_t i = 0; result == 0 && i < message.count; i++) {
            int more = i + 1 < message.count ? ZMQ_SNDMORE : 0;
            if (zmq_msg_send(&message.frames[i], call->socket, more) < 0)
                result = refuse_errno(call->answer);
        }
        message_free(&message);
    }
    return result;
}

/* Commands about a socket, with how few and how many words follow its name; 0 for any number. */
static const struct command {
    const char *name;
    size_t least, most;
    int (*obey)(struct call *);
} COMMANDS[] = {
    {"set", 2, 2, do_set},
    {"bind", 1, 1, do_bind},
    {"connect", 1, 1, do_connect},
    {"unbind", 1, 1, do_unbind},
    {"disconnect", 1, 1, do_disconnect},
    {"subscribe", 1, 1, do_subscribe},
    {"unsubscribe", 1, 1, do_unsubscribe},
    {"send", 2, 0, do_send},
    {"recv", 1, 1, do_recv},
    {"burst", 2, 0, do_burst},
    {"expect", 2, 0, do_expect},
    {"take", 2, 0, do_take},
    {"drain", 1, 0, do_drain},
    {"fill", 2, 0, do_fill},
    {"request", 3, 0, do_request},
    {"echo", 2, 2, do_echo},
};

static struct slot **slot_of(struct peer *peer, const char *name)
{
    struct slot **slot = &peer->slots;
    while (*slot != NULL && strcmp((*slot)->name, name) != 0)
        slot = &(*slot)->next;
    return slot;
}

static void close_slot(struct slot **slot)
{
    struct slot *gone = *slot;
    *slot = gone->next;
    zmq_close(gone->socket);
    free(gone->name);
    free(gone);
}

static int do_hello(struct text *answer, const char *version)
{
    if (strcmp(version, "1") != 0)
        return refuse(answer, "usage", "protocol 1 only");
    int major, minor, patch;
    zmq_version(&major, &minor, &patch);
    text_add(answer, " 1 libzmq-%d.%d.%d/c tcp", major, minor, patch);
    if (zmq_has("ipc"))
        text_add(answer, " ipc");
    return 0;
}

static int do_socket(struct peer *peer, struct text *answer, const char *name, const char *type)
{
    if (type_of(type) < 0)
        return refuse(answer, "usage", "unknown socket type %.100s", type);
    struct slot **slot = slot_of(peer, name);
    if (*slot != NULL)
        close_slot(slot);
    void *socket = zmq_socket(peer->context, type_of(type));
    if (socket == NULL)
        return refuse_errno(answer);
    int linger = 0;
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
    struct slot *made = must(malloc(sizeof *made));
    size_t size = strlen(name) + 1;
    made->name = memcpy(must(malloc(size)), name, size);
    made->socket = socket;
    made->next = peer->slots;
    peer->slots = made;
    return 0;
}

static int do_zap(struct peer *peer, struct text *answer, const char *mechanism, char **words, size_t count)
{
    struct call call = {NULL, words, count, answer};
    struct frames credentials;
    if (frames(&call, 0, &credentials) != 0)
        return -1;
    int result = zap_rule(peer->context, mechanism, &credentials);
    frames_free(&credentials);
    return result == 0 ? 0 : refuse_errno(answer);
}

static int obey(struct peer *peer, char **words, size_t count, struct text *answer)
{
    const char *command = words[0];
    if (strcmp(command, "zap") == 0 && count >= 2)
        return do_zap(peer, answer, words[1], words + 2, count - 2);
    if (strcmp(command, "hello") == 0 && count == 2)
        return do_hello(answer, words[1]);
    if (strcmp(command, "socket") == 0 && count == 3)
        return do_socket(peer, answer, words[1], words[2]);
    if (strcmp(command, "quit") == 0 && count == 1) {
        while (peer->slots != NULL)
            close_slot(&peer->slots);
        return zmq_ctx_term(peer->context) == 0 ? 0 : refuse_errno(answer);
    }
    if (count < 2)
        return refuse(answer, "usage", "unknown command %.100s", command);
    struct slot **slot = slot_of(peer, words[1]);
    if (*slot == NULL)
        return refuse(answer, "usage", "no socket %.100s", words[1]);
    if (strcmp(command, "close") == 0 && count == 2) {
        close_slot(slot);
        return 0;
    }
    struct call call = {(*slot)->socket, words + 2, count - 2, answer};
    for (size_t i = 0; i < sizeof COMMANDS / sizeof *COMMANDS; i++) {
        const struct command *row = &COMMANDS[i];
        if (strcmp(row->name, command) == 0 && call.count >= row->least
            && (row->most == 0 || call.count <= row->most))
            return row->obey(&call);
    }
    return refuse(answer, "usage", "unknown command %.100s, or not its words", command);
}

/* Answers a line; whether it was the last. */
static int answer_line(struct peer *peer, char *line, struct text *answer)
{
    size_t count = 0;
    char **words = must(malloc((strlen(line) + 1) * sizeof *words));
    line[strcspn(line, "\r\n")] = 0;
    int is_last = strcmp(line, "quit") == 0;
    for (char *word = line; word != NULL; count++) {
        words[count] = word;
        word = strchr(word, ' ');
        if (word != NULL)
            *word++ = 0;
    }
    answer->size = 0;
    text_add(answer, "ok");
    obey(peer, words, count, answer);
    free(words);
    printf("%s\n", answer->chars);
    fflush(stdout);
    return is_last;
}

int peer_main(void)
{
    struct peer peer = {zmq_ctx_new(), NULL};
    struct text answer = {NULL, 0, 0};
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, stdin) >= 0 && !answer_line(&peer, line, &answer))
        ;
    /* Sockets that are left do not linger: the process ends under them. */
    return 0;
}
