/* The program of the golden reports; nobody compiles it. */
#include <solo/solo.h>

struct user {
    struct solo_reactor *reactor;
    struct solo_transport *transport;
    char name[32];
};

static SOLO_POOL_ONLY void look_up(void *arg)
{
    struct user *user = arg;
    char line[64];
	size_t n = slow_lookup(user->name, line, sizeof line);
    solo_transport_write(user->transport, line, n);
}

static SOLO_REACTOR_ONLY void data_received(struct solo_protocol *protocol, const void *data, size_t size)
{
    struct user *user = user_of(protocol, data, size);
    solo_reactor_call_in_thread(user->reactor, look_up, user, NULL);
}
