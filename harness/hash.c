/* hash.c - hashing bytes, files, and the files of a program. */
#include "hash.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

uint64_t solo__hash(uint64_t hash, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ ((const unsigned char *)bytes)[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

uint64_t solo__hash_file(uint64_t hash, const char *path)
{
    char buffer[65536];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, buffer, sizeof buffer) : 0;
    while (got > 0) {
        hash = solo__hash(hash, buffer, (size_t)got);
        got = read(fd, buffer, sizeof buffer);
    }
    if (fd >= 0) {
        close(fd);
    }
    return hash;
}

uint64_t solo__subject_bytes(const struct solo__subject *subject)
{
    uint64_t hash = SOLO__HASH_START;
    for (size_t i = 0; subject->argv != NULL && subject->argv[i] != NULL; i++) {
        struct stat status;
        const char *argument = subject->argv[i];
        if (stat(argument, &status) == 0 && S_ISREG(status.st_mode) && access(argument, X_OK) == 0) {
            hash = solo__hash_file(hash, argument);
        }
    }
    return hash;
}
