/*
 * checkpoint.c - writing and reading an exploration's ledger, its traces, schedules of its defects, and its strategy.
 */
#define _GNU_SOURCE
#include "checkpoint.h"
#include "hash.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static const char magic[16] = "solo-checkpoint";
enum { VERSION = 1 };

struct header {
    char magic[sizeof magic];
    uint64_t version;
    uint64_t kit; /* SOLO__REGION_MAGIC */
    char name[SOLO_SCENARIO_NAME_MAX];
    uint64_t program; /* hash of its arguments and bytes */
    uint64_t options; /* hash of the request */
    uint64_t units_done;
    uint64_t traces, orders; /* entries of these sets */
    uint64_t state_size;
};

/* ---- What it belongs to ---- */

static uint64_t hash_program(const struct solo__subject *subject)
{
    uint64_t hash = solo__subject_bytes(subject);
    for (size_t i = 0; subject->argv != NULL && subject->argv[i] != NULL; i++) {
        hash = solo__hash(hash, subject->argv[i], strlen(subject->argv[i]) + 1);
    }
    return hash;
}

static uint64_t hash_options(const struct solo__subject *subject)
{
    struct solo__request *request = malloc(sizeof *request);
    uint64_t hash = 0;
    if (request != NULL) {
        memcpy(request, &subject->region->request, sizeof *request);
        request->watchdog_ns = 0; /* decides nothing about a schedule that ends */
        hash = solo__hash(SOLO__HASH_START, request, sizeof *request);
        hash = solo__hash(hash, &subject->shard, sizeof subject->shard);
        hash = solo__hash(hash, &subject->shards, sizeof subject->shards);
        hash = request->peer_file[0] != '\0' ? solo__hash_file(hash, request->peer_file) : hash;
        free(request);
    }
    return hash;
}

static void fill_header(const struct solo__subject *subject, struct header *header)
{
    const struct solo__region *region = subject->region;
    size_t state_size = 0;
    (void)solo_strategy_find(region->request.strategy, &state_size);
    memset(header, 0, sizeof *header);
    memcpy(header->magic, magic, sizeof magic);
    header->version = VERSION;
    header->kit = SOLO__REGION_MAGIC;
    strcpy(header->name, subject->name);
    header->program = hash_program(subject);
    header->options = hash_options(subject);
    header->traces = region->ledger.traces.distinct;
    header->orders = region->ledger.orders.distinct;
    header->state_size = state_size;
}

/* ---- Parts, with a hash over all of them at the end ---- */

struct stream {
    FILE *file;
    uint64_t hash;
    bool reads, broken;
};

static void pass(struct stream *stream, void *bytes, size_t size)
{
    size_t done = size == 0        ? 0
                  : stream->broken ? 0
                  : stream->reads  ? fread(bytes, 1, size, stream->file)
                                   : fwrite(bytes, 1, size, stream->file);
    stream->broken = stream->broken || done != size;
    stream->hash = stream->broken ? 0 : solo__hash(stream->hash, bytes, size);
}

/* The slots in use of a set that has so many of them. */
static void pass_set(struct stream *stream, uint64_t *set, uint64_t mask, uint64_t count)
{
    uint64_t at[2];
    for (uint64_t slot = 0; !stream->reads && slot <= mask; slot++) {
        if (set[slot] != 0) {
            at[0] = slot;
            at[1] = set[slot];
            pass(stream, at, sizeof at);
        }
    }
    for (uint64_t i = 0; stream->reads && i < count && !stream->broken; i++) {
        pass(stream, at, sizeof at);
        if (at[0] <= mask) {
            set[at[0]] = at[1];
        }
    }
}

static void pass_all(struct stream *stream, struct solo__region *region, const struct header *header)
{
    uint64_t slots = region->ledger.set_mask;
    pass(stream, &region->ledger, sizeof region->ledger);
    stream->broken =
        stream->broken || region->ledger.set_mask != slots || region->ledger.defect_count > SOLO_FINDINGS_MAX ||
        region->ledger.required_count > SOLO_EXPECT_MAX || header->traces > slots || header->orders > slots;
    if (stream->broken) {
        return;
    }
    pass_set(stream, region->traces, slots, header->traces);
    pass_set(stream, region->orders, slots, header->orders);
    for (uint32_t i = 0; i < region->ledger.defect_count; i++) {
        uint32_t count = region->ledger.defects[i].answers_count;
        pass(stream, region->finding_answers[i],
             (count < SOLO__ANSWERS_MAX ? count : SOLO__ANSWERS_MAX) * sizeof region->finding_answers[0][0]);
    }
    pass(stream, &region->strategy, header->state_size);
}

