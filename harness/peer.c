/*
 * peer.c - plays a peer script, over the poll and network tables of whatever world it is started in.
 *
 * A peer never reads more than the present line needs, so nothing has to be kept from one line to the next. While it
 * waits its thread is in the poll, which makes it idle in a simulation. What it waits for is told from the line it is
 * at, so a peer that never gets on needs to do nothing to be reported.
 */
#include "peer_internal.h"
#include "sanitizer/annotate.h"
#include <solo/signal.h>
#include <solo/sim.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LOOPBACK = 0x7f000001, SHOWN_MAX = 48, RETRY_NS = 20000000, NS_PER_MS = 1000000 };

/* One play of one peer, on its own thread. */
struct play {
    struct solo__peer *peer;
    struct solo_world *world;
    struct solo_poller *poller;
    int fd;               /* -1: not connected */
    uint64_t deadline_ns; /* of the present line */
};

/* ---- What it has to say ---- */

/* A text as a script would write it, in quotes and cut to fit. */
static const char *quote(char *buffer, size_t buffer_size, const char *text, size_t size)
{
    size_t at = 0;
    buffer[at++] = '"';
    for (size_t i = 0; i < size; i++) {
        char piece[8];
        unsigned char c = (unsigned char)text[i];
        const char *simple = c == '\n'   ? "\\n"
                             : c == '\r' ? "\\r"
                             : c == '\t' ? "\\t"
                             : c == '"'  ? "\\\""
                             : c == '\\' ? "\\\\"
                                         : NULL;
        if (simple != NULL) {
            snprintf(piece, sizeof piece, "%s", simple);
        } else {
            snprintf(piece, sizeof piece, c >= 0x20 && c < 0x7f ? "%c" : "\\x%02x", c);
        }
        if (at + strlen(piece) + 5 > buffer_size) {
            memcpy(buffer + at, "...", 3);
            at += 3;
            break;
        }
        memcpy(buffer + at, piece, strlen(piece));
        at += strlen(piece);
    }
    buffer[at++] = '"';
    buffer[at] = '\0';
    return buffer;
}

