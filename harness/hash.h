/* hash.h - what two explorations are compared by: FNV-1a, 64 bits. */
#ifndef SOLO__HASH_H
#define SOLO__HASH_H

#include "subject.h"

#define SOLO__HASH_START UINT64_C(0xcbf29ce484222325)

uint64_t solo__hash(uint64_t hash, const void *bytes, size_t size);
/* A file that cannot be read has no bytes. */
uint64_t solo__hash_file(uint64_t hash, const char *path);

/*
 * Over the bytes of every argument that names a file which can be executed, because the program may be behind a
 * wrapper; of a scenario: the same for all.
 */
uint64_t solo__subject_bytes(const struct solo__subject *subject);

#endif
