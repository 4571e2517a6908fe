/*
 * program_server.c - inside the program under test: a fork server before main.
 *
 * The process that the explorer started never runs main: it forks a child for each schedule, and only the children
 * return from solo_harness_main, as virtual thread 0 of a simulation that lasts until they end. So every schedule
 * starts from the same memory, and a crash takes one child with it.
 */
#define _GNU_SOURCE
#include "program_protocol.h"
#include "child.h"
#include "oracle.h"
#include "process.h"
#include "step.h"
#include "watch.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <solo/peer.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct server {
    int control_fd;
    struct solo__region *region;
    int fds[SOLO__FDS]; /* region, output, questions */
    struct solo_peers *peers;
};

static struct server server;

/* ---- A child ---- */

/*
 * A peer that failed, or still waits for something, was promised what did not come. One that only lets time pass was
 * not.
 */
static bool is_unmet(const struct solo_peer_status *status)
{
    return status->state == SOLO_PEER_FAILED ||
           (status->state == SOLO_PEER_PLAYING && strcmp(status->text, "is at 'wait'") != 0);
}

/* The finding is the peer's, whatever thread notices it. */
static void report_peer(const struct solo_peer_status *status, size_t index)
{
    static struct solo_violation violation;
    solo_violation_begin(&violation, SOLO013_NEVER_HAPPENED, NULL);
    violation.stack.count = violation.queued_stack.count = 0;
    violation.job[0] = violation.queued_by[0] = '\0';
    snprintf(violation.thread, sizeof violation.thread, "peer#%zu", index + 1);
    snprintf(violation.role, sizeof violation.role, "peer");
    snprintf(violation.object, sizeof violation.object, "peer %s", status->name);
    snprintf(violation.text, sizeof violation.text, "peer %s, line %u of its script: %s", status->name, status->line,
             status->text);
    snprintf(violation.help, sizeof violation.help, "see what the server did last on that connection");
    (void)solo_violation_report(&violation);
}

static void check_peers(int ending)
{
    struct solo_peer_status status;
    bool ended = ending == SOLO_ENDING_RETURNED || ending == SOLO_ENDING_QUIET;
    for (size_t i = 0; server.peers != NULL && ended && solo_peers_status(server.peers, i, &status) == 0; i++) {
        if (is_unmet(&status)) {
            report_peer(&status, i);
        }
    }
}

/* The program is about to exit. What is on its way to the peers still arrives: they come to rest first. */
static void let_peers_rest(void)
{
    if (server.peers != NULL && !solo_peers_finished(server.peers, NULL)) {
        (void)solo_clock_settle();
    }
}

static void before_ending(int ending, void *arg)
{
    check_peers(ending);
    solo__child_ending(ending, arg);
}

/* The schedule is over; after SOLO_ENDING_RETURNED the process goes on with its exit. */
static void at_end(int ending, void *arg)
{
    struct solo__region *region = arg;
    fflush(NULL);
    region->child_result = 0; /* it may end before become_schedule does: the peers' start is a choice already */
    region->outcome.ending = (uint32_t)ending;
    region->outcome.running = 0;
    if (ending != SOLO_ENDING_RETURNED) {
        solo__process_leave(0);
    }
}

static __attribute__((noreturn)) void fail(int result)
{
    server.region->outcome.running = 0;
    server.region->child_result = result;
    solo__process_leave(0);
}

/* A program that knows nothing of the kit hears of it through the library that was loaded before it. */
static void (*interposer_begin)(unsigned granularity); /* NULL: there is none */

static void find_interposer(void)
{
    typedef void (*begin_fn)(unsigned granularity);
    typedef void (*warm_up_fn)(void);
    warm_up_fn warm_up = (warm_up_fn)dlsym(RTLD_DEFAULT, "solo_interpose_warm_up");
    interposer_begin = (begin_fn)dlsym(RTLD_DEFAULT, "solo_interpose_begin");
    if (warm_up != NULL) {
        warm_up();
    }
}

static void tell_interposer(const struct solo__region *region)
{
    if (interposer_begin != NULL) {
        interposer_begin(region->request.granularity);
    }
}

