/*
 * cares.c - a resolver on c-ares.
 *
 * c-ares says which descriptors it waits for, and until when; the reactor waits for it. Answers that c-ares gives are
 * written down, and the Deferreds fired only after it has returned: what their callbacks do never runs inside it.
 *
 * A look-up's Deferred is the inner one of that which the caller got: the caller may release his, and the look-up still
 * has one to fire, exactly once.
 */
#include <solo/deferred.h>
#include <solo/delayed_call.h>
#include <solo/descriptor.h>
#include <solo/names_cares.h>
#include <solo/sim.h>
#include <ares.h>
#include <netdb.h>
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

enum { FDS_MAX = ARES_GETSOCK_MAXNUM, NS_PER_US = 1000, US_PER_S = 1000000 };

struct look_up {
    struct look_up *next; /* among the answered */
    struct solo_cares *cares;
    struct solo_deferred *deferred; /* NULL: cancelled */
    struct solo_addresses *wanted;
    struct solo_addresses found;
    int status;
};

/* A descriptor of c-ares. */
struct watch {
    int fd;
    bool reads, writes;
    struct watch *next;
};

struct solo_cares {
    struct solo_resolver resolver; /* first */
    struct solo_reactor *reactor;
    ares_channel channel;
    struct watch *watches;
    solo_delayed_call_id timer; /* 0: none is set */
    struct look_up *answered;
    struct look_up **answered_end;
    unsigned inside;  /* c-ares is being called */
    bool is_settling; /* Deferreds are being fired */
    bool is_ending;
};

static void settle(struct solo_cares *cares);
static void set_timer(struct solo_cares *cares);

/* ---- Around every call of c-ares ---- */

static void enter(struct solo_cares *cares)
{
    cares->inside++;
}

static void leave(struct solo_cares *cares)
{
    if (--cares->inside == 0) {
        set_timer(cares);
        settle(cares);
    }
}

static void process(struct solo_cares *cares, ares_socket_t reads, ares_socket_t writes)
{
    enter(cares);
    ares_process_fd(cares->channel, reads, writes);
    leave(cares);
}

/* ---- What it waits for ---- */

static void can_read(int fd, void *arg)
{
    process(arg, fd, ARES_SOCKET_BAD);
}

static void can_write(int fd, void *arg)
{
    process(arg, ARES_SOCKET_BAD, fd);
}

static struct watch **find_watch(struct solo_cares *cares, int fd)
{
    struct watch **link = &cares->watches;
    while (*link != NULL && (*link)->fd != fd) {
        link = &(*link)->next;
    }
    return link;
}

/* A descriptor that cannot be watched is never ready; c-ares then tries again after its timeout. */
static void descriptor_changed(void *arg, ares_socket_t fd, int reads, int writes)
{
    struct solo_cares *cares = arg;
    struct watch **link = find_watch(cares, fd), *watch = *link;
    if (watch == NULL) {
        watch = calloc(1, sizeof *watch);
        if (watch == NULL) {
            return;
        }
        watch->fd = fd;
        *link = watch;
    }
    if (watch->reads && !reads) {
        (void)solo_reactor_remove_reader(cares->reactor, fd);
    }
    if (watch->writes && !writes) {
        (void)solo_reactor_remove_writer(cares->reactor, fd);
    }
    watch->reads = reads && (watch->reads || solo_reactor_add_reader(cares->reactor, fd, can_read, cares) == 0);
    watch->writes = writes && (watch->writes || solo_reactor_add_writer(cares->reactor, fd, can_write, cares) == 0);
    if (!reads && !writes) {
        *link = watch->next;
        free(watch);
    }
}

