/*
 * address.h - where a connection or a datagram comes from and goes to.
 *
 * An address is a plain value: copy it, compare its fields, keep it. An IPv4 address is a host and a port, both in the
 * machine's own byte order; an IPv6 address is sixteen bytes, as they are sent, and a port; a UNIX address is the name
 * of a socket in the file system. Link-local IPv6 hosts, which need the number of an interface, cannot be said.
 */
#ifndef SOLO_ADDRESS_H
#define SOLO_ADDRESS_H

#include <solo/error.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum solo_family { SOLO_FAMILY_NONE = 0, SOLO_INET, SOLO_UNIX, SOLO_INET6 };

enum {
    SOLO_ADDRESS_PATH_MAX = 107, /* bytes of a UNIX name */
    SOLO_ADDRESS_TEXT_MAX = 128, /* room for any address as text */
};

#define SOLO_LOOPBACK UINT32_C(0x7f000001) /* the host 127.0.0.1 */

struct solo_address {
    uint16_t family; /* enum solo_family; what the other fields mean */
    uint16_t port;   /* of SOLO_INET and SOLO_INET6; 0 where one is to be chosen */
    uint32_t host;   /* of SOLO_INET, as a number: 0x7f000001 is 127.0.0.1; 0 is any of this machine */
    char path[SOLO_ADDRESS_PATH_MAX + 1]; /* of SOLO_UNIX; "" is a socket without a name */
    uint8_t host6[16];                    /* of SOLO_INET6; all zero ("::") is any of this machine */
};

/* Reads an IPv4 literal, "127.0.0.1". -EINVAL: it is none. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_address_inet(const char *host, uint16_t port, struct solo_address *ret_address);

/* Reads an IPv6 literal, "::1" or "[::1]". -EINVAL: it is none. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_address_inet6(const char *host, uint16_t port, struct solo_address *ret_address);

/* The socket of that name. -EINVAL: it is empty. -ENAMETOOLONG: it has more than SOLO_ADDRESS_PATH_MAX bytes. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_address_unix(const char *path, struct solo_address *ret_address);

/* Reads what solo_address_text writes, but for a socket without a name. -EINVAL: it is none. -ENAMETOOLONG. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_address_parse(const char *text, struct solo_address *ret_address);

/*
 * Writes "127.0.0.1:8007", "[::1]:8007", "unix:/run/chat" or "unix:" (no name) into `text`, cut to fit and terminated.
 * Returns the length of the whole. -EINVAL: no address, or no room at all.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_address_text(const struct solo_address *address, char *text, size_t size);

#ifdef __cplusplus
}
#endif
#endif
