/* lock_orders.h - what becomes of locks that were taken in a circle, when an exploration is over (SOLO016). */
#ifndef SOLO__LOCK_ORDERS_H
#define SOLO__LOCK_ORDERS_H

#include "subject.h"

/*
 * Leaves in the ledger those of which it is still not known whether they can come to a deadlock: takes out what was
 * reached and, after a search that tried every schedule, all; and has a few more schedules directed at the others.
 * Says so at the end of the evidence. 0, or the kit's error.
 */
int solo__lock_orders_settle(struct solo__subject *subject, char evidence[SOLO_EVIDENCE_MAX]);

#endif