static void time_passed(void *arg)
{
    struct solo_cares *cares = arg;
    cares->timer = 0;
    process(cares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

static void set_timer(struct solo_cares *cares)
{
    struct timeval soon;
    if (cares->timer != 0) {
        (void)solo_delayed_call_cancel(cares->reactor, cares->timer);
        cares->timer = 0;
    }
    if (!cares->is_ending && ares_timeout(cares->channel, NULL, &soon) != NULL) {
        uint64_t delay_ns = ((uint64_t)soon.tv_sec * US_PER_S + (uint64_t)soon.tv_usec + 1) * NS_PER_US;
        (void)solo_reactor_call_later(cares->reactor, delay_ns, time_passed, cares, NULL, &cares->timer);
    }
}

/* ---- Answers ---- */

static int status_of(int status)
{
    switch (status) {
    case ARES_SUCCESS: return 0;
    case ARES_ENODATA:
    case ARES_ENOTFOUND:
    case ARES_EBADNAME: return SOLO_ENAME;
    case ARES_ENOMEM: return -ENOMEM;
    case ARES_ETIMEOUT: return -ETIMEDOUT;
    case ARES_EDESTRUCTION:
    case ARES_ECANCELLED: return SOLO_ECLOSED;
    default: return -EAGAIN; /* no server gave an answer; c-ares says ARES_ECONNREFUSED for that */
    }
}

static void take_addresses(struct solo_addresses *addresses, const struct ares_addrinfo *found)
{
    for (const struct ares_addrinfo_node *at = found->nodes; at != NULL; at = at->ai_next) {
        if (at->ai_family == AF_INET && addresses->count < SOLO_ADDRESSES_MAX) {
            struct sockaddr_in inet;
            memcpy(&inet, at->ai_addr, sizeof inet);
            addresses->addresses[addresses->count++] = ntohl(inet.sin_addr.s_addr);
        } else if (at->ai_family == AF_INET6 && addresses->count6 < SOLO_ADDRESSES_MAX) {
            struct sockaddr_in6 inet6;
            memcpy(&inet6, at->ai_addr, sizeof inet6);
            memcpy(addresses->addresses6[addresses->count6++], &inet6.sin6_addr, 16);
        }
    }
}

static void answered(void *arg, int status, int timeouts, struct ares_addrinfo *found)
{
    struct look_up *look_up = arg;
    struct solo_cares *cares = look_up->cares;
    (void)timeouts;
    look_up->status = status_of(status);
    if (look_up->status == 0) {
        take_addresses(&look_up->found, found);
        look_up->status = look_up->found.count + look_up->found.count6 > 0 ? 0 : SOLO_ENAME;
    }
    ares_freeaddrinfo(found); /* NULL is fine */
    *cares->answered_end = look_up;
    cares->answered_end = &look_up->next;
}

static struct look_up *take_answered(struct solo_cares *cares)
{
    struct look_up *look_up = cares->answered;
    if (look_up != NULL) {
        cares->answered = look_up->next;
        if (cares->answered == NULL) {
            cares->answered_end = &cares->answered;
        }
    }
    return look_up;
}

static void settle(struct solo_cares *cares)
{
    struct look_up *look_up;
    if (cares->is_settling) {
        return; /* further out it goes on */
    }
    cares->is_settling = true;
    while ((look_up = take_answered(cares)) != NULL) {
        struct solo_deferred *deferred = look_up->deferred;
        struct solo_result result = solo_failure(look_up->status);
        if (look_up->status == 0 && deferred != NULL) {
            *look_up->wanted = look_up->found;
            result = solo_value(look_up->wanted);
        }
        free(look_up);
        if (deferred != NULL) {
            (void)solo_deferred_fire(deferred, result);
        }
    }
    cares->is_settling = false;
}

/* ---- The resolver ---- */

static void cancelled(struct solo_deferred *deferred, void *arg)
{
    struct look_up *look_up = arg;
    (void)deferred;
    look_up->deferred = NULL;
}

/* The caller's Deferred, and the one inside it that the look-up fires. */
static int make_deferreds(struct solo_reactor *reactor, struct look_up *look_up, struct solo_deferred **ret_outer)
{
    struct solo_deferred *inner, *outer;
    int status = solo_deferred_create(reactor, cancelled, look_up, &inner);
    if (status < 0) {
        return status;
    }
    status = solo_deferred_create(reactor, NULL, NULL, &outer);
    if (status < 0) {
        (void)solo_deferred_fire(inner, solo_value(NULL));
        (void)solo_deferred_release(inner);
        return status;
    }
    look_up->deferred = inner;
    (void)solo_deferred_fire(outer, solo_wait_for(inner));
    *ret_outer = outer;
    return 0;
}

static int resolve(struct solo_resolver *resolver, struct solo_reactor *reactor, const char *name,
                   struct solo_addresses *addresses, struct solo_deferred **ret_deferred)
{
    struct solo_cares *cares = (struct solo_cares *)resolver;
    struct look_up *look_up = cares->is_ending ? NULL : calloc(1, sizeof *look_up);
    if (look_up == NULL) {
        return cares->is_ending ? SOLO_ECLOSED : -ENOMEM;
    }
    look_up->cares = cares;
    look_up->wanted = addresses;
    int status = make_deferreds(reactor, look_up, ret_deferred);
    if (status < 0) {
        free(look_up);
        return status;
    }
    enter(cares);
    const struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_flags = ARES_AI_NOSORT};
    ares_getaddrinfo(cares->channel, name, NULL, &hints, answered, look_up);
    leave(cares);
    return 0;
}

/* ---- Life ---- */

static int open_channel(struct solo_cares *cares, const char *servers)
{
    struct ares_options options;
    memset(&options, 0, sizeof options);
    options.sock_state_cb = descriptor_changed;
    options.sock_state_cb_data = cares;
    int status = ares_library_init(ARES_LIB_INIT_ALL);
    if (status != ARES_SUCCESS) {
        return status_of(status);
    }
    status = ares_init_options(&cares->channel, &options, ARES_OPT_SOCK_STATE_CB);
    if (status == ARES_SUCCESS && servers != NULL) {
        status = ares_set_servers_ports_csv(cares->channel, servers);
        if (status != ARES_SUCCESS) {
            ares_destroy(cares->channel);
        }
    }
    if (status != ARES_SUCCESS) {
        ares_library_cleanup();
        return status == ARES_ENOMEM ? -ENOMEM : -EINVAL;
    }
    return 0;
}

int solo_cares_create(struct solo_reactor *reactor, const char *servers, struct solo_cares **ret_cares)
{
    uint64_t now_ns;
    if (ret_cares == NULL) {
        return -EINVAL;
    }
    int status = solo_reactor_now(reactor, &now_ns); /* the ladder: alive, and ours */
    if (status < 0) {
        return status;
    }
    if (solo_sim_current() != NULL) {
        return -ENOTSUP;
    }

    struct solo_cares *cares = calloc(1, sizeof *cares);
    if (cares == NULL) {
        return -ENOMEM;
    }
    cares->resolver.resolve = resolve;
    cares->reactor = reactor;
    cares->answered_end = &cares->answered;
    status = open_channel(cares, servers);
    if (status < 0) {
        free(cares);
        return status;
    }
    *ret_cares = cares;
    return 0;
}

struct solo_resolver *solo_cares_resolver(struct solo_cares *cares)
{
    return cares != NULL ? &cares->resolver : NULL;
}

int solo_cares_destroy(struct solo_cares *cares)
{
    uint64_t now_ns;
    if (cares == NULL) {
        return 0;
    }
    int status = solo_reactor_now(cares->reactor, &now_ns);
    if (status < 0) {
        return status;
    }
    if (cares->inside > 0 || cares->is_settling || cares->is_ending) {
        return -EBUSY;
    }

    cares->is_ending = true;
    enter(cares);
    ares_destroy(cares->channel);
    leave(cares);
    ares_library_cleanup();
    free(cares);
    return 0;
}
