/* trace.c - traces to text and back, and which event depends on which. */
#include <errno.h>
#include <inttypes.h>
#include <solo/sim.h>
#include <solo/thread.h>
#include <solo/trace.h>
#include <stdlib.h>
#include <string.h>

const char *solo_ending_text(int ending)
{
    static const char *const texts[] = {"none", "returned", "quiet", "deadlock", "steps", "diverged"};
    return ending >= 0 && (size_t)ending < sizeof texts / sizeof texts[0] ? texts[ending] : "?";
}

const char *solo_choice_kind_text(unsigned kind)
{
    static const char *const texts[SOLO_CHOICE_KINDS] = {"thread", "waiter", "ready", "job",
                                                         "worker", "chunk",  "fault"};
    return kind < SOLO_CHOICE_KINDS ? texts[kind] : "?";
}

static const char *thread_name(const struct solo_trace *trace, unsigned number)
{
    bool known = number < trace->thread_count && trace->thread_names[number][0] != '\0';
    return known ? trace->thread_names[number] : "?";
}

const char *solo_trace_line(const struct solo_trace *trace, const struct solo_event *event, char *buffer)
{
    char object[64];
    if (event->kind == SOLO_PROBE_CHOICE) {
        snprintf(object, sizeof object, "%s", solo_choice_kind_text(event->object));
    } else {
        solo_object_name(event->object, object, sizeof object);
    }
    snprintf(buffer, SOLO_TRACE_LINE_MAX, "%" PRIu64 " %" PRIu64 " %s %s %s %" PRId64, event->step, event->now_ns,
             thread_name(trace, event->thread), solo_probe_kind_text(event->kind), object, (int64_t)event->value);
    return buffer;
}

static void write_events(FILE *to, const struct solo_trace *trace, const uint32_t *predecessors)
{
    char line[SOLO_TRACE_LINE_MAX];
    for (size_t i = 0; i < trace->count; i++) {
        fputs(solo_trace_line(trace, &trace->events[i], line), to);
        if (predecessors != NULL && predecessors[i] != 0) {
            fprintf(to, " <- %" PRIu64, trace->events[predecessors[i] - 1].step);
        } else if (predecessors != NULL) {
            fputs(" <- -", to);
        }
        fputc('\n', to);
    }
}

int solo_trace_write(FILE *to, const struct solo_trace *trace, bool with_dependences)
{
    if (to == NULL || trace == NULL || trace->scenario == NULL || (trace->events == NULL && trace->count != 0)) {
        return -EINVAL;
    }
    uint32_t *predecessors = NULL;
    if (with_dependences) {
        predecessors = calloc(trace->count + 1, sizeof *predecessors);
        int result =
            predecessors != NULL ? solo_trace_predecessors(trace->events, trace->count, predecessors) : -ENOMEM;
        if (result < 0) {
            free(predecessors);
            return result;
        }
    }
    fprintf(to, "solo-trace %d\nscenario %s\nchoice-schema %d\nstep ns thread kind object value\n", SOLO_TRACE_VERSION,
            trace->scenario, SOLO_CHOICE_SCHEMA);
    if (trace->left_out != 0) {
        fprintf(to, "left-out %" PRIu64 "\n", trace->left_out);
    }
    write_events(to, trace, predecessors);
    fprintf(to, "ending %s\nhash %016" PRIx64 "\n", solo_ending_text(trace->ending), trace->hash);
    free(predecessors);
    return ferror(to) ? -EIO : 0;
}

/* ---- Dependences ---- */

/*
 * What is known of one object: the last events of two different threads, and the same of writes. Two are enough:
 * whoever asks is at most one of them.
 */
struct object_history {
    uint32_t object;
    uint32_t accesses[2], writes[2]; /* index + 1, latest first; 0: none */
};

static void remember(uint32_t last[2], const struct solo_event *events, uint32_t index)
{
    if (last[0] != 0 && events[last[0] - 1].thread != events[index].thread) {
        last[1] = last[0];
    }
    last[0] = index + 1;
}

static uint32_t latest_of_others(const uint32_t last[2], const struct solo_event *events, unsigned thread)
{
    if (last[0] != 0 && events[last[0] - 1].thread != thread) {
        return last[0];
    }
    return last[1];
}

static struct object_history *find_history(struct object_history *table, size_t mask, uint32_t object)
{
    size_t slot = (object * UINT32_C(0x9e3779b1)) & mask;
    while (table[slot].object != 0 && table[slot].object != object) {
        slot = (slot + 1) & mask;
    }
    table[slot].object = object;
    return &table[slot];
}

static bool touches_an_object(const struct solo_event *event)
{
    return event->object != 0 && event->access != SOLO_ACCESS_NONE && event->kind != SOLO_PROBE_CHOICE;
}

int solo_trace_predecessors(const struct solo_event *events, size_t count, uint32_t *ret_predecessors)
{
    if ((events == NULL && count != 0) || ret_predecessors == NULL || count > UINT32_MAX / 4) {
        return -EINVAL;
    }
    size_t slots = 64;
    while (slots < count * 2) {
        slots *= 2;
    }
    struct object_history *table = calloc(slots, sizeof *table);
    if (table == NULL) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < count; i++) {
        ret_predecessors[i] = 0;
        if (!touches_an_object(&events[i])) {
            continue;
        }
        struct object_history *history = find_history(table, slots - 1, events[i].object);
        bool writes = (events[i].access & SOLO_ACCESS_WRITE) != 0;
        ret_predecessors[i] = latest_of_others(writes ? history->accesses : history->writes, events, events[i].thread);
        remember(history->accesses, events, i);
        if (writes) {
            remember(history->writes, events, i);
        }
    }
    free(table);
    return 0;
}

/* ---- Reading ---- */

static bool is_head_or_foot(const char *line)
{
    static const char *const beginnings[] = {"solo-trace ", "scenario ", "choice-schema ", "step ns ",
                                             "left-out ",   "ending ",   "hash "};
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
        if (strncmp(line, beginnings[i], strlen(beginnings[i])) == 0) {
            return true;
        }
    }
    return false;
}

int solo_trace_parse_line(const char *line, struct solo_trace_entry *ret_entry)
{
    if (line == NULL || ret_entry == NULL) {
        return -EINVAL;
    }
    if (is_head_or_foot(line)) {
        return 1;
    }
    struct solo_trace_entry entry;
    if (sscanf(line, "%" SCNu64 " %" SCNu64 " %23s %31s %63s %" SCNd64, &entry.step, &entry.now_ns, entry.thread,
               entry.kind, entry.object, &entry.value) != 6) {
        return -EINVAL;
    }
    *ret_entry = entry;
    return 0;
}
