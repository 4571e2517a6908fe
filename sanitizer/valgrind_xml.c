/*
 * valgrind_xml.c - reads the XML files of helgrind, drd and memcheck into the kit's own record.
 *
 * A file is read as a whole before anything is delivered, so a bad file delivers nothing. Addresses are left out of
 * all texts: they differ from run to run. Threads are named where the tool knows a name: it says one only for the
 * thread that it stopped in, so names are first collected over all errors and then used for the other side too.
 */
#include <errno.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <solo/tool_report.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { THREADS_MAX = 512 }; /* threads whose names are remembered */

struct reading {
    enum solo_tool tool;
    xmlNode *root;
    char names[THREADS_MAX][SOLO_VIOLATION_NAME_MAX]; /* by the tool's thread number; "" if unknown */
    struct solo_violation violation;
    struct solo_detail detail;
};

/* ---- Small readers of the tree ---- */

static int is(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

/* The next child element called `name` after `after` (NULL: the first), or NULL. */
static xmlNode *child(const xmlNode *parent, const xmlNode *after, const char *name)
{
    xmlNode *node = after != NULL ? after->next : parent->children;
    while (node != NULL && !is(node, name)) {
        node = node->next;
    }
    return node;
}

/* The text of a node, or of its child called `name`, cut to fit; "" if there is none. */
static const char *copy_text(const xmlNode *parent, const char *name, char *buffer, size_t size)
{
    const xmlNode *node = name != NULL ? child(parent, NULL, name) : parent;
    xmlChar *content = node != NULL ? xmlNodeGetContent(node) : NULL;
    (void)snprintf(buffer, size, "%s", content != NULL ? (const char *)content : "");
    xmlFree(content);
    return buffer;
}

static unsigned long long number(const xmlNode *parent, const char *name)
{
    char text[32];
    return strtoull(copy_text(parent, name, text, sizeof text), NULL, 0);
}

/* Copies a tool's sentence without its addresses: " at 0x12ab" goes, "Address 0x12ab is" becomes "Address is". */
static void copy_without_addresses(char *to, size_t size, const char *from)
{
    size_t used = 0;
    while (*from != '\0' && used + 1 < size) {
        if (strncmp(from, "0x", 2) != 0) {
            to[used++] = *from++;
            continue;
        }
        from += 2 + strspn(from + 2, "0123456789abcdefABCDEF");
        if (used >= 4 && strncmp(to + used - 4, " at ", 4) == 0) {
            used -= 4;
        } else if (used >= 1 && to[used - 1] == ' ') {
            used--;
        }
    }
    to[used] = '\0';
}

/* What a tool says in <what> or <xwhat>; its text without addresses. */
static void copy_what(const xmlNode *node, char *buffer, size_t size)
{
    char raw[SOLO_VIOLATION_TEXT_MAX];
    copy_without_addresses(buffer, size,
                           copy_text(node, node != NULL && child(node, NULL, "text") ? "text" : NULL, raw, sizeof raw));
}

/* ---- Threads ---- */

static const char *thread_name(const struct reading *reading, unsigned long long thread, char *buffer, size_t size)
{
    if (thread < THREADS_MAX && reading->names[thread][0] != '\0') {
        (void)snprintf(buffer, size, "%s", reading->names[thread]);
    } else if (thread <= 1) {
        (void)snprintf(buffer, size, "main");
    } else {
        (void)snprintf(buffer, size, "thread #%llu", thread);
    }
    return buffer;
}

/* The tool's number of the thread an error was found in: helgrind says it apart, drd within the sentence. */
static unsigned long long thread_of(const xmlNode *error)
{
    const xmlNode *xwhat = child(error, NULL, "xwhat");
    if (xwhat != NULL && child(xwhat, NULL, "hthreadid") != NULL) {
        return number(xwhat, "hthreadid");
    }
    char what[SOLO_VIOLATION_TEXT_MAX];
    const char *by = strstr(copy_text(error, "what", what, sizeof what), " by thread ");
    return by != NULL ? strtoull(by + strlen(" by thread "), NULL, 10) : number(error, "tid");
}

static void collect_names(struct reading *reading)
{
    for (xmlNode *error = child(reading->root, NULL, "error"); error; error = child(reading->root, error, "error")) {
        unsigned long long thread = thread_of(error);
        if (thread < THREADS_MAX && child(error, NULL, "threadname") != NULL) {
            (void)copy_text(error, "threadname", reading->names[thread], sizeof reading->names[thread]);
        }
    }
}

/* ---- Stacks ---- */

/* Whether a frame is the tool's, the C library's or the kit's own: the reader looks for the program's. */
static int is_foreign(const xmlNode *frame)
{
    static const char *const names[] = {"vgpreload_", "libc.so", "libc-", "ld-linux", "libpthread", "libsolo"};
    char object[256];
    const char *slash = strrchr(copy_text(frame, "obj", object, sizeof object), '/');
    const char *base = slash != NULL ? slash + 1 : object;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strncmp(base, names[i], strlen(names[i])) == 0) {
            return 1;
        }
    }
    return 0;
}

