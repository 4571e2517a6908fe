/* world_os_names.c - the system's look-up of host names in world os: getaddrinfo, which blocks. */
#define _GNU_SOURCE
#include "names_internal.h"
#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

static int status_of(int error)
{
    switch (error) {
    case EAI_AGAIN: return -EAGAIN;
    case EAI_MEMORY: return -ENOMEM;
    case EAI_SYSTEM: return errno != 0 ? -errno : SOLO_ENAME;
    default: return SOLO_ENAME;
    }
}

static void add_inet(struct solo_addresses *addresses, const struct sockaddr *found)
{
    struct sockaddr_in inet;
    memcpy(&inet, found, sizeof inet);
    uint32_t address = ntohl(inet.sin_addr.s_addr);
    size_t i = 0;
    while (i < addresses->count && addresses->addresses[i] != address) {
        i++;
    }
    if (i == addresses->count && i < SOLO_ADDRESSES_MAX) {
        addresses->addresses[addresses->count++] = address;
    }
}

/* Link-local ones are of no use without their interface. */
static void add_inet6(struct solo_addresses *addresses, const struct sockaddr *found)
{
    struct sockaddr_in6 inet6;
    memcpy(&inet6, found, sizeof inet6);
    size_t i = 0;
    while (i < addresses->count6 && memcmp(addresses->addresses6[i], &inet6.sin6_addr, 16) != 0) {
        i++;
    }
    if (i == addresses->count6 && i < SOLO_ADDRESSES_MAX && !IN6_IS_ADDR_LINKLOCAL(&inet6.sin6_addr)) {
        memcpy(addresses->addresses6[addresses->count6++], &inet6.sin6_addr, 16);
    }
}

int solo__os_look_up(const char *name, struct solo_addresses *ret_addresses)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *found = NULL;
    struct solo_addresses addresses = {0};
    int error = getaddrinfo(name, NULL, &hints, &found);
    if (error != 0) {
        return status_of(error);
    }
    for (const struct addrinfo *at = found; at != NULL; at = at->ai_next) {
        if (at->ai_family == AF_INET) {
            add_inet(&addresses, at->ai_addr);
        } else if (at->ai_family == AF_INET6) {
            add_inet6(&addresses, at->ai_addr);
        }
    }
    freeaddrinfo(found);
    if (addresses.count + addresses.count6 == 0) {
        return SOLO_ENAME;
    }
    *ret_addresses = addresses;
    return 0;
}
