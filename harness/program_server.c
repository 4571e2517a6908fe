/*
 * program_server.c - inside the program under test: a fork server before main.
 *
 * The process that the explorer started never runs main: it forks a child for each schedule, and only the children
 * return from solo_harness_main, as virtual thread 0 of a simulation that lasts until they end. So every schedule
 * starts from the same memory, and a crash takes one child with it.
 */
#define _GNU_SOURCE
#include "program_protocol.h"
#include "annotate.h"
#include "child.h"
#include "image.h"
#include "ledger.h"
#include "oracle.h"
#include "process.h"
#include "program_account.h"
#include "program_children.h"
#include "step.h"
#include "twin.h"
#include "watch.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <solo/model.h>
#include <solo/peer.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct server {
    int control_fd;
    struct solo__region *region;
    int fds[SOLO__FDS]; /* region, output, questions */
    struct solo_peers *peers;
    struct solo__child next; /* forked ahead */
    bool next_knows_names;   /* it was forked after solo__child_warm_up_names */
    bool quick;              /* no tool looks at this process */
    bool has_input;
};

static struct server server;

extern void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

/*
 * Whether children may be forked ahead, and may end before their exit has run its whole course: what a tool says comes
 * then, and a process costs it a lot.
 */
static bool is_quick(void)
{
#if defined(SOLO_ASAN) || defined(SOLO_TSAN)
    return false;
#else
    return __sanitizer_set_death_callback == NULL && !SOLO_ANNOTATE_UNDER_VALGRIND();
#endif
}

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

/* All that is to be known of the schedule is in the region. */
static void say_done(int status)
{
    struct solo__outcome *outcome = &server.region->outcome;
    fflush(NULL);
    if (server.quick && server.region->request.mode == SOLO__EXPLORE) {
        outcome->exited = 1;
        outcome->exit_status = status & 0xff;
        solo__children_say_done(status);
    }
}

/*
 * The last handler of all, because it was registered before anything of the program's ran: only the system is left to
 * do its part.
 */
static void on_program_exit(int status, void *arg)
{
    (void)arg;
    if (server.region->outcome.running == 0 && server.region->outcome.ending == SOLO_ENDING_RETURNED) {
        say_done(status);
    }
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
        say_done(0);
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
    if (server.has_input) {
        solo__child_reopen_input(region->request.mode == SOLO__STEP); /* there it is whoever answers */
    }
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

/* A child for the schedule that begins. True: this is the child. */
static bool take_child(struct solo__child *ret_child)
{
    if (server.next.pid != 0 && server.region->request.keep_events && !server.next_knows_names) {
        solo__children_drop(&server.next);
    }
    if (server.region->request.keep_events) {
        solo__child_warm_up_names();
        server.next_knows_names = true; /* and so do all that follow */
    }
    if (server.next.pid == 0) {
        return solo__children_fork(ret_child);
    }
    *ret_child = server.next;
    server.next.pid = 0;
    return false;
}

/* True: this is the child. One that the system refuses now is asked for again when it is needed. */
static bool fork_ahead(void)
{
    bool is_child = solo__children_fork(&server.next);
    server.next.pid = server.next.pid > 0 ? server.next.pid : 0;
    return is_child;
}

/* Runs one schedule. Returns true in the child; else `result` is the kit's error, or 0. */
static bool run_schedule(bool ahead, int *ret_result)
{
    struct solo__region *region = server.region;
    struct solo__child child;
    region->child_result = -EIO;
    region->outcome.running = 0;
    solo__capture_rewind(server.fds[1]);
    if (take_child(&child)) {
        return true;
    }
    int error = child.pid < 0 ? -errno : 0;
    if (error == 0) {
        (void)solo__children_let_go(&child);
        if (ahead && fork_ahead()) {
            return true;
        }
        solo__children_watch(&child, region, region->request.mode == SOLO__STEP ? 0 : region->request.watchdog_ns);
        if (region->request.mode == SOLO__REPLAY || region->request.mode == SOLO__STEP) {
            solo__child_account_for(region); /* here, where the child's code is */
        }
    }
    bool died = region->outcome.running || region->outcome.signal != 0;
    *ret_result = error < 0 ? error : died ? 0 : region->child_result;
    return false;
}

/* Schedules that end as most do need nobody else. Returns true in a child. */
static bool run_schedules(struct solo__message *done)
{
    struct solo__region *region = server.region;
    do {
        done->accounted = 0;
        if (run_schedule(true, &done->result)) {
            return true;
        }
        if (done->result != 0 || region->ledger.strategy_ended || solo__twin_is_due(region, region->outcome.number)) {
            break;
        }
        (void)solo__program_account(region, NULL, NULL);
        done->accounted = 1;
    } while (!solo__ledger_is_enough(region));
    return false;
}

/* Answers one message. Returns true in a child. */
static bool serve(uint32_t kind)
{
    struct solo__message done = {.magic = SOLO__REGION_MAGIC, .kind = SOLO__DONE};
    bool many = kind == SOLO__GO_ON && server.quick;
    if (many ? run_schedules(&done) : run_schedule(false, &done.result)) {
        become_schedule();
        return true;
    }
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

extern void __tsan_acquire(void *address) __attribute__((weak));

static void greet(void)
{
    struct solo__message message = {.magic = SOLO__REGION_MAGIC, .kind = SOLO__HELLO};
    bool is_heard = __tsan_acquire == NULL || solo_model_tells_tsan();
    message.result = is_heard ? 0 : -ENOTSUP;
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
    static const char *const ours[] = {"libsolo-interpose.so", "libsolo-released.so"};
    char *preload = getenv("LD_PRELOAD");
    char *own = preload != NULL ? strstr(preload, ours[0]) : NULL;
    own = preload != NULL && own == NULL ? strstr(preload, ours[1]) : own;
    char *rest = own != NULL ? strchr(own, ':') : NULL; /* before it is at most the program's own sanitizer */
    if (rest != NULL) {
        setenv("LD_PRELOAD", rest + 1, 1);
    } else if (own != NULL) {
        unsetenv("LD_PRELOAD");
    }
    if (preload != NULL) {
        unsetenv("LD_BIND_NOW");
    }
}

/* What is the same for every child is done here, once. */
static void prepare(void)
{
    server.quick = is_quick();
    solo__children_begin(server.control_fd);
    solo__child_redirect(server.fds[1]);
    server.has_input = solo__child_has_input();
    solo__child_warm_up();
    solo__child_prepare_last_words(server.region);
    (void)on_exit(on_program_exit, NULL);
    find_interposer();
    if (server.quick) {
        solo__image_keep_code();
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
    prepare();
    for (;;) {
        struct solo__message message;
        if (solo__message_receive(control_fd, &message, NULL) < 0 ||
            (message.kind != SOLO__RUN && message.kind != SOLO__GO_ON)) {
            solo__process_leave(0);
        }
        if (serve(message.kind)) {
            return;
        }
    }
}
