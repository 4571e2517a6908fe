/* expect: calling function 'solo_transport_write' requires holding role 'solo_role_reactor' */
#include <solo/solo.h>

SOLO_POOL_ONLY void look_up(struct solo_transport *transport);
SOLO_REACTOR_ONLY void greet(struct solo_transport *transport);

#ifdef BROKEN
SOLO_POOL_ONLY void look_up(struct solo_transport *transport)
{
    (void)solo_transport_write(transport, "hello", 5);
}
#endif

SOLO_REACTOR_ONLY void greet(struct solo_transport *transport)
{
    (void)solo_transport_write(transport, "hello", 5);
}
