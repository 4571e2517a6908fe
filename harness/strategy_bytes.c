/*
 * strategy_bytes.c - a fuzzer's bytes are the answers: a byte a choice, two where there are more than 256 options.
 *
 * Byte 0 is the plain answer and so is every choice after the last byte: shorter inputs, and inputs of zeroes, are
 * simpler schedules, which is what fuzzers minimise towards.
 */
#include "strategy.h"
#include <string.h>

int solo_strategy_bytes(const struct solo_strategy *strategy, void *state, const void *bytes, size_t size)
{
    if (strategy != &solo__strategy_bytes || state == NULL || (bytes == NULL && size != 0)) {
        return -EINVAL;
    }
    struct solo__bytes_state *given = state;
    given->size = size < SOLO_BYTES_MAX ? (uint32_t)size : SOLO_BYTES_MAX;
    given->loaded = 1;
    if (given->size != 0) {
        memcpy(given->bytes, bytes, given->size);
    }
    return 0;
}

static int begin(void *state, uint64_t seed)
{
    struct solo__bytes_state *given = state;
    (void)seed;
    if (given->next != 0 && !given->loaded) {
        return 1; /* these bytes were used */
    }
    given->loaded = 0;
    given->next = 1;
    return 0;
}

static unsigned take_byte(struct solo__bytes_state *given)
{
    return given->next <= given->size ? given->bytes[given->next++ - 1] : 0;
}

static size_t choose(void *state, const struct solo_choice *choice)
{
    struct solo__bytes_state *given = state;
    size_t answer = take_byte(given);
    if (choice->count > 256) {
        answer += (size_t)take_byte(given) << 8;
    }
    return answer % choice->count;
}

const struct solo_strategy solo__strategy_bytes = {.name = "bytes", .begin = begin, .choose = choose};
