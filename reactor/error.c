/* error.c - every code in words. The C library knows the errno values, untranslated; the kit's own are listed here. */
#define _GNU_SOURCE
#include <solo/error.h>
#include <stddef.h>
#include <string.h>

struct own_code {
    int code;
    const char *name;
    const char *text;
};

static const struct own_code own_codes[] = {
    {SOLO_OK, "SOLO_OK", "success"},
    {SOLO_EWRONGTHREAD, "SOLO_EWRONGTHREAD", "the calling thread may not make this call"},
    {SOLO_EONREACTOR, "SOLO_EONREACTOR", "this call would wait for the reactor, on the reactor thread"},
    {SOLO_ECLOSING, "SOLO_ECLOSING", "it is stopping and takes nothing new"},
    {SOLO_ECLOSED, "SOLO_ECLOSED", "the object has ended"},
    {SOLO_EALREADYQUIT, "SOLO_EALREADYQUIT", "the worker has quit"},
    {SOLO_EALREADYCALLED, "SOLO_EALREADYCALLED", "it was called already"},
    {SOLO_EALREADYCANCELLED, "SOLO_EALREADYCANCELLED", "it was cancelled already"},
    {SOLO_ENOTRUNNING, "SOLO_ENOTRUNNING", "the reactor is not running"},
    {SOLO_EALREADYRUNNING, "SOLO_EALREADYRUNNING", "the reactor is running already"},
    {SOLO_ENOTRESTARTABLE, "SOLO_ENOTRESTARTABLE", "the reactor was stopped and cannot run again"},
    {SOLO_ECANCELLED, "SOLO_ECANCELLED", "it was cancelled"},
    {SOLO_ECONNDONE, "SOLO_ECONNDONE", "the connection was closed cleanly"},
    {SOLO_ECONNLOST, "SOLO_ECONNLOST", "the connection was lost"},
    {SOLO_ELIMIT, "SOLO_ELIMIT", "a limit is reached"},
    {SOLO_EDIVERGED, "SOLO_EDIVERGED", "the token no longer fits the program"},
    {SOLO_ENAME, "SOLO_ENAME", "there is no such host name"},
    {SOLO_EPOOLFULL, "SOLO_EPOOLFULL", "no thread of the pool was free in time"},
};

static const struct own_code *find(int code)
{
    for (size_t i = 0; i < sizeof own_codes / sizeof own_codes[0]; i++) {
        if (own_codes[i].code == code) {
            return &own_codes[i];
        }
    }
    return NULL;
}

/* No errno value is this large, and minus INT_MIN is no int. */
static int is_errno(int code)
{
    return code < 0 && code > -4096;
}

const char *solo_error_text(int code)
{
    const struct own_code *own = find(code);
    const char *text = own == NULL && is_errno(code) ? strerrordesc_np(-code) : NULL;
    return own != NULL ? own->text : text != NULL ? text : "unknown error";
}

const char *solo_error_name(int code)
{
    const struct own_code *own = find(code);
    const char *name = own == NULL && is_errno(code) ? strerrorname_np(-code) : NULL;
    return own != NULL ? own->name : name != NULL ? name : "?";
}