/* ---- Writing ---- */

static int write_parts(FILE *file, const struct solo__subject *subject, uint64_t units_done)
{
    struct stream stream = {.file = file};
    struct header header;
    fill_header(subject, &header);
    header.units_done = units_done;
    pass(&stream, &header, sizeof header);
    pass_all(&stream, subject->region, &header);
    uint64_t sum = stream.hash;
    pass(&stream, &sum, sizeof sum);
    if (stream.broken || fflush(file) != 0 || fsync(fileno(file)) != 0) {
        return errno != 0 ? -errno : -EIO;
    }
    return 0;
}

/* The file that will take the other one's place. Whoever else is writing it has locked it: two would spoil it. */
static int open_beside(const char *beside, FILE **ret_file)
{
    int fd = open(beside, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666); /* a pipe without reader is refused */
    if (fd < 0) {
        return -errno;
    }
    int error = flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK ? -EBUSY : 0;
    if (error == 0 && ftruncate(fd, 0) < 0 && errno != EINVAL) {
        error = -errno;
    }
    *ret_file = error == 0 ? fdopen(fd, "wb") : NULL;
    if (*ret_file == NULL) {
        error = error < 0 ? error : -errno;
        close(fd);
    }
    return error;
}

int solo__checkpoint_write(const char *path, const struct solo__subject *subject, uint64_t units_done)
{
    char beside[SOLO__PATH_MAX];
    if (snprintf(beside, sizeof beside, "%s.new", path) >= (int)sizeof beside) {
        return -ENAMETOOLONG;
    }
    FILE *file = NULL;
    int result = open_beside(beside, &file);
    if (result < 0) {
        return result;
    }
    errno = 0;
    result = write_parts(file, subject, units_done);
    if (result == 0 && rename(beside, path) < 0) { /* while it is locked */
        result = -errno;
    }
    if (result < 0) {
        (void)unlink(beside);
    }
    (void)fclose(file); /* all of it is on the disk */
    return result;
}

/* ---- Reading ---- */

static int refuse(struct solo__subject *subject, const char *path, const char *reason)
{
    snprintf(subject->why, sizeof subject->why, "checkpoint %.150s: %s", path, reason);
    return -EINVAL;
}

static int check_header(struct solo__subject *subject, const char *path, const struct header *header)
{
    struct header wanted;
    char reason[2 * SOLO_SCENARIO_NAME_MAX];
    fill_header(subject, &wanted);
    if (memcmp(header->magic, magic, sizeof magic) != 0) {
        return refuse(subject, path, "it is not a checkpoint");
    }
    if (header->version != VERSION || header->kit != wanted.kit || header->state_size != wanted.state_size) {
        return refuse(subject, path, "another version or build of the kit wrote it");
    }
    if (memchr(header->name, '\0', sizeof header->name) == NULL || strcmp(header->name, wanted.name) != 0) {
        snprintf(reason, sizeof reason, "it is of another program, %.60s", header->name);
        return refuse(subject, path, reason);
    }
    if (header->program != wanted.program) {
        return refuse(subject, path, "the program or its arguments have changed since");
    }
    return header->options == wanted.options ? 0 : refuse(subject, path, "it was made with other options");
}

static int read_parts(FILE *file, struct solo__subject *subject, const char *path, uint64_t *ret_units_done)
{
    struct stream stream = {.file = file, .reads = true};
    struct header header;
    pass(&stream, &header, sizeof header);
    if (stream.broken) {
        return refuse(subject, path, "it is not a checkpoint");
    }
    int result = check_header(subject, path, &header);
    if (result < 0) {
        return result;
    }
    pass_all(&stream, subject->region, &header);
    uint64_t expected = stream.hash;
    uint64_t sum = 0;
    pass(&stream, &sum, sizeof sum);
    if (stream.broken || sum != expected || fgetc(file) != EOF) {
        return refuse(subject, path, "it is damaged");
    }
    *ret_units_done = header.units_done;
    return 0;
}

int solo__checkpoint_read(const char *path, struct solo__subject *subject, uint64_t *ret_units_done)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe without writer is empty, not a hang */
    FILE *file = fd >= 0 ? fdopen(fd, "rb") : NULL;
    if (file == NULL) {
        int error = -errno;
        if (fd >= 0) {
            close(fd);
        }
        if (error != -ENOENT) {
            return refuse(subject, path, strerror(-error));
        }
        return error;
    }
    int result = read_parts(file, subject, path, ret_units_done);
    fclose(file);
    return result;
}
