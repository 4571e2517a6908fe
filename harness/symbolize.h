/* symbolize.h - places and names for whoever writes them into a sentence (symbolize.c). */
#ifndef SOLO__SYMBOLIZE_H
#define SOLO__SYMBOLIZE_H

#include <solo/detail.h>
#include <stdbool.h>

/* The innermost frame of the program's own. False: there is none with a file and a line. */
bool solo__symbolize_place(const struct solo_stack *stack, struct solo_frame_text *ret_frame);

/* Whether this address lies in a function whose source is the kit's. */
bool solo__symbolize_is_kit(uintptr_t pc);

/* Whether it lies in the C library or in that of C++. */
bool solo__symbolize_is_system(uintptr_t pc);

/* The variable at this address, "accounts+48" inside one; false if it is none with a name, as on a stack. */
bool solo__symbolize_variable(const void *address, char *buffer, size_t size);

#endif
