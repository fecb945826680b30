/* Wrong on purpose: memory that nobody holds any more. Only for the address sanitizer (`cargo xtask sanitize`), which must
   find it at the end: this proves that it looks for leaks. */
#include <zmq.h>

#include <stdio.h>
#include <stdlib.h>

int main (void)
{
    void *context = zmq_ctx_new ();
    void *volatile lost = malloc (1000);
    lost = NULL;
    (void) lost;
    zmq_ctx_term (context);
    puts ("well");
    return 0;
}
