/*
 * checkpoint.h - an exploration on disk, to go on after it was killed.
 *
 * A file is written beside the old one and renamed over it, so whoever is killed leaves one or the other. It belongs to
 * this kit, this program (its name, arguments and bytes) and these options; anything else refuses it.
 */
#ifndef SOLO__CHECKPOINT_H
#define SOLO__CHECKPOINT_H

#include "subject.h"

/* Writes what the subject's region has seen, and that so many units of it are done. 0 or a negative errno. */
int solo__checkpoint_write(const char *path, const struct solo__subject *subject, uint64_t units_done);

/*
 * Puts the file's content into the region, whose request is filled in. -ENOENT: there is no such file, and nothing is
 * changed; -EINVAL: refused, with one sentence in subject->why; other errors are of the file.
 */
int solo__checkpoint_read(const char *path, struct solo__subject *subject, uint64_t *ret_units_done);

#endif
