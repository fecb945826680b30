/* Wrong on purpose: two threads write one number, or the library reads what was freed. The sanitizers (`cargo xtask
   sanitize`) must see the fault: this proves that they look. With HANGS it waits for ever, which the limit must end. */
#include "check.h"

#include <pthread.h>
#include <stdlib.h>

static int shared;

static void *writes (void *unused)
{
    (void) unused;
    ++shared;
    return NULL;
}

int main (void)
{
    void *context = zmq_ctx_new ();
    void *socket = zmq_socket (context, ZMQ_PUB);
#ifdef HANGS
    (void) writes;
    /* Nobody closes the socket. */
    CHECK (zmq_ctx_term (context) == 0);
#elif defined(__SANITIZE_THREAD__)
    pthread_t left, right;
    pthread_create (&left, NULL, writes, NULL);
    pthread_create (&right, NULL, writes, NULL);
    pthread_join (left, NULL);
    pthread_join (right, NULL);
#else
    char *volatile freed = (char *) calloc (1, 1000);
    free (freed);
    zmq_send (socket, freed, 1000, 0);
    writes (NULL);
#endif
    zmq_close (socket);
    zmq_ctx_term (context);
    puts ("well");
    return 0;
}
