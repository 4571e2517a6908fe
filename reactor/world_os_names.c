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

static bool has(const struct solo_addresses *addresses, uint32_t address)
{
    for (size_t i = 0; i < addresses->count; i++) {
        if (addresses->addresses[i] == address) {
            return true;
        }
    }
    return false;
}

int solo__os_look_up(const char *name, struct solo_addresses *ret_addresses)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found = NULL;
    struct solo_addresses addresses = {0};
    int error = getaddrinfo(name, NULL, &hints, &found);
    if (error != 0) {
        return status_of(error);
    }
    for (const struct addrinfo *at = found; at != NULL && addresses.count < SOLO_ADDRESSES_MAX; at = at->ai_next) {
        struct sockaddr_in inet;
        memcpy(&inet, at->ai_addr, sizeof inet);
        uint32_t address = ntohl(inet.sin_addr.s_addr);
        if (!has(&addresses, address)) {
            addresses.addresses[addresses.count++] = address;
        }
    }
    freeaddrinfo(found);
    if (addresses.count == 0) {
        return SOLO_ENAME;
    }
    *ret_addresses = addresses;
    return 0;
}