/* The folder relative to the working directory where it lies below it, and the file's name. */
static void copy_file(const xmlNode *frame, char *buffer, size_t size)
{
    char folder[512], name[128], here[512];
    int half = (int)(size / 2) - 1;
    (void)copy_text(frame, "dir", folder, sizeof folder);
    (void)copy_text(frame, "file", name, sizeof name);
    const char *shown = folder;
    if (getcwd(here, sizeof here) != NULL && strncmp(folder, here, strlen(here)) == 0) {
        shown += strlen(here);
    }
    shown += strspn(shown, shown == folder ? "." : "");
    shown += shown != folder && *shown == '/';
    (void)snprintf(buffer, size, "%.*s%s%.*s", half, shown, *shown != '\0' && *name != '\0' ? "/" : "", half, name);
}

/* Copies a <stack>: every address, and in words the frames of the program, or all if there are none of it. */
static void copy_stack(const xmlNode *node, struct solo_stack *stack, struct solo_frame_text *frames,
                       uint32_t *ret_count)
{
    uint32_t own = 0;
    for (xmlNode *frame = child(node, NULL, "frame"); frame != NULL; frame = child(node, frame, "frame")) {
        if (stack->count < SOLO_STACK_MAX) {
            stack->frames[stack->count++] = number(frame, "ip");
        }
        own += !is_foreign(frame);
    }
    for (xmlNode *frame = child(node, NULL, "frame"); frame != NULL; frame = child(node, frame, "frame")) {
        if (*ret_count < SOLO_DETAIL_FRAMES_MAX && (own == 0 || !is_foreign(frame))) {
            struct solo_frame_text *text = &frames[(*ret_count)++];
            (void)copy_text(frame, "fn", text->function, sizeof text->function);
            copy_file(frame, text->file, sizeof text->file);
            text->line = (int32_t)number(frame, "line");
        }
    }
}

/* ---- One error ---- */

static unsigned id_of(const struct reading *reading, const char *kind)
{
    if (reading->tool == SOLO_TOOL_MEMCHECK) {
        return SOLO018_MEMORY;
    }
    return strcmp(kind, "Race") == 0 || strcmp(kind, "ConflictingAccess") == 0 ? SOLO017_DATA_RACE : SOLO016_LOCK_ORDER;
}

/* "during write of size 4" and "previous write of size 4" (helgrind), "Conflicting store ... size 4" (drd). */
static const char *access_text(const char *sentence, char *buffer, size_t size, uint64_t *ret_bytes)
{
    int writes = strstr(sentence, "write") != NULL || strstr(sentence, "store") != NULL;
    const char *digits = strstr(sentence, "size ");
    *ret_bytes = digits != NULL ? strtoull(digits + strlen("size "), NULL, 10) : 0;
    (void)snprintf(buffer, size, "%s of %llu byte%s", writes ? "write" : "read", (unsigned long long)*ret_bytes,
                   *ret_bytes == 1 ? "" : "s");
    return buffer;
}

