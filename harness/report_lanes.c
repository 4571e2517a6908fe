/*
 * report_lanes.c - the last steps as lanes: one column per thread, time downwards, arrows for queued work.
 *
 * At most four lanes: the thread of the finding, the one that queued the work, the owner of the object, and then
 * whoever acted last. Steps of others are left out and counted.
 */
#include "report_internal.h"
#include <solo/inbox.h>
#include <string.h>

enum { LANES_MAX = 4, PREFIX = 22, NUMBERS = PREFIX - 7, NOBODY = -1 };

struct lane {
    const char *name;
};

struct board {
    const struct solo_violation *violation;
    const struct solo_report_context *context;
    struct lane lanes[LANES_MAX];
    unsigned lane_count;
    unsigned width; /* of a lane */
    const struct solo_step_text *rows[SOLO_DETAIL_STEPS_MAX];
    unsigned row_count, left_out;
};

const char *solo__report_time(uint64_t ns, char *buffer, size_t size)
{
    bool seconds = ns >= 1000000000;
    uint64_t unit = seconds ? 1000000000 : 1000000;
    uint64_t rest = ns % unit * 1000 / unit;
    char decimals[16] = "";
    if (rest != 0) {
        (void)snprintf(decimals, sizeof decimals, ".%03u", (unsigned)rest);
        decimals[ns / unit >= 100 ? 2 : ns / unit >= 10 ? 3 : 4] = '\0'; /* four digits are enough */
        for (size_t end = strlen(decimals); end > 0 && (decimals[end - 1] == '0' || decimals[end - 1] == '.'); end--) {
            decimals[end - 1] = '\0';
        }
    }
    (void)snprintf(buffer, size, "%llu%s %s", (unsigned long long)(ns / unit), decimals, seconds ? "s" : "ms");
    return buffer;
}

/* Verbs that need only their object. NULL: the event is said in another way, or not at all. */
static const char *verb_of(unsigned kind)
{
    switch (kind) {
    case SOLO_PROBE_THREAD_START: return "starts %s";
    case SOLO_PROBE_THREAD_JOIN: return "joins %s";
    case SOLO_PROBE_LOCK: return "locks %s";
    case SOLO_PROBE_UNLOCK: return "unlocks %s";
    case SOLO_PROBE_WAIT:
    case SOLO_PROBE_BLOCK: return "waits for %s";
    case SOLO_PROBE_SIGNAL: return "signals %s";
    case SOLO_PROBE_ACCESS_READ: return "reads %s";
    case SOLO_PROBE_ACCESS_WRITE: return "writes %s";
    case SOLO_PROBE_CALL_ACCEPTED: return "queues %s";
    case SOLO_PROBE_CALL_BEGUN: return "begins %s";
    case SOLO_PROBE_CALL_ENDED: return "ends %s";
    case SOLO_PROBE_CALL_HANDED_BACK: return "%s is done";
    case SOLO_PROBE_CALL_DROPPED: return "drops %s";
    case SOLO_PROBE_TIMER_CANCELLED: return "cancels %s";
    case SOLO_PROBE_DEFERRED_MADE: return "makes %s";
    case SOLO_PROBE_DEFERRED_FIRED: return "fires %s";
    case SOLO_PROBE_DEFERRED_ENDED: return "releases %s";
    case SOLO_PROBE_LISTEN: return "listens: %s";
    case SOLO_PROBE_CONNECT: return "connects %s";
    case SOLO_PROBE_ACCEPT: return "accepts %s";
    case SOLO_PROBE_CLOSE: return "closes %s";
    case SOLO_PROBE_WORKER_QUIT: return "quits %s";
    case SOLO_PROBE_CONFINED_BOUND: return "binds %s";
    case SOLO_PROBE_CONFINED_USED: return "uses %s";
    default: return NULL;
    }
}

/* What the program says of a queue of its own. */
static const char *inbox_text(const struct solo_step_text *step)
{
    static const char *const steps[SOLO_INBOX_STEPS] = {
        [SOLO_INBOX_GIVING] = "is to get", [SOLO_INBOX_WAKING] = "wakes",   [SOLO_INBOX_GIVEN] = "has got",
        [SOLO_INBOX_SLEEPING] = "sleeps",  [SOLO_INBOX_WOKEN] = "is awake", [SOLO_INBOX_TAKEN] = "gave",
    };
    return (step->value & 0xff) < SOLO_INBOX_STEPS && steps[step->value & 0xff] != NULL ? steps[step->value & 0xff]
                                                                                        : "changes";
}

