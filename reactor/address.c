/* address.c - addresses as text. */
#include <solo/address.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* "127.0.0.1": four decimal numbers and nothing else. */
static bool parse_host(const char *text, uint32_t *ret_host)
{
    uint32_t host = 0;
    for (int part = 0; part < 4; part++) {
        unsigned value = 0;
        int digits = 0;
        for (; *text >= '0' && *text <= '9' && digits < 3; text++, digits++) {
            value = value * 10 + (unsigned)(*text - '0');
        }
        if (digits == 0 || value > 255 || *text != (part < 3 ? '.' : '\0')) {
            return false;
        }
        text += part < 3;
        host = host << 8 | value;
    }
    *ret_host = host;
    return true;
}

int solo_address_inet(const char *host, uint16_t port, struct solo_address *ret_address)
{
    uint32_t number;
    if (host == NULL || ret_address == NULL || !parse_host(host, &number)) {
        return -EINVAL;
    }

    *ret_address = (struct solo_address){.family = SOLO_INET, .port = port, .host = number};
    return 0;
}

int solo_address_unix(const char *path, struct solo_address *ret_address)
{
    if (path == NULL || ret_address == NULL || *path == '\0') {
        return -EINVAL;
    }
    size_t length = strlen(path);
    if (length > SOLO_ADDRESS_PATH_MAX) {
        return -ENAMETOOLONG;
    }

    *ret_address = (struct solo_address){.family = SOLO_UNIX};
    memcpy(ret_address->path, path, length);
    return 0;
}

int solo_address_text(const struct solo_address *address, char *text, size_t size)
{
    if (address == NULL || text == NULL || size == 0) {
        return -EINVAL;
    }

    if (address->family == SOLO_INET) {
        uint32_t host = address->host;
        return snprintf(text, size, "%u.%u.%u.%u:%u", host >> 24, host >> 16 & 255, host >> 8 & 255, host & 255,
                        address->port);
    }
    if (address->family == SOLO_UNIX) {
        return snprintf(text, size, "unix:%s", address->path);
    }
    return -EINVAL;
}
