/* address.c - addresses as text. */
#include <solo/address.h>
#include <arpa/inet.h>
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

/* Copies `size` characters, if they fit; then it is a string. */
static bool copy_text(char *to, size_t to_size, const char *from, size_t size)
{
    if (size >= to_size) {
        return false;
    }
    memcpy(to, from, size);
    to[size] = '\0';
    return true;
}

int solo_address_inet6(const char *host, uint16_t port, struct solo_address *ret_address)
{
    char text[INET6_ADDRSTRLEN];
    size_t length = host != NULL ? strnlen(host, INET6_ADDRSTRLEN + 2) : 0;
    bool in_brackets = length > 2 && host[0] == '[' && host[length - 1] == ']';
    struct solo_address address = {.family = SOLO_INET6, .port = port};
    if (ret_address == NULL || length == 0 ||
        !copy_text(text, sizeof text, host + in_brackets, length - 2u * in_brackets) ||
        inet_pton(AF_INET6, text, address.host6) != 1) {
        return -EINVAL;
    }

    *ret_address = address;
    return 0;
}

/* The digits after the last colon, and nothing else, as a port. */
static bool parse_port(const char *text, uint16_t *ret_port)
{
    uint32_t port = 0;
    int digits = 0;
    for (; *text >= '0' && *text <= '9' && digits < 5; text++, digits++) {
        port = port * 10 + (uint32_t)(*text - '0');
    }
    *ret_port = (uint16_t)port;
    return digits > 0 && *text == '\0' && port <= UINT16_MAX;
}

int solo_address_parse(const char *text, struct solo_address *ret_address)
{
    char host[INET6_ADDRSTRLEN + 2];
    uint16_t port;
    if (text == NULL || ret_address == NULL) {
        return -EINVAL;
    }

    if (strncmp(text, "unix:", 5) == 0) {
        return solo_address_unix(text + 5, ret_address);
    }
    const char *colon = strrchr(text, ':');
    if (colon == NULL || !parse_port(colon + 1, &port) || !copy_text(host, sizeof host, text, (size_t)(colon - text))) {
        return -EINVAL;
    }
    return *host == '[' ? solo_address_inet6(host, port, ret_address) : solo_address_inet(host, port, ret_address);
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
    if (address->family == SOLO_INET6) {
        char host[INET6_ADDRSTRLEN];
        (void)inet_ntop(AF_INET6, address->host6, host, sizeof host);
        return snprintf(text, size, "[%s]:%u", host, address->port);
    }
    if (address->family == SOLO_UNIX) {
        return snprintf(text, size, "unix:%s", address->path);
    }
    return -EINVAL;
}