static const char *state_text(const struct solo_step_text *step)
{
    static const char *const reactor[] = {"is made", "runs", "stops", "stopped", "crashed"};
    static const char *const transport[] = {"open", "closing", "lost"};
    if (step->kind == SOLO_PROBE_REACTOR_STATE) {
        return step->value < 5 ? reactor[step->value] : "changes";
    }
    return step->value < 3 ? transport[step->value] : "changes";
}

const char *solo__report_words(const struct solo_step_text *step, uint64_t base_ns, char *buffer, size_t size)
{
    char time[24];
    bool waits_for_none = step->kind == SOLO_PROBE_BLOCK && step->object_name[0] == '\0';
    const char *object = waits_for_none ? solo_wait_kind_text((unsigned)step->value) : step->object_name;
    const char *verb = verb_of(step->kind);
    if (verb != NULL) {
        const char *gap = strstr(verb, "%s");
        (void)snprintf(buffer, size, "%.*s%s%s", (int)(gap - verb), verb, object, gap + 2);
        return buffer;
    }
    switch (step->kind) {
    case SOLO_PROBE_SLEEP:
        (void)snprintf(buffer, size, "sleeps to %s", solo__report_time(step->value - base_ns, time, sizeof time));
        break;
    case SOLO_PROBE_TIMER_SET:
        (void)snprintf(buffer, size, "sets %s: %s", object,
                       solo__report_time(step->value - base_ns, time, sizeof time));
        break;
    case SOLO_PROBE_POLL: (void)snprintf(buffer, size, "polls"); break;
    case SOLO_PROBE_YIELD: (void)snprintf(buffer, size, "yields"); break;
    case SOLO_PROBE_THREAD_END: (void)snprintf(buffer, size, "has ended"); break;
    case SOLO_PROBE_READ:
    case SOLO_PROBE_WRITE:
        (void)snprintf(buffer, size, "%s %s", step->kind == SOLO_PROBE_READ ? "reads" : "writes", object);
        break;
    case SOLO_PROBE_REACTOR_STATE:
    case SOLO_PROBE_TRANSPORT_STATE: (void)snprintf(buffer, size, "%s %s", object, state_text(step)); break;
    case SOLO_PROBE_INBOX: (void)snprintf(buffer, size, "%s %s", object, inbox_text(step)); break;
    case SOLO_PROBE_PEER: (void)snprintf(buffer, size, "did line %llu", (unsigned long long)step->value); break;
    case SOLO_PROBE_HAPPENED: (void)snprintf(buffer, size, "a thing happened"); break;
    default: (void)snprintf(buffer, size, "%s %s", solo_probe_kind_text(step->kind), object); break;
    }
    return buffer;
}

/* ---- Which lanes ---- */

static int lane_of(const struct board *board, const char *name)
{
    for (unsigned i = 0; i < board->lane_count; i++) {
        if (strcmp(board->lanes[i].name, name) == 0) {
            return (int)i;
        }
    }
    return NOBODY;
}

static void want_lane(struct board *board, const char *name)
{
    if (name[0] != '\0' && name[0] != '?' && board->lane_count < LANES_MAX && lane_of(board, name) == NOBODY) {
        board->lanes[board->lane_count++].name = name;
    }
}

static unsigned thread_number(const struct board *board, const char *name)
{
    const struct solo_detail *detail = board->context->detail;
    for (unsigned i = 0; i < detail->step_count; i++) {
        if (strcmp(detail->steps[i].thread_name, name) == 0) {
            return detail->steps[i].thread;
        }
    }
    return strcmp(name, board->violation->thread) == 0 ? board->violation->thread_number : 0;
}

static void choose_lanes(struct board *board)
{
    const struct solo_detail *detail = board->context->detail;
    want_lane(board, board->violation->thread);
    want_lane(board, board->violation->queued_by);
    want_lane(board, board->violation->owner);
    for (unsigned i = detail->step_count; i-- > 0;) {
        want_lane(board, detail->steps[i].thread_name);
    }
    for (unsigned i = 1; i < board->lane_count; i++) { /* in order of thread number */
        struct lane lane = board->lanes[i];
        unsigned at = i;
        for (; at > 0 && thread_number(board, board->lanes[at - 1].name) > thread_number(board, lane.name); at--) {
            board->lanes[at] = board->lanes[at - 1];
        }
        board->lanes[at] = lane;
    }
    unsigned lanes = board->lane_count > 0 ? board->lane_count : 1;
    board->width = (SOLO_REPORT_COLUMNS_MAX - PREFIX) / lanes;
    board->width = board->width > 30 ? 30 : board->width;
}

