/* A program that loads the library itself may unload it after zmq_ctx_term, as often as it likes: threads that used it end
   safely afterwards, and nothing runs out. This program is not linked to the library. */
#define _GNU_SOURCE
#include <zmq.h>

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LIBRARY "libzmq.so.5"
/* More than a process has keys for thread-local values (PTHREAD_KEYS_MAX is 1024). */
#define ROUNDS 1100

#define CHECK(condition)                                                                                      \
    do {                                                                                                      \
        if (!(condition)) {                                                                                   \
            fprintf (stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                  \
            exit (1);                                                                                         \
        }                                                                                                     \
    } while (0)

static pthread_barrier_t used, unloaded;

static void *function (void *library, const char *name)
{
    void *found = dlsym (library, name);
    CHECK (found);
    return found;
}

/* A function of the library. ISO C has no conversion from an object to a function; POSIX does. */
#define FIND(name) (__extension__ (__typeof__ (&name)) function (library, #name))

/* Little enough that nothing which this thread keeps holds the library, as a wait would do with glibc. */
static void use (void *library)
{
    void *context = FIND (zmq_ctx_new) ();
    void *pull = FIND (zmq_socket) (context, ZMQ_PULL);
    CHECK (context && pull);
    CHECK (FIND (zmq_close) (pull) == 0);
    CHECK (FIND (zmq_ctx_term) (context) == 0);
}

static void *use_and_end (void *library)
{
    use (library);
    return NULL;
}

static void *use_and_stay (void *library)
{
    use (library);
    pthread_barrier_wait (&used);
    pthread_barrier_wait (&unloaded);
    return NULL;
}

static void *load (void)
{
    void *library = dlopen (LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        fprintf (stderr, "%s\n", dlerror ());
    CHECK (library);
    return library;
}

static void a_thread_that_used_the_library_ends_after_it_was_unloaded (void)
{
    pthread_t thread;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    /* Else it is linked after all, and this program proves nothing. */
    CHECK (!dlopen (LIBRARY, RTLD_NOW | RTLD_NOLOAD));
#endif
    void *library = load ();
    CHECK (pthread_barrier_init (&used, NULL, 2) == 0 && pthread_barrier_init (&unloaded, NULL, 2) == 0);
    CHECK (pthread_create (&thread, NULL, use_and_stay, library) == 0);
    pthread_barrier_wait (&used);
    CHECK (dlclose (library) == 0);
    pthread_barrier_wait (&unloaded);
    CHECK (pthread_join (thread, NULL) == 0);
}

static void it_is_loaded_and_unloaded_as_often_as_one_likes (void)
{
    pthread_t thread;
    for (int round = 0; round < ROUNDS; ++round) {
        void *library = load ();
        CHECK (pthread_create (&thread, NULL, use_and_end, library) == 0);
        CHECK (pthread_join (thread, NULL) == 0);
        CHECK (dlclose (library) == 0);
    }
}

int main (void)
{
    alarm (240);
    a_thread_that_used_the_library_ends_after_it_was_unloaded ();
    it_is_loaded_and_unloaded_as_often_as_one_likes ();
    puts ("well");
    return 0;
}
