/*
 * sim_service.c - the ports and UNIX names of the simulated network.
 *
 * A port or name keeps one object id from its first mention on, whoever listens there: LISTEN, CONNECT and ACCEPT
 * speak of it, and so does everything about datagrams.
 */
#include "sanitizer/annotate.h"
#include "sim_network.h"
#include <string.h>

enum { LOOPBACK_NET = 127, DOCUMENTATION_NET = 0xc00002 /* 192.0.2 */ };

static bool is_at(const struct sim_service *service, enum sim_space space, const struct solo_address *address)
{
    return service->space == space &&
           (space == SIM_NAMES ? strcmp(service->path, address->path) == 0 : service->port == address->port);
}

static struct sim_service *make(struct solo_world *world, enum sim_space space, const struct solo_address *address)
{
    size_t path_size = space == SIM_NAMES ? strlen(address->path) + 1 : 0;
    struct sim_service *service = core_allocate(core_of(world), sizeof *service + path_size);
    if (service == NULL) {
        return NULL;
    }
    memset(service, 0, sizeof *service);
    service->space = (uint8_t)space;
    service->port = address->port;
    if (path_size > 0) {
        service->path = (char *)(service + 1);
        memcpy(service->path, address->path, path_size);
    }
    service->object = solo__object_next_id(world, SOLO__STREAM);
    return service;
}

struct sim_service *sim__service_of(struct solo_world *world, enum sim_space space, const struct solo_address *address)
{
    struct sim_network *network = sim__network_of(world);
    struct sim_service *service = network != NULL ? network->services : NULL;
    while (service != NULL && !is_at(service, space, address)) {
        service = service->next;
    }
    if (service != NULL || network == NULL) {
        return service;
    }
    service = make(world, space, address);
    if (service != NULL) {
        service->next = network->services;
        network->services = service;
    }
    return service;
}

struct sim_service *sim__service_begin(struct solo_world *world, enum solo_probe_kind kind, enum sim_space space,
                                       const struct solo_address *address)
{
    SOLO_ANNOTATE_IGNORE_BEGIN();
    struct sim_service *service = sim__service_of(world, space, address);
    uint32_t object = service != NULL ? service->object : 0;
    SOLO_ANNOTATE_IGNORE_END();
    core_announce(core_of(world), kind, SOLO_ACCESS_WRITE, object, address->port);
    return service;
}

uint16_t sim__service_next_port(struct solo_world *world)
{
    struct sim_network *network = sim__network_of(world);
    if (network == NULL) {
        return 0;
    }
    uint16_t port = network->ephemeral;
    network->ephemeral = port == UINT16_MAX ? SIM_EPHEMERAL_FIRST : (uint16_t)(port + 1);
    return port;
}

bool sim__is_local(const struct solo_address *address)
{
    static const uint8_t any[16], loopback[16] = {[15] = 1};
    if (address->family == SOLO_INET6) {
        return memcmp(address->host6, any, sizeof any) == 0 || memcmp(address->host6, loopback, sizeof loopback) == 0;
    }
    return address->family == SOLO_UNIX || address->host == 0 || address->host >> 24 == LOOPBACK_NET;
}

bool sim__is_silent(const struct solo_address *address)
{
    static const uint8_t documentation[4] = {0x20, 0x01, 0x0d, 0xb8};
    if (address->family == SOLO_INET6) {
        return memcmp(address->host6, documentation, sizeof documentation) == 0;
    }
    return address->family == SOLO_INET && address->host >> 8 == DOCUMENTATION_NET;
}

struct solo_address sim__address_at(unsigned space, uint16_t port)
{
    bool is_inet6 = space == SIM_TCP6 || space == SIM_UDP6;
    struct solo_address address = {.family = space == SIM_NAMES ? SOLO_UNIX
                                             : is_inet6         ? SOLO_INET6
                                                                : SOLO_INET,
                                   .port = port};
    address.host = address.family == SOLO_INET ? SOLO_LOOPBACK : 0;
    address.host6[15] = is_inet6;
    return address;
}

/* A port where nobody is; 0: there is none. */
static uint16_t free_port(struct solo_world *world, enum sim_space space)
{
    for (unsigned tries = 0; tries <= UINT16_MAX - SIM_EPHEMERAL_FIRST; tries++) {
        struct solo_address at = {.family = SOLO_INET, .port = sim__service_next_port(world)};
        const struct sim_service *service = at.port != 0 ? sim__service_of(world, space, &at) : NULL;
        if (service != NULL && service->listener == NULL) {
            return at.port;
        }
    }
    return 0;
}

int sim__service_choose_port(struct solo_world *world, enum sim_space space, struct solo_address *local)
{
    if (!sim__is_local(local)) {
        return -EADDRNOTAVAIL;
    }
    if (local->port == 0) {
        SOLO_ANNOTATE_IGNORE_BEGIN();
        local->port = free_port(world, space);
        SOLO_ANNOTATE_IGNORE_END();
    }
    return local->port != 0 ? 0 : -EADDRINUSE;
}