/* Turns this child into virtual thread 0 of the schedule; returns so that main can run. */
static void become_schedule(void)
{
    struct solo__region *region = server.region;
    struct solo_sim *sim = NULL;
    close(server.control_fd);
    solo__child_redirect(server.fds[1]);
    solo__child_prepare(region);
    solo__step_listen(region, server.fds[2]);
    bool twin = region->request.mode == SOLO__TWIN;
    solo__child_mute(twin);
    int result = twin ? solo__child_create_twin(region, &sim)
                      : solo__child_create_sim(region, solo__child_strategy(region), &sim);
    if (result < 0) {
        fail(result);
    }
    if (!twin) {
        solo__child_begin(region);
    } else {
        region->outcome.running = 1;
        solo_oracles_begin();
    }
    solo_sim_set_ending_hook(sim, before_ending, region);
    tell_interposer(region);
    result = solo_sim_enter(sim, region->request.seed + region->ledger.next, at_end, region);
    if (result == SOLO_ECLOSING) {
        region->ledger.strategy_ended = 1;
        fail(0);
    }
    if (result == 0 && server.peers != NULL) {
        result = solo_peers_start(server.peers, NULL);
        atexit(let_peers_rest);
    }
    if (result < 0) {
        fail(result);
    }
    region->child_result = 0;
}

/* ---- The server ---- */

/* Runs one schedule. Returns true in the child. */
static bool run_schedule(void)
{
    struct solo__region *region = server.region;
    struct solo__message done = {.magic = SOLO__REGION_MAGIC, .kind = SOLO__DONE};
    region->child_result = -EIO;
    region->outcome.running = 0;
    solo__capture_rewind(server.fds[1]);
    if (region->request.keep_events) {
        solo__child_warm_up_names();
    }
    int life_fd;
    pid_t pid = solo__process_fork(&life_fd);
    if (pid == 0) {
        become_schedule();
        return true;
    }
    if (pid > 0) {
        uint64_t watchdog_ns = region->request.mode == SOLO__STEP ? 0 : region->request.watchdog_ns;
        struct solo__watch watch = {.region = region, .watchdog_ns = watchdog_ns, .life_fd = life_fd, .guest_fd = -1};
        (void)solo__process_watch(pid, &watch); /* such a child never reports: it ends */
        close(life_fd);
        if (region->request.mode == SOLO__REPLAY || region->request.mode == SOLO__STEP) {
            solo__child_account_for(region); /* here, where the child's code is */
        }
    }
    bool died = region->outcome.running || region->outcome.signal != 0;
    done.result = pid < 0 ? -errno : died ? 0 : region->child_result;
    if (solo__message_send(server.control_fd, &done, NULL) < 0) {
        solo__process_leave(0);
    }
    return false;
}

static int load_peers(char why[SOLO_PEER_WHY_MAX])
{
    const char *path = server.region->request.peer_file;
    return path[0] != '\0' ? solo_peers_load(path, &server.peers, why) : 0;
}

static void greet(void)
{
    struct solo__message message = {.magic = SOLO__REGION_MAGIC, .kind = SOLO__HELLO};
    snprintf(message.text, sizeof message.text, "%s", program_invocation_short_name);
    if (solo__message_send(server.control_fd, &message, NULL) < 0 ||
        solo__message_receive(server.control_fd, &message, server.fds) < 0 || message.kind != SOLO__SETUP) {
        solo__process_leave(0);
    }
    server.region = solo__region_open(server.fds[0]);
    message = (struct solo__message){.magic = SOLO__REGION_MAGIC, .kind = SOLO__READY};
    message.result = server.region != NULL ? load_peers(message.text) : -ENOMEM;
    message.kind = message.result == 0 ? SOLO__READY : SOLO__REFUSED;
    if (solo__message_send(server.control_fd, &message, NULL) < 0 || message.kind == SOLO__REFUSED) {
        solo__process_leave(0);
    }
}

/* What the program's own children see must not tell that it was started by the kit. */
static void take_back_preload(void)
{
    char *preload = getenv("LD_PRELOAD");
    bool is_ours = preload != NULL &&
                   (strstr(preload, "libsolo-interpose.so") != NULL || strstr(preload, "libsolo-released.so") != NULL);
    char *rest = is_ours ? strchr(preload, ':') : NULL;
    if (rest != NULL) {
        setenv("LD_PRELOAD", rest + 1, 1);
    } else if (is_ours) {
        unsetenv("LD_PRELOAD");
    }
    if (preload != NULL) {
        unsetenv("LD_BIND_NOW");
    }
}

void solo_harness_main(int control_fd)
{
    take_back_preload();
    if (getenv(SOLO__WATCH_VARIABLE) != NULL) { /* `solo run` in world os: no server, main goes on as it is */
        unsetenv(SOLO__WATCH_VARIABLE);
        solo__watch_begin(control_fd);
        return;
    }
    server.control_fd = control_fd;
    (void)fcntl(control_fd, F_SETFD, FD_CLOEXEC);
    greet();
    solo__child_warm_up();
    find_interposer();
    for (;;) {
        struct solo__message message;
        if (solo__message_receive(control_fd, &message, NULL) < 0 || message.kind != SOLO__RUN) {
            solo__process_leave(0);
        }
        if (run_schedule()) {
            return;
        }
    }
}
