/* call_site.h - where the program called the kit, or what the kit stands in for (call_site.c). */
#ifndef SOLO__CALL_SITE_H
#define SOLO__CALL_SITE_H

#include <solo/violation.h>

/* Index of the innermost frame that is not the kit's; stack->count if there is none. */
uint32_t solo__call_site(const struct solo_stack *stack);

/* Takes the kit's own frames off the stack, if any others are left. */
void solo__call_site_first(struct solo_stack *stack);

/*
 * A number for that place in the code: the same in every run, wherever the code was loaded. 0: there is none.
 */
uint64_t solo__call_site_number(const struct solo_stack *stack);

/*
 * Where the stack, just taken, was called from a system library, in which frames are not linked: finds the callers
 * beyond by what is written down for exceptions. Takes its time.
 */
void solo__call_site_complete(struct solo_stack *stack);

#endif
