/* expect: incompatible function pointer types */
#include <solo/solo.h>

/* NULL, a variable and a callback without a contract are all fine, and so is the address of the function. */
typedef int call_fn(struct solo_reactor *reactor, solo_call_fn fn, void *arg, solo_done_fn done);
call_fn *address(void);
int begin(struct solo_reactor *reactor, solo_call_fn fn, int *counter);
void plain(void *arg);

#ifdef BROKEN
int (*wrong)(void) = solo_reactor_call_from_thread;
#endif

call_fn *address(void)
{
    return solo_reactor_call_from_thread;
}

int begin(struct solo_reactor *reactor, solo_call_fn fn, int *counter)
{
    int e = solo_reactor_call_from_thread(reactor, NULL, NULL, NULL);
    e += solo_reactor_call_from_thread(reactor, fn, &counter[(*counter)++], NULL);
    e += solo_reactor_call_in_thread(reactor, 0, NULL, 0);
    return e + (solo_reactor_call_from_thread)(reactor, plain, NULL, NULL);
}
