/*
 * program_file.h - what kind of program the user named: a look at the file, before anything is started.
 */
#ifndef SOLO__PROGRAM_FILE_H
#define SOLO__PROGRAM_FILE_H

#include "region.h"

struct solo__program_file {
    char path
        [SOLO__PATH_MAX]; /* of the program itself, which may stand behind a wrapper such as env; real and absolute */
    bool uses_kit;        /* it is linked with libsolo */
    bool is_plain;        /* its threads are to be interposed: it does not use libsolo, or calls pthreads beside it */
    bool takes_preload;   /* it uses libsolo, and another library may be loaded before its own */
    bool uses_asan;       /* it is built with AddressSanitizer */
    bool has_accesses;    /* it announces its memory accesses: built by solo cc */
    char runtime[32];     /* of its sanitizer, "libasan.so.8", if that is a library: it has to be the first; else "" */
};

/*
 * Looks at the command line. Without a path ("") nothing is known about it, as of a script. -ENOENT, -EACCES, -ENOEXEC
 * are left for the start to find. -ENOTSUP, and the reason in `why`: it is there and cannot be simulated.
 */
int solo__program_look(char *const argv[], struct solo__program_file *ret_file, char why[SOLO_EVIDENCE_MAX]);

#endif
