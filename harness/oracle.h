/*
 * oracle.h - the oracles: findings that no single call can see, made from the events of one schedule.
 *
 * Each oracle is a small state machine over probe events with tables of a fixed size; none allocates, and a table
 * that is full makes its oracle silent about what did not fit, never wrong. In world sim a finding is held back
 * until the schedule ends, carrying the step at which it became true, and is then reported (solo_violation_report);
 * in world os, where a program may run for days, it is reported at once. Each oracle has a silent twin of its failing
 * test. What may do harm and has not is a warning, and never reported as if it had: SOLO016, of locks taken in a circle
 * (oracle_lock_order.c) and of locks held while the kit calls what somebody else registered (oracle_call_out.c).
 */
#ifndef SOLO_ORACLE_H
#define SOLO_ORACLE_H

#include <solo/sim.h>
#include <solo/violation.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Starts watching: a new schedule begins. Call it before the first event, on one thread. The first call of a process
 * subscribes to the probe.
 */
void solo_oracles_begin(void);

/*
 * The schedule has ended with this ending (enum solo_ending; SOLO_ENDING_NONE: a program of world os ends). Makes
 * the findings that need an end and reports all of them. Call it exactly once for each begin, while the schedule's
 * threads and objects still have names and waiters: from the simulation's ending hook, or at exit in world os.
 */
void solo_oracles_end(int ending);

/*
 * The process dies in the middle of a schedule: hands out what was held back, without anything that a dying process
 * should not do. keep(finding, arg) must not either.
 */
void solo_oracles_die(void (*keep)(const struct solo_violation *violation, void *arg), void *arg);

/*
 * How long, in nanoseconds of world time, a reactor callback may block before it is SOLO002. The default is 0 in
 * world sim (any blocking) and "never" in world os, unless SOLO_BUDGET_NS is set, which then holds in both.
 */
void solo_oracles_set_budget_ns(uint64_t budget_ns);

/*
 * Whether sentences say files, lines and the program's names: wanted of a schedule that is shown to somebody, and too
 * slow for one of thousands. Off at first.
 */
void solo_oracles_name_places(bool wanted);

#endif
