/*
 * unguarded.h - included before every source of the library that guard.ns compares with: the check is not there. The
 * switch lives here and not in guard.h, so that no build of the kit itself can turn the guard off.
 */
#ifndef SOLO_TESTS_UNGUARDED_H
#define SOLO_TESTS_UNGUARDED_H

#include "reactor/guard.h"

#undef SOLO__REACTOR_ONLY
#define SOLO__REACTOR_ONLY(function, owner_, object_) ((void)(owner_))

#endif
