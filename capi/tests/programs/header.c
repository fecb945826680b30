/* What a program asks zmq.h about before it calls: by macros, and by types that only the draft section has. Compiled with
   drafts and without. */
#include <zmq.h>

#include <stdio.h>

#if !defined ZMQ_HAS_CAPABILITIES
#error "programs ask by ZMQ_HAS_CAPABILITIES whether there is zmq_has"
#endif

#if defined ZMQ_BUILD_DRAFT_API
#if !defined ZMQ_HAVE_POLLER
#error "programs ask by ZMQ_HAVE_POLLER whether there is zmq_poller"
#endif
static zmq_poller_event_t event;
static int (*poll_with_signals) (zmq_pollitem_t *, int, long, const sigset_t *) = zmq_ppoll;
#else
#if defined ZMQ_HAVE_POLLER
#error "zmq_poller_event_t is a draft"
#endif
static int event, (*poll_with_signals) (zmq_pollitem_t *, int, long) = zmq_poll;
#endif

int main (void)
{
    /* Comes with zmq.h. */
    sigset_t set;
    sigemptyset (&set);
    if (sizeof event == 0 || !poll_with_signals || zmq_has ("curve") != 1)
        return 1;
    puts ("well");
    return 0;
}
