/*
 * program.c - schedules of a program: started once as a fork server (program_server.c), then one child of it per
 * schedule.
 *
 * A schedule that is run again to check determinism runs in a second child of the same server, and in one of another
 * server, which is started with changing addresses, another environment and another filling of freed memory: what a
 * program must not depend on.
 */
#define _GNU_SOURCE
#include "child.h"
#include "ledger.h"
#include "program_account.h"
#include "program_start.h"
#include "twin.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * How a server starts whose reports nobody reads. The environment is part of what a program sees, so only where it
 * pays.
 */
static enum solo__start unread(const struct solo__subject *subject)
{
#ifdef SOLO_ASAN
    bool pays = true;
#else
    bool pays = subject->file.uses_asan;
#endif
    (void)subject;
    return pays ? SOLO__START_QUIET : SOLO__START_PLAIN;
}

/* Has the server run one schedule, or go on as long as it can. Negative: the kit's own failure. */
static int request(struct solo__subject *subject, enum solo__start start, enum solo__message_kind kind,
                   bool *ret_accounted)
{
    struct solo__server *server = &subject->servers[start];
    int ready = solo__server_ensure(subject, start);
    if (ready < 0) {
        return ready;
    }
    struct solo__message message = {.magic = SOLO__REGION_MAGIC, .kind = (uint32_t)kind};
    int result = solo__message_send(server->control_fd, &message, NULL);
    if (result == 0) {
        result = solo__server_receive(subject, server, &message, -1);
    }
    if (result == 0 && ret_accounted != NULL) {
        *ret_accounted = message.accounted != 0;
    }
    return result == 0 ? message.result : solo__server_lost(subject, server);
}

/* Once more in a server that was started this way. */
static int run_twin_in(struct solo__subject *subject, enum solo__start start)
{
    struct solo__region *region = subject->region;
    solo__replay_load_answers(&region->twin, region->answers, region->log.answers_count);
    struct solo__outcome *saved = malloc(sizeof *saved);
    if (saved == NULL) {
        return -ENOMEM;
    }
    *saved = region->outcome;
    region->request.mode = SOLO__TWIN;
    int result = request(subject, start, SOLO__RUN, NULL);
    region->request.mode = SOLO__EXPLORE;
    region->outcome = *saved;
    free(saved);
    if (result == 0) {
        solo__twin_compare(region);
    }
    return result;
}

/* Twice: under the same conditions, and, if that makes no difference, with all changed that must not matter. */
static int run_twin(void *arg)
{
    struct solo__subject *subject = arg;
    struct solo__region *region = subject->region;
    uint32_t before = region->outcome.violation_count;
    if (region->log.ending == SOLO_ENDING_NONE || region->log.ending == SOLO_ENDING_DIVERGED ||
        region->log.answers_count > SOLO__ANSWERS_MAX) {
        return 0;
    }
    int result = run_twin_in(subject, unread(subject));
    if (result == 0 && region->outcome.violation_count == before) {
        result = run_twin_in(subject, SOLO__START_OTHER);
    }
    return result;
}

static int explore(struct solo__subject *subject)
{
    struct solo__region *region = subject->region;
    int result = 0;
    while (result == 0 && !solo__ledger_is_enough(region)) {
        bool accounted = false;
        result = request(subject, unread(subject), SOLO__GO_ON, &accounted);
        if (result == 0 && !accounted && !region->ledger.strategy_ended) {
            result = solo__program_account(region, run_twin, subject);
        }
    }
    return result;
}

static int run_one(struct solo__subject *subject)
{
    return request(subject, subject->region->request.keep_events ? SOLO__START_PLAIN : unread(subject), SOLO__RUN,
                   NULL);
}

static void finish(struct solo__subject *subject)
{
    for (unsigned i = 0; i < SOLO__STARTS; i++) {
        solo__server_stop(&subject->servers[i]);
    }
    if (subject->region_fd >= 0) {
        close(subject->region_fd);
        subject->region_fd = -1;
    }
}

/* The program behind a wrapper such as valgrind has its own name, which it tells when it greets. */
static int get_ready(struct solo__subject *subject)
{
    return solo__server_ensure(subject, SOLO__START_PLAIN);
}

int solo__program_open(struct solo__subject *subject, char *const argv[])
{
    if (argv == NULL || argv[0] == NULL || argv[0][0] == '\0') {
        return -EINVAL;
    }
    subject->argv = argv;
    int looked = solo__program_look(argv, &subject->file, subject->why);
    if (looked < 0) {
        return looked;
    }
    solo__program_name(argv[0], subject->name);
    subject->finish = finish;
    subject->region = solo__region_create(&subject->region_fd);
    if (subject->region == NULL) {
        return -ENOMEM;
    }
    subject->output_fd = solo__capture_create();
    subject->explore = explore;
    subject->run = run_one;
    subject->get_ready = get_ready;
    return subject->output_fd >= 0 ? 0 : -ENOMEM;
}