/* ---- Which steps ---- */

/* The same thread saying the same thing twice, as a lock and the wait for it do, is one step to a reader. */
static bool is_repeated(const struct solo_step_text *before, const struct solo_step_text *step)
{
    bool waits =
        before->kind == SOLO_PROBE_WAIT || before->kind == SOLO_PROBE_LOCK || before->kind == SOLO_PROBE_THREAD_JOIN;
    return step->kind == SOLO_PROBE_BLOCK && waits && before->thread == step->thread && before->object == step->object;
}

static void choose_rows(struct board *board, unsigned rows_max)
{
    const struct solo_detail *detail = board->context->detail;
    const struct solo_step_text *rows[SOLO_DETAIL_STEPS_MAX];
    unsigned count = 0;
    const struct solo_step_text *queued = NULL;
    for (unsigned i = 0; i < detail->step_count; i++) {
        const struct solo_step_text *step = &detail->steps[i];
        if (lane_of(board, step->thread_name) == NOBODY) {
            board->left_out++;
        } else if (i == 0 || !is_repeated(&detail->steps[i - 1], step)) {
            rows[count++] = step;
        }
    }
    unsigned first = count > rows_max ? count - rows_max : 0;
    for (unsigned i = 0; i < first; i++) { /* where the work was queued is worth a row, however long ago */
        if (rows[i]->kind == SOLO_PROBE_CALL_ACCEPTED && board->violation->job[0] != '\0' &&
            strcmp(rows[i]->object_name, board->violation->job) == 0) {
            queued = rows[i];
        }
    }
    if (queued != NULL && rows_max > 2) {
        board->rows[board->row_count++] = queued;
        first++;
    }
    for (unsigned i = first; i < count; i++) {
        board->rows[board->row_count++] = rows[i];
    }
}

/* ---- Drawing ---- */

static void put(char *line, unsigned column, const char *text, unsigned width)
{
    size_t length = strlen(text);
    length = length > width ? width : length;
    memcpy(line + column, text, length);
}

static void draw_prefix(char *line, bool here, uint64_t step, uint64_t ns)
{
    char time[24], numbers[48];
    (void)solo__report_time(ns, time, sizeof time);
    int length = snprintf(numbers, sizeof numbers, "%5llu", (unsigned long long)step);
    int room = NUMBERS - length - 1; /* a long number takes from the other one's margin, then from that of the line */
    length += snprintf(numbers + length, sizeof numbers - (size_t)length, " %*s", room > 0 ? room : 0, time);
    unsigned margin = length < PREFIX - 4 ? PREFIX - 2 - (unsigned)length : 2;
    line[margin - 2] = here ? '>' : ' ';
    put(line, margin, numbers, PREFIX - 1 - margin);
}

/* Which lane begins the call that this step queues, NOBODY if none does in view. */
static int begun_in(const struct board *board, unsigned row)
{
    for (unsigned i = row + 1; i < board->row_count; i++) {
        if (board->rows[i]->kind == SOLO_PROBE_CALL_BEGUN && board->rows[i]->object == board->rows[row]->object) {
            return lane_of(board, board->rows[i]->thread_name);
        }
    }
    if (board->violation->job[0] != '\0' && strcmp(board->rows[row]->object_name, board->violation->job) == 0) {
        return lane_of(board, board->violation->thread);
    }
    return NOBODY;
}

/* An arrow between the end of the text in one lane and another lane, and what arrives there. */
static void draw_arrow(const struct board *board, char *line, unsigned from, unsigned to, unsigned length)
{
    unsigned start = PREFIX + from * board->width;
    unsigned target = PREFIX + to * board->width;
    if (to > from) {
        unsigned begin = start + length + 1;
        if (begin + 2 < target) {
            memset(line + begin, '-', target - 2 - begin);
            line[target - 2] = '>';
        }
        put(line, target, "queued", board->width - 1);
    } else {
        put(line, target, "queued", board->width - 1);
        unsigned begin = target + 7;
        if (begin + 2 < start) {
            line[begin] = '<';
            memset(line + begin + 1, '-', start - 2 - begin);
        }
    }
}