/* The other side: the second stack, and the sentence before it. */
static void fill_other_side(struct reading *reading, const xmlNode *error, const xmlNode *stack)
{
    struct solo_violation *violation = &reading->violation;
    const xmlNode *what = NULL;
    char sentence[SOLO_VIOLATION_TEXT_MAX];
    for (const xmlNode *node = error->children; node != NULL && node != stack; node = node->next) {
        what = is(node, "auxwhat") || is(node, "xauxwhat") ? node : what;
    }
    copy_stack(stack, &violation->owner_stack, reading->detail.owner_frames, &reading->detail.owner_frame_count);
    if (what == NULL) {
        return;
    }
    copy_what(what, sentence, sizeof sentence);
    if (violation->id == SOLO017_DATA_RACE) {
        char access[64];
        uint64_t bytes;
        (void)thread_name(reading, number(what, "hthreadid"), violation->owner, sizeof violation->owner);
        (void)snprintf(violation->owner_bound, sizeof violation->owner_bound, "earlier %s",
                       access_text(sentence, access, sizeof access, &bytes));
    } else {
        (void)snprintf(violation->owner_bound, sizeof violation->owner_bound, "%.*s", SOLO_VIOLATION_NAME_MAX - 1,
                       sentence);
    }
}

static void add_text(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void add_text(char *text, size_t size, const char *format, ...)
{
    size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text + used, size - used, format, arguments);
    va_end(arguments);
}

/* One sentence: for a race the two accesses, else the tool's own; then whatever else it says. */
static void fill_text(struct reading *reading, const xmlNode *error, const xmlNode *what, const char *kind)
{
    struct solo_violation *violation = &reading->violation;
    char *text = violation->text;
    size_t size = sizeof violation->text;
    char sentence[SOLO_VIOLATION_TEXT_MAX] = "";
    if (what != NULL) {
        copy_what(what, sentence, sizeof sentence);
    }
    if (violation->id == SOLO017_DATA_RACE) {
        char access[64];
        add_text(text, size, "a %s by %s", access_text(sentence, access, sizeof access, &violation->amount),
                 violation->thread);
        add_text(text, size,
                 violation->owner[0] != '\0' ? " and an %s by %s are not ordered by anything"
                                             : " is not ordered with another thread's access",
                 violation->owner_bound, violation->owner);
        return;
    }
    if (strcmp(kind, "LockOrder") == 0) { /* its own sentence is about two addresses */
        add_text(text, size, "%s takes two locks in the opposite order to an earlier time", violation->thread);
        return;
    }
    add_text(text, size, "%s", sentence[0] != '\0' ? sentence : kind);
    for (const xmlNode *node = child(error, NULL, "auxwhat"); node != NULL; node = child(error, node, "auxwhat")) {
        copy_what(node, sentence, sizeof sentence);
        if (strstr(sentence, "was first observed") == NULL && strstr(sentence, "was alloc'd at") == NULL) {
            add_text(text, size, "; %s", sentence);
        }
    }
}

static const char *help_for(unsigned id, const char *kind)
{
    if (id == SOLO017_DATA_RACE) {
        return SOLO_TOOL_RACE_HELP;
    }
    if (id == SOLO016_LOCK_ORDER) {
        return SOLO_TOOL_LOCK_HELP;
    }
    return strncmp(kind, "Leak_", 5) == 0
               ? "free it where its last user is done, such as in a done function"
               : "keep what queued work uses alive until its done function has run, and free it there";
}

/* How often the tool saw this error: <errorcounts> pairs it with <unique>. */
static uint32_t count_of(const struct reading *reading, const xmlNode *error)
{
    char unique[32], other[32];
    const xmlNode *counts = NULL;
    (void)copy_text(error, "unique", unique, sizeof unique);
    while ((counts = child(reading->root, counts, "errorcounts")) != NULL) {
        for (xmlNode *pair = child(counts, NULL, "pair"); pair != NULL; pair = child(counts, pair, "pair")) {
            if (strcmp(copy_text(pair, "unique", other, sizeof other), unique) == 0) {
                return (uint32_t)number(pair, "count");
            }
        }
    }
    return 1; /* leaks are not in the list */
}

static void fill(struct reading *reading, const xmlNode *error)
{
    struct solo_violation *violation = &reading->violation;
    const xmlNode *what = child(error, NULL, "xwhat") ? child(error, NULL, "xwhat") : child(error, NULL, "what");
    const xmlNode *stack = child(error, NULL, "stack");
    char kind[64];
    memset(violation, 0, sizeof *violation);
    memset(&reading->detail, 0, sizeof reading->detail);
    (void)copy_text(error, "kind", kind, sizeof kind);
    violation->id = id_of(reading, kind);
    violation->from_tool = (uint32_t)reading->tool;
    violation->count = count_of(reading, error);
    (void)thread_name(reading, thread_of(error), violation->thread, sizeof violation->thread);
    if (stack != NULL) {
        copy_stack(stack, &violation->stack, reading->detail.frames, &reading->detail.frame_count);
        const xmlNode *other = child(error, stack, "stack");
        if (other != NULL) {
            fill_other_side(reading, error, other);
        }
    }
    fill_text(reading, error, what, kind);
    if (violation->id != SOLO017_DATA_RACE && what != NULL) {
        violation->amount = child(what, NULL, "leakedbytes") ? number(what, "leakedbytes") : 0;
    }
    (void)snprintf(violation->help, sizeof violation->help, "%s", help_for(violation->id, kind));
}

