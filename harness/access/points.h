/* points.h - the atomic operations that compilers give ThreadSanitizer to do, for each size. */
#ifndef SOLO__ACCESS_POINTS_H
#define SOLO__ACCESS_POINTS_H

/* X(bits, type) */
#define ACCESS_SIZES(X)                                                                                                \
    X(8, uint8_t)                                                                                                      \
    X(16, uint16_t)                                                                                                    \
    X(32, uint32_t)                                                                                                    \
    X(64, uint64_t)

/* X(bits, type, name), of those that take a value and an order */
#define ACCESS_CHANGES(X, bits, type)                                                                                  \
    X(bits, type, exchange)                                                                                            \
    X(bits, type, fetch_add)                                                                                           \
    X(bits, type, fetch_sub)                                                                                           \
    X(bits, type, fetch_and)                                                                                           \
    X(bits, type, fetch_or)                                                                                            \
    X(bits, type, fetch_xor)                                                                                           \
    X(bits, type, fetch_nand)

#endif