/* The peer fails here; always returns -EPROTO. */
static int fail(struct play *play, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int fail(struct play *play, const char *format, ...)
{
    struct solo__peer *peer = play->peer;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(peer->text, sizeof peer->text, format, arguments);
    va_end(arguments);
    return -EPROTO;
}

static const struct solo__peer_line *line_of(const struct solo__peer *peer)
{
    return &peer->peers->lines[peer->at];
}

/* ---- Waiting ---- */

/* Waits until the connection is ready for one of `events`. */
static int await_ready(struct play *play, uint32_t events)
{
    struct solo_world *world = play->world;
    struct solo_ready ready;
    bool woken;
    int error = world->poll->watch(world, play->poller, play->fd, events, 1);
    if (error < 0) {
        return fail(play, "cannot wait: %s", solo_error_text(error));
    }
    for (;;) {
        int count = world->poll->wait(world, play->poller, play->deadline_ns, &ready, 1, &woken);
        if (count > 0) {
            return 0;
        }
        if (count < 0) {
            return fail(play, "cannot wait: %s", solo_error_text(count));
        }
        if (world->clock->now_ns(world) >= play->deadline_ns) {
            return -ETIMEDOUT;
        }
    }
}

static void hang_up(struct play *play, bool abort)
{
    if (play->fd >= 0) {
        (void)play->world->poll->watch(play->world, play->poller, play->fd, 0, 1);
        (void)play->world->network->close(play->world, play->fd, abort ? SOLO_CLOSE_ABORT : SOLO_CLOSE_WHOLE);
        play->fd = -1;
    }
}

/* ---- The commands ---- */

/* One attempt; -ECONNREFUSED: nobody listens yet. */
static int try_to_connect(struct play *play, uint16_t port)
{
    struct solo_world *world = play->world;
    const struct solo_address server = {.family = SOLO_INET, .port = port, .host = SOLO_LOOPBACK};
    int error = world->network->open(world, SOLO_OPEN_STREAM, NULL, &server, &play->fd);
    if (error < 0) {
        play->fd = -1;
        return error;
    }
    do {
        error = await_ready(play, SOLO_WRITABLE);
        if (error == 0) {
            error = world->network->query(world, play->fd, SOLO_QUERY_CONNECTED, NULL);
        }
    } while (error == -EINPROGRESS);
    if (error < 0) {
        hang_up(play, false);
    }
    return error;
}

static int do_connect(struct play *play, const struct solo__peer_line *line)
{
    struct solo_world *world = play->world;
    const struct solo_peers_options *options = &play->peer->peers->options;
    uint16_t port = options->port != 0 ? options->port : (uint16_t)((int)line->number + options->port_shift);
    int error = try_to_connect(play, port);
    while (error == -ECONNREFUSED && world->clock->now_ns(world) < play->deadline_ns) {
        world->clock->sleep_until(world, world->clock->now_ns(world) + RETRY_NS);
        error = try_to_connect(play, port);
    }
    if (error == 0 || error == -EPROTO) {
        return error;
    }
    return fail(play, "could not connect to port %u: %s", (unsigned)port, solo_error_text(error));
}

static int do_send(struct play *play, const struct solo__peer_line *line)
{
    struct solo_world *world = play->world;
    size_t done = 0;
    while (done < line->size) {
        ptrdiff_t put = world->network->write(world, play->fd, line->text + done, line->size - done, NULL);
        int error = put >= 0 ? 0 : put == -EAGAIN ? await_ready(play, SOLO_WRITABLE) : (int)put;
        if (error == -EPROTO) {
            return error;
        }
        if (error < 0) {
            return fail(play, "could not send: %s", solo_error_text(error));
        }
        done += put > 0 ? (size_t)put : 0;
    }
    return 0;
}

/* Reads up to `size` bytes, waiting for the first. 0: the end of the stream. */
static ptrdiff_t receive(struct play *play, char *buffer, size_t size)
{
    for (;;) {
        ptrdiff_t got = play->world->network->read(play->world, play->fd, buffer, size, NULL);
        if (got != -EAGAIN) {
            return got;
        }
        int error = await_ready(play, SOLO_READABLE);
        if (error < 0) {
            return error;
        }
    }
}

/* Nothing more will come, although something was to. */
static int fail_at_end(struct play *play, const struct solo__peer_line *line, ptrdiff_t how)
{
    char wanted[SHOWN_MAX];
    quote(wanted, sizeof wanted, line->text, line->size);
    if (how == -EPROTO) {
        return -EPROTO;
    }
    return fail(play, "wanted %s, but %s after %zu of %zu bytes", wanted,
                how == 0            ? "the other side closed"
                : how == -ETIMEDOUT ? "nothing more came"
                                    : solo_error_text((int)how),
                play->peer->progress, line->size);
}

static int do_expect(struct play *play, const struct solo__peer_line *line)
{
    struct solo__peer *peer = play->peer;
    char got[SOLO_PEER_TEXT_MAX], wanted_shown[SHOWN_MAX], got_shown[SHOWN_MAX];
    while (peer->progress < line->size) {
        ptrdiff_t size = receive(play, got + peer->progress, line->size - peer->progress);
        if (size <= 0) {
            return fail_at_end(play, line, size);
        }
        bool right = memcmp(got + peer->progress, line->text + peer->progress, (size_t)size) == 0;
        peer->progress += (size_t)size;
        if (!right) {
            return fail(play, "wanted %s, got %s", quote(wanted_shown, sizeof wanted_shown, line->text, line->size),
                        quote(got_shown, sizeof got_shown, got, peer->progress));
        }
    }
    return 0;
}

/* How much of the text is at the end of what has arrived, when `c` comes after the first `matched` bytes of it. */
static size_t match_on(const char *text, size_t matched, char c)
{
    for (;;) {
        if (text[matched] == c) {
            return matched + 1;
        }
        if (matched == 0) {
            return 0;
        }
        size_t border = matched - 1; /* the longest proper prefix that is also a suffix of what matched */
        while (border > 0 && memcmp(text, text + matched - border, border) != 0) {
            border--;
        }
        matched = border;
    }
}

static int do_await(struct play *play, const struct solo__peer_line *line)
{
    struct solo__peer *peer = play->peer;
    char got[SOLO_PEER_TEXT_MAX];
    while (peer->progress < line->size) {
        ptrdiff_t size = receive(play, got, line->size - peer->progress); /* never past the text's end */
        if (size <= 0) {
            return fail_at_end(play, line, size);
        }
        for (ptrdiff_t i = 0; i < size; i++) {
            peer->progress = match_on(line->text, peer->progress, got[i]);
        }
    }
    return 0;
}

static int do_expect_close(struct play *play, bool whatever_comes)
{
    char got[SHOWN_MAX], shown[SHOWN_MAX];
    ptrdiff_t size;
    do {
        size = receive(play, got, sizeof got / 2);
    } while (size > 0 && whatever_comes);
    if (size == 0 || size == -ECONNRESET || size == -EPIPE || size == -EPROTO) {
        return size == -EPROTO ? -EPROTO : 0;
    }
    if (size == -ETIMEDOUT) {
        return fail(play, "wanted the other side to close, but nothing came");
    }
    if (size < 0) {
        return fail(play, "wanted the other side to close, but %s", solo_error_text((int)size));
    }
    return fail(play, "wanted the other side to close, got %s", quote(shown, sizeof shown, got, (size_t)size));
}

static int do_close_write(struct play *play)
{
    int error = play->world->network->close(play->world, play->fd, SOLO_CLOSE_WRITING);
    return error == 0 ? 0 : fail(play, "could not end what it sends: %s", solo_error_text(error));
}

static int do_wait(struct play *play, const struct solo__peer_line *line)
{
    struct solo_world *world = play->world;
    world->clock->sleep_until(world, world->clock->now_ns(world) + line->number * NS_PER_MS);
    return 0;
}

static int do_line(struct play *play, const struct solo__peer_line *line)
{
    switch (line->command) {
    case SOLO__PEER_CONNECT: return do_connect(play, line);
    case SOLO__PEER_SEND: return do_send(play, line);
    case SOLO__PEER_EXPECT: return do_expect(play, line);
    case SOLO__PEER_AWAIT: return do_await(play, line);
    case SOLO__PEER_EXPECT_CLOSE:
    case SOLO__PEER_AWAIT_CLOSE: return do_expect_close(play, line->command == SOLO__PEER_AWAIT_CLOSE);
    case SOLO__PEER_CLOSE:
    case SOLO__PEER_ABORT: hang_up(play, line->command == SOLO__PEER_ABORT); return 0;
    case SOLO__PEER_CLOSE_WRITE: return do_close_write(play);
    case SOLO__PEER_WAIT: return do_wait(play, line);
    case SOLO__PEER_SIGNAL: return solo_signal_raise((int)line->number);
    default: return 0; /* repeat and end say only what comes next */
    }
}

/* ---- Playing ---- */

/* Repeats under way: how often each is still to be played after this time. */
struct loops {
    uint64_t left[SOLO_PEER_NESTING_MAX];
    size_t depth;
};

/* The index of the line to be played after line `at`. */
static size_t next_line(const struct solo_peers *peers, size_t at, struct loops *loops)
{
    const struct solo__peer_line *line = &peers->lines[at];
    if (line->command == SOLO__PEER_REPEAT) {
        loops->left[loops->depth++] = line->number - 1;
    } else if (line->command == SOLO__PEER_END) {
        if (loops->left[loops->depth - 1] > 0) {
            loops->left[loops->depth - 1]--;
            return (size_t)line->number + 1;
        }
        loops->depth--;
    }
    return at + 1;
}

static uint64_t deadline_of(const struct play *play)
{
    uint64_t patience_ns = play->peer->peers->options.patience_ns;
    uint64_t now_ns = play->world->clock->now_ns(play->world);
    return patience_ns == 0 || patience_ns >= SOLO_NEVER - now_ns ? SOLO_NEVER : now_ns + patience_ns;
}

static int play_lines(struct play *play)
{
    struct solo__peer *peer = play->peer;
    struct loops loops = {{0}, 0};
    size_t at = peer->first;
    while (at < peer->first + peer->count) {
        const struct solo__peer_line *line = &peer->peers->lines[at];
        peer->at = at;
        peer->progress = 0;
        __atomic_store_n(&peer->line, line->line, __ATOMIC_RELAXED);
        play->deadline_ns = deadline_of(play);
        int error = do_line(play, line);
        if (error < 0) {
            return error;
        }
        play->world->threads->announce(play->world, SOLO_PROBE_PEER, SOLO_ACCESS_NONE, 0, line->line);
        at = next_line(peer->peers, at, &loops);
    }
    return 0;
}

static void play_peer(void *arg)
{
    struct solo__peer *peer = arg;
    struct play play = {.peer = peer, .world = solo_world_current(), .fd = -1};
    int error = play.world->poll->open(play.world, &play.poller);
    if (error < 0) {
        (void)fail(&play, "cannot start: %s", solo_error_text(error));
    } else {
        error = play_lines(&play);
        hang_up(&play, false);
        play.world->poll->close(play.world, play.poller);
    }
    SOLO_ANNOTATE_HAPPENS_BEFORE(&peer->state);
    __atomic_store_n(&peer->state, error < 0 ? SOLO_PEER_FAILED : SOLO_PEER_FINISHED, __ATOMIC_RELEASE);
}

int solo_peers_start(struct solo_peers *peers, const struct solo_peers_options *options)
{
    static const struct solo_peers_options defaults;
    if (peers == NULL) {
        return -EINVAL;
    }

    peers->options = options != NULL ? *options : defaults;
    for (size_t i = 0; i < peers->count; i++) {
        struct solo__peer *peer = &peers->peers[i];
        SOLO_ANNOTATE_PRIVATE(&peer->state, sizeof peer->state); /* both atomic, which helgrind does not know */
        SOLO_ANNOTATE_PRIVATE(&peer->line, sizeof peer->line);
        peer->thread = NULL;
        peer->state = SOLO_PEER_PLAYING;
        peer->line = 0;
        peer->at = peer->first;
        peer->progress = 0;
        peer->text[0] = '\0';
    }
    for (size_t i = 0; i < peers->count; i++) {
        struct solo__peer *peer = &peers->peers[i];
        int error = solo_sim_current() != NULL ? solo_sim_start_peer(play_peer, peer)
                                               : solo_thread_create(play_peer, peer, &peer->thread);
        if (error < 0) {
            return error;
        }
    }
    return 0;
}

int solo_peers_join(struct solo_peers *peers)
{
    if (peers == NULL) {
        return -EINVAL;
    }

    for (size_t i = 0; i < peers->count; i++) {
        struct solo_thread *thread = peers->peers[i].thread;
        if (thread != NULL) {
            int error = solo_thread_join(thread);
            if (error < 0) {
                return error;
            }
            peers->peers[i].thread = NULL;
        }
    }
    return 0;
}

size_t solo_peers_count(const struct solo_peers *peers)
{
    return peers != NULL ? peers->count : 0;
}

/* What a peer that has neither finished nor failed waits for. */
static void tell_wait(const struct solo__peer *peer, struct solo_peer_status *status)
{
    char shown[SHOWN_MAX];
    if (status->line == 0) {
        snprintf(status->text, sizeof status->text, "has not started");
        return;
    }
    const struct solo__peer_line *line = line_of(peer);
    switch (line->command) {
    case SOLO__PEER_CONNECT:
        snprintf(status->text, sizeof status->text, "waits until somebody listens on port %u", (unsigned)line->number);
        break;
    case SOLO__PEER_EXPECT:
    case SOLO__PEER_AWAIT:
        snprintf(status->text, sizeof status->text, "waits for %s; %zu of %zu bytes have come",
                 quote(shown, sizeof shown, line->text, line->size), peer->progress, line->size);
        break;
    case SOLO__PEER_EXPECT_CLOSE:
    case SOLO__PEER_AWAIT_CLOSE:
        snprintf(status->text, sizeof status->text, "waits for the other side to close");
        break;
    default: snprintf(status->text, sizeof status->text, "is at '%s'", solo__peer_command_name(line->command)); break;
    }
}

int solo_peers_status(const struct solo_peers *peers, size_t index, struct solo_peer_status *ret_status)
{
    if (peers == NULL || ret_status == NULL) {
        return -EINVAL;
    }
    if (index >= peers->count) {
        return -ENOENT;
    }

    const struct solo__peer *peer = &peers->peers[index];
    struct solo_peer_status status = {.name = peer->name};
    status.state = (enum solo_peer_state)__atomic_load_n(&peer->state, __ATOMIC_ACQUIRE);
    if (status.state != SOLO_PEER_PLAYING) {
        SOLO_ANNOTATE_HAPPENS_AFTER(&peer->state); /* it touches nothing of the script any more */
    }
    status.line = __atomic_load_n(&peer->line, __ATOMIC_RELAXED);
    if (status.state == SOLO_PEER_FAILED) {
        memcpy(status.text, peer->text, sizeof status.text);
    } else if (status.state == SOLO_PEER_PLAYING) {
        tell_wait(peer, &status);
    }
    *ret_status = status;
    return 0;
}

bool solo_peers_finished(const struct solo_peers *peers, struct solo_peer_status *ret_unmet)
{
    for (size_t i = 0; i < solo_peers_count(peers); i++) {
        struct solo_peer_status status;
        (void)solo_peers_status(peers, i, &status);
        if (status.state != SOLO_PEER_FINISHED) {
            if (ret_unmet != NULL) {
                *ret_unmet = status;
            }
            return false;
        }
    }
    return true;
}
