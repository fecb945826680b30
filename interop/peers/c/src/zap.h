/* A ZAP handler (RFC 27) in a thread of its own. */
#ifndef ZAP_H
#define ZAP_H

#include "words.h"

/* Of the peers that come with this mechanism, from now on only those with these credentials come in; all others as they
 * did. The first call makes the handler. 0, or -1 with libzmq's errno. */
int zap_rule(void *context, const char *mechanism, const struct frames *credentials);

#endif
