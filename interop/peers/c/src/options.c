#include "options.h"

#include <string.h>
#include <zmq.h>

#define ROW(name, kind) {#name, ZMQ_##name, kind}

static const struct option OPTIONS[] = {
    ROW(SNDHWM, KIND_INT),
    ROW(RCVHWM, KIND_INT),
    ROW(LINGER, KIND_INT),
    ROW(IMMEDIATE, KIND_INT),
    ROW(CONFLATE, KIND_INT),
    ROW(MAXMSGSIZE, KIND_INT64),
    ROW(ROUTING_ID, KIND_BYTES),
    ROW(CONNECT_ROUTING_ID, KIND_BYTES),
    ROW(RECONNECT_IVL, KIND_INT),
    ROW(RECONNECT_IVL_MAX, KIND_INT),
    ROW(HANDSHAKE_IVL, KIND_INT),
    ROW(HEARTBEAT_IVL, KIND_INT),
    ROW(HEARTBEAT_TIMEOUT, KIND_INT),
    ROW(HEARTBEAT_TTL, KIND_INT),
    ROW(ROUTER_MANDATORY, KIND_INT),
    ROW(ROUTER_HANDOVER, KIND_INT),
    ROW(PROBE_ROUTER, KIND_INT),
    ROW(REQ_CORRELATE, KIND_INT),
    ROW(REQ_RELAXED, KIND_INT),
    ROW(XPUB_VERBOSE, KIND_INT),
    ROW(XPUB_VERBOSER, KIND_INT),
    ROW(XPUB_NODROP, KIND_INT),
    ROW(XPUB_MANUAL, KIND_INT),
    ROW(XPUB_WELCOME_MSG, KIND_BYTES),
    ROW(INVERT_MATCHING, KIND_INT),
    ROW(BACKLOG, KIND_INT),
    ROW(SNDBUF, KIND_INT),
    ROW(RCVBUF, KIND_INT),
    ROW(IPV6, KIND_INT),
    ROW(TCP_KEEPALIVE, KIND_INT),
    ROW(PLAIN_SERVER, KIND_INT),
    ROW(PLAIN_USERNAME, KIND_BYTES),
    ROW(PLAIN_PASSWORD, KIND_BYTES),
    ROW(CURVE_SERVER, KIND_INT),
    ROW(CURVE_PUBLICKEY, KIND_BYTES),
    ROW(CURVE_SECRETKEY, KIND_BYTES),
    ROW(CURVE_SERVERKEY, KIND_BYTES),
    ROW(ZAP_DOMAIN, KIND_BYTES),
};

static const struct option TYPES[] = {
    ROW(PAIR, KIND_INT), ROW(PUB, KIND_INT),    ROW(SUB, KIND_INT),    ROW(REQ, KIND_INT),
    ROW(REP, KIND_INT),  ROW(DEALER, KIND_INT), ROW(ROUTER, KIND_INT), ROW(PULL, KIND_INT),
    ROW(PUSH, KIND_INT), ROW(XPUB, KIND_INT),   ROW(XSUB, KIND_INT),   ROW(STREAM, KIND_INT),
};

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))

static const struct option *find(const struct option *rows, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

const struct option *option_of(const char *name)
{
    return find(OPTIONS, COUNT(OPTIONS), name);
}

int type_of(const char *name)
{
    const struct option *row = find(TYPES, COUNT(TYPES), name);
    return row == NULL ? -1 : row->number;
}