static void add_trimmed(struct solo__page *page, char *line)
{
    size_t end = SOLO_REPORT_COLUMNS_MAX;
    while (end > 0 && line[end - 1] == ' ') {
        end--;
    }
    line[end] = '\0';
    solo__page_line(page, "%s", line);
}

static void draw_row(struct solo__page *page, const struct board *board, unsigned row)
{
    char line[SOLO_REPORT_COLUMNS_MAX + 1], words[64];
    const struct solo_step_text *step = board->rows[row];
    uint64_t base = board->context->base_ns;
    memset(line, ' ', sizeof line);
    draw_prefix(line, false, step->step, step->now_ns - base);
    unsigned lane = (unsigned)lane_of(board, step->thread_name);
    solo__report_words(step, base, words, sizeof words);
    int to = step->kind == SOLO_PROBE_CALL_ACCEPTED ? begun_in(board, row) : NOBODY;
    bool has_arrow = to != NOBODY && to != (int)lane;
    unsigned column = PREFIX + lane * board->width;
    unsigned length = (unsigned)strlen(words), room = has_arrow ? board->width - 1 : SOLO_REPORT_COLUMNS_MAX - column;
    length = length > room ? room : length;
    put(line, column, words, length);
    if (has_arrow) {
        draw_arrow(board, line, lane, (unsigned)to, length);
    }
    add_trimmed(page, line);
}

/* The finding itself, as the last step. */
static void draw_here(struct solo__page *page, const struct board *board)
{
    char line[SOLO_REPORT_COLUMNS_MAX + 1], words[SOLO_REPORT_COLUMNS_MAX], id[8];
    const struct solo_violation *violation = board->violation;
    const struct solo_detail *detail = board->context->detail;
    memset(line, ' ', sizeof line);
    draw_prefix(line, true, violation->step, violation->now_ns - board->context->base_ns);
    int lane = lane_of(board, violation->thread);
    const char *what = violation->thread[0] == '\0'
                           ? "the run has ended"
                           : solo__report_or(violation->function, solo__report_id(violation, id));
    if (detail->frame_count != 0 && detail->frames[0].line > 0) {
        (void)snprintf(words, sizeof words, "%s :%d  <- here", what, (int)detail->frames[0].line);
    } else {
        (void)snprintf(words, sizeof words, "%s  <- here", what);
    }
    unsigned column = PREFIX + (lane > 0 ? (unsigned)lane : 0) * board->width;
    unsigned length = (unsigned)strlen(words);
    if (column + length > SOLO_REPORT_COLUMNS_MAX) { /* nothing stands left of it in this row */
        column = length < SOLO_REPORT_COLUMNS_MAX - PREFIX ? SOLO_REPORT_COLUMNS_MAX - length : PREFIX;
    }
    put(line, column, words, SOLO_REPORT_COLUMNS_MAX - column);
    add_trimmed(page, line);
}

static void draw_names(struct solo__page *page, const struct board *board)
{
    char line[SOLO_REPORT_COLUMNS_MAX + 1];
    memset(line, ' ', sizeof line);
    put(line, 0, "      step     clock", PREFIX);
    for (unsigned i = 0; i < board->lane_count; i++) {
        put(line, PREFIX + i * board->width, board->lanes[i].name, board->width - 1);
    }
    add_trimmed(page, line);
}

void solo__report_lanes(struct solo__page *page, const struct solo_violation *violation,
                        const struct solo_report_context *context, unsigned lines)
{
    struct board board = {.violation = violation, .context = context};
    if (context->detail == NULL || context->detail->step_count == 0 || lines < 5) {
        return;
    }
    choose_lanes(&board);
    if (board.lane_count == 0) {
        return;
    }
    choose_rows(&board, lines - 3);
    char left_out[64] = "";
    if (board.left_out != 0) {
        (void)snprintf(left_out, sizeof left_out, "; %u of other threads left out", board.left_out);
    }
    solo__page_line(page, "     = the last steps (%s clock%s)",
                    context->world != NULL && strcmp(context->world, "os") == 0 ? "real" : "virtual", left_out);
    draw_names(page, &board);
    for (unsigned i = 0; i < board.row_count; i++) {
        draw_row(page, &board, i);
    }
    draw_here(page, &board);
}