/* ---- The file ---- */

static enum solo_tool tool_of(const xmlNode *root)
{
    char name[32];
    (void)copy_text(root, "protocoltool", name, sizeof name);
    for (unsigned tool = SOLO_TOOL_HELGRIND; tool <= SOLO_TOOL_MEMCHECK; tool++) {
        if (strcmp(name, solo_tool_name(tool)) == 0) {
            return (enum solo_tool)tool;
        }
    }
    return SOLO_TOOL_NONE;
}

/* One line, without the line break that libxml2's messages end with. */
static int refuse(int code, char *why, const char *path, int line, const char *message)
{
    int length = (int)strcspn(message, "\n");
    if (line > 0) {
        (void)snprintf(why, SOLO_TOOL_WHY_MAX, "%s:%d: %.*s", path, line, length, message);
    } else {
        (void)snprintf(why, SOLO_TOOL_WHY_MAX, "%s: %.*s", path, length, message);
    }
    return code;
}

static int parse(const char *path, xmlDoc **ret_document, char *why)
{
    FILE *file = fopen(path, "rb");
    int error = errno;
    if (file == NULL) {
        return refuse(-error, why, path, 0, strerror(error));
    }
    struct stat status;
    if (fstat(fileno(file), &status) == 0 && S_ISDIR(status.st_mode)) {
        (void)fclose(file);
        return refuse(-EISDIR, why, path, 0, strerror(EISDIR));
    }
    /* No network and no substitution of entities; a file as deep or large as only an attack makes it is refused. */
    xmlDoc *document = xmlReadFd(fileno(file), path, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    (void)fclose(file);
    if (document == NULL) {
        const xmlError *last = xmlGetLastError();
        return refuse(-EBADMSG, why, path, last != NULL ? last->line : 0,
                      last != NULL && last->message != NULL ? last->message : "not an XML file");
    }
    *ret_document = document;
    return 0;
}

int solo_tool_report_read(const char *path, solo_tool_report_fn fn, void *arg, unsigned *ret_count,
                          char why[SOLO_TOOL_WHY_MAX])
{
    xmlDoc *document = NULL;
    unsigned count = 0;
    if (path == NULL || fn == NULL) {
        return -EINVAL;
    }

    int error = parse(path, &document, why);
    if (error < 0) {
        return error;
    }
    struct reading *reading = calloc(1, sizeof *reading);
    if (reading == NULL) {
        error = refuse(-ENOMEM, why, path, 0, "out of memory");
        goto out;
    }
    reading->root = xmlDocGetRootElement(document);
    reading->tool = is(reading->root, "valgrindoutput") ? tool_of(reading->root) : SOLO_TOOL_NONE;
    if (reading->tool == SOLO_TOOL_NONE) {
        error = refuse(-EBADMSG, why, path, 0, "not an XML file of helgrind, drd or memcheck");
        goto out;
    }
    collect_names(reading);
    for (xmlNode *node = child(reading->root, NULL, "error"); node != NULL;
         node = child(reading->root, node, "error")) {
        fill(reading, node);
        fn(&reading->violation, &reading->detail, arg);
        count++;
    }
    if (ret_count != NULL) {
        *ret_count = count;
    }
out:
    free(reading);
    xmlFreeDoc(document);
    return error;
}

const char *solo_tool_name(unsigned tool)
{
    static const char *const names[SOLO_TOOL_COUNT] = {
        [SOLO_TOOL_TSAN] = "ThreadSanitizer", [SOLO_TOOL_HELGRIND] = "helgrind",     [SOLO_TOOL_DRD] = "drd",
        [SOLO_TOOL_MEMCHECK] = "memcheck",    [SOLO_TOOL_ASAN] = "AddressSanitizer",
    };
    return tool < SOLO_TOOL_COUNT && names[tool] != NULL ? names[tool] : "";
}
