/*
 * pump.c - two string transports, and the bytes between them.
 *
 * A chunk is copied before it is delivered: who receives it may write to either side, and may call the pump again, but
 * not end it: the calls outside still use it.
 */
#include "transport_internal.h"
#include <solo/string_transport.h>
#include <string.h>

enum { CHUNK_MAX = 16 * 1024 };

struct solo_pump {
    struct solo__object object;
    struct solo_reactor *reactor;
    struct solo_transport *client, *server; /* the pump has a reference to each */
    unsigned calls;                         /* of its own that may be calling a protocol now */
};

/* ---- One direction ---- */

/* How much of what `from` wrote arrives at `to`. */
static size_t move_bytes(struct solo_transport *from, struct solo_transport *to, size_t chunk_max)
{
    char chunk[CHUNK_MAX];
    size_t size = from->outbox.count < chunk_max ? from->outbox.count : chunk_max;
    size = size < CHUNK_MAX ? size : CHUNK_MAX;
    if (to->closed && size > 0) { /* nobody will read it */
        solo__string_transport_take(from, size);
        return size;
    }
    if (size == 0 || to->read_ended || to->read_paused) {
        return 0;
    }
    memcpy(chunk, from->outbox.data + from->outbox.start, size);
    solo__string_transport_take(from, size);
    solo__transport_deliver(to, chunk, size);
    return size;
}

/* Whether `to` was told that `from` sends no more. */
static bool move_end(struct solo_transport *from, struct solo_transport *to)
{
    if (to->closed || !(from->closed || from->write_ended)) {
        return false;
    }
    bool fails_to_write = to->read_ended && to->outbox.count > 0;
    if (from->closed && (from->reason == SOLO_ECONNLOST || fails_to_write)) {
        solo__transport_lose_now(to, SOLO_ECONNLOST, true);
        return true;
    }
    if (to->read_ended || to->read_paused) {
        return false;
    }
    solo__transport_end_of_stream(to);
    return true;
}

static size_t move(struct solo_transport *from, struct solo_transport *to, size_t chunk_max)
{
    solo__transport_send_now(from); /* what waited for its turn in a pass, such as the end of writing */
    size_t moved = move_bytes(from, to, chunk_max);
    return moved > 0 ? moved : move_end(from, to);
}

/* ---- The pump ---- */

int solo_pump_create(struct solo_reactor *reactor, struct solo_protocol *client, struct solo_protocol *server,
                     struct solo_pump **ret_pump)
{
    void *created_at = __builtin_return_address(0);
    SOLO__LIVE_OBJECT(solo_pump_create, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    if (client == NULL || server == NULL || client == server || ret_pump == NULL) {
        return -EINVAL;
    }
    SOLO__REACTOR_ONLY(solo_pump_create, &reactor->owner, reactor);
    if (!solo__reactor_takes_connections(reactor)) {
        return SOLO_ECLOSING;
    }

    struct solo_pump *pump = solo__object_make(reactor->world, SOLO__PUMP, sizeof *pump, created_at);
    if (pump == NULL) {
        return -ENOMEM;
    }
    pump->reactor = reactor;
    pump->server = solo__string_transport_make(reactor, created_at);
    pump->client = pump->server != NULL ? solo__string_transport_make(reactor, created_at) : NULL;
    if (pump->client == NULL) {
        if (pump->server != NULL) {
            solo__transport_unref(pump->server);
        }
        solo__object_end(pump);
        return -ENOMEM;
    }
    solo__transport_ref(pump->server);
    solo__transport_ref(pump->client);
    *ret_pump = pump;
    pump->calls++;
    solo__string_transport_begin(pump->server, server);
    solo__string_transport_begin(pump->client, client);
    pump->calls--;
    return 0;
}

/* The rungs of a function on a pump. */
#define CHECK(function, pump)                                                                                          \
    SOLO__LIVE_OBJECT(function, pump, SOLO__PUMP, SOLO006_USE_AFTER_END);                                              \
    SOLO__OBJECT((pump)->reactor, SOLO__REACTOR);                                                                      \
    SOLO__REACTOR_ONLY(function, &(pump)->reactor->owner, pump)

static size_t step(struct solo_pump *pump, size_t chunk_max)
{
    size_t most = chunk_max != 0 ? chunk_max : SIZE_MAX;
    pump->calls++;
    size_t moved = move(pump->client, pump->server, most);
    moved += move(pump->server, pump->client, most);
    pump->calls--;
    return moved;
}

int solo_pump_step(struct solo_pump *pump, size_t chunk_max, size_t *ret_moved)
{
    CHECK(solo_pump_step, pump);

    size_t moved = step(pump, chunk_max);
    if (ret_moved != NULL) {
        *ret_moved = moved;
    }
    return 0;
}

int solo_pump_flush(struct solo_pump *pump, size_t chunk_max)
{
    CHECK(solo_pump_flush, pump);

    for (unsigned steps = 0; steps < SOLO_PUMP_STEPS_MAX; steps++) {
        if (step(pump, chunk_max) == 0) {
            return 0;
        }
    }
    return SOLO_ELIMIT;
}

int solo_pump_is_connected(struct solo_pump *pump, bool *ret_connected)
{
    CHECK(solo_pump_is_connected, pump);
    if (ret_connected == NULL) {
        return -EINVAL;
    }

    *ret_connected = !pump->client->closed || !pump->server->closed;
    return 0;
}

static void let_go(struct solo_transport *transport)
{
    if (!transport->closed) {
        solo__transport_lose_now(transport, SOLO_ECONNLOST, true);
    }
    solo__transport_unref(transport);
}

int solo_pump_destroy(struct solo_pump *pump)
{
    if (pump == NULL) {
        return 0;
    }
    CHECK(solo_pump_destroy, pump);
    if (pump->calls > 0) {
        return -EBUSY;
    }

    pump->calls++;
    let_go(pump->client);
    let_go(pump->server);
    solo__object_end(pump);
    return 0;
}
