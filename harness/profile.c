/*
 * profile.c - keeping a profile up to date while a schedule runs.
 *
 * Counts are the largest that any schedule showed. What does not fit into a table is not counted, which makes
 * strategies less well informed and never wrong.
 */
#include "profile_tables.h"
#include <string.h>

enum { OBJECT_BITS = 24 };
static const bool is_point[SOLO_PROBE_KIND_COUNT] = {
#define POINT(name, text, point) point,
    SOLO_PROBE_KINDS(POINT)
#undef POINT
};
#define MIX(hash, value) (((hash) ^ (uint64_t)(value)) * UINT64_C(0x9e3779b97f4a7c15) + ((hash) >> 31))
#define MEMORY_KEY (UINT64_C(1) << 63)

bool solo__operation_is_interesting(unsigned operation)
{
    switch (operation) {
    case SOLO_PROBE_CONTRACT:
    case SOLO_PROBE_POLL:
    case SOLO_PROBE_CALL_ACCEPTED:
    case SOLO_PROBE_JOB_FINISHED:
    case SOLO_PROBE_WORKER_QUIT:
    case SOLO_PROBE_CLOSE:
    case SOLO_PROBE_CONFINED_USED: return true;
    default: return false;
    }
}

/* Objects that a program has few of, so that their number says which one it is; of others only the kind is kept. */
static bool is_named_by_number(unsigned operation)
{
    switch (operation) {
    case SOLO_PROBE_LOCK:
    case SOLO_PROBE_WAIT:
    case SOLO_PROBE_SIGNAL:
    case SOLO_PROBE_POLL:
    case SOLO_PROBE_JOB_WANTED:
    case SOLO_PROBE_ACCESS_READ:
    case SOLO_PROBE_ACCESS_WRITE: return true;
    default: return false;
    }
}

static inline bool is_memory(unsigned operation)
{
    return operation == SOLO_PROBE_ACCESS_READ || operation == SOLO_PROBE_ACCESS_WRITE;
}

/* ---- Threads ---- */

static uint16_t find_path(struct solo__profile *profile, uint64_t hash, uint16_t parent)
{
    for (uint32_t i = 0; i < profile->path_count; i++) {
        if (profile->paths[i].hash == hash) {
            return (uint16_t)i;
        }
    }
    if (profile->path_count == SOLO__PATHS_MAX) {
        return SOLO__PATHS_MAX - 1;
    }
    profile->paths[profile->path_count] = (struct solo__path){.hash = hash, .parent = parent};
    return (uint16_t)profile->path_count++;
}

/* A thread is seen for the first time in this schedule; `object` is its own id. */
static void meet_thread(struct solo__profile *profile, uint16_t thread, uint32_t object)
{
    uint64_t hash = 1;
    uint16_t parent = SOLO__NO_INDEX;
    for (uint32_t i = 0; i < profile->start_count; i++) {
        if (profile->starts[i].object == object) {
            hash = profile->starts[i].hash;
            parent = profile->starts[i].parent;
            profile->starts[i] = profile->starts[--profile->start_count];
            break;
        }
    }
    uint16_t path = find_path(profile, hash, parent);
    if (parent != SOLO__NO_INDEX) {
        profile->paths[parent].left -= (int32_t)profile->paths[path].subtree;
    }
    profile->path_of[thread] = path;
    profile->met[thread] = 1;
    profile->met_count++;
    profile->recent[thread][0] = profile->recent[thread][1] = 0;
    profile->locks[thread] = 0;
    profile->children[thread] = 0;
}

static void note_start(struct solo__profile *profile, uint16_t thread, uint32_t object)
{
    if (profile->start_count < SOLO__STARTS_MAX) {
        uint16_t parent = solo__profile_path(profile, thread);
        uint64_t hash = MIX(profile->paths[parent].hash, ++profile->children[thread]);
        uint32_t i = profile->start_count++;
        profile->starts[i].object = object;
        profile->starts[i].parent = parent;
        profile->starts[i].hash = hash;
    }
}

/* ---- Objects and places ---- */

static uint64_t key_of(unsigned operation, uint32_t object)
{
    return is_named_by_number(operation) ? object : object >> OBJECT_BITS << OBJECT_BITS;
}

static uint16_t object_of_option(struct solo__profile *profile, const struct solo_option *option)
{
    if (option->object == 0) {
        return SOLO__NO_INDEX;
    }
    if (option->address == 0) {
        return find_object(profile, key_of(option->operation, option->object));
    }
    uint32_t number = solo__profile_word(option->object);
    if (number < SOLO__OBJECTS_MAX && profile->memory[number] != 0) {
        return (uint16_t)(profile->memory[number] - 1);
    }
    uint16_t index = find_object(profile, MEMORY_KEY | option->address / 8);
    if (number < SOLO__OBJECTS_MAX && index != SOLO__NO_INDEX) {
        profile->memory[number] = (uint16_t)(index + 1);
    }
    return index;
}

uint16_t solo__profile_find_object(struct solo__profile *profile, const struct solo_option *option)
{
    uint16_t object = object_of_option(profile, option);
    struct solo__ahead *ahead = &profile->ahead[option->thread];
    ahead->object = object;
    ahead->id = option->object;
    ahead->operation = option->operation;
    ahead->access = option->access;
    ahead->named = 1;
    return object;
}

/* The word that a thread touches, as far as it has been an option. */
static inline uint16_t word_of_event(const struct solo__profile *profile, const struct solo_event *event)
{
    uint32_t number = solo__profile_word(event->object);
    uint16_t index = number < SOLO__OBJECTS_MAX ? profile->memory[number] : 0;
    return (uint16_t)(index - 1u); /* 0 is none */
}

/* The object of a point; memory as far as it has been an option. */
static uint16_t object_of_event(struct solo__profile *profile, const struct solo_event *event)
{
    if (event->object == 0) {
        return SOLO__NO_INDEX;
    }
    if (is_memory(event->kind)) {
        return word_of_event(profile, event);
    }
    const struct solo__ahead *ahead = &profile->ahead[event->thread];
    if (ahead->named && ahead->id == event->object && ahead->operation == event->kind) {
        return ahead->object;
    }
    return find_object(profile, key_of(event->kind, event->object));
}

bool solo__profile_is_held(struct solo__profile *profile, const struct solo_option *option)
{
    uint16_t object = option->operation == SOLO_PROBE_LOCK ? solo__profile_object(profile, option) : SOLO__NO_INDEX;
    if (object == SOLO__NO_INDEX || profile->objects[object].held_in != profile->schedules) {
        return false;
    }
    return profile->objects[object].holder != 0 && profile->objects[object].holder != option->thread + 1u;
}

bool solo__profile_is_own(struct solo__profile *profile, const struct solo_option *option)
{
    uint16_t index = option->address != 0 ? solo__profile_object(profile, option) : SOLO__NO_INDEX;
    if (index == SOLO__NO_INDEX || profile->objects[index].several) {
        return false;
    }
    uint16_t path = solo__profile_path(profile, option->thread);
    if (path == SOLO__PATHS_MAX - 1) {
        return false; /* that stands for many threads */
    }
    if (profile->objects[index].last_path == path) {
        return true;
    }
    be_surprised(profile); /* somebody else comes to it now */
    return false;
}

/* A lock was taken, or is given back. */
static void note_lock(struct solo__profile *profile, const struct solo_event *event)
{
    uint16_t object = find_object(profile, key_of(SOLO_PROBE_LOCK, event->object));
    if (object == SOLO__NO_INDEX) {
        return;
    }
    bool taken = event->kind == SOLO_PROBE_LOCKED;
    uint64_t bit = UINT64_C(1) << (object % 64);
    profile->objects[object].held_in = profile->schedules;
    profile->objects[object].holder = taken ? (uint16_t)(event->thread + 1) : 0;
    profile->held[event->thread] = taken ? profile->held[event->thread] | bit : profile->held[event->thread] & ~bit;
}

static uint64_t point_hash(unsigned operation, unsigned access, uint16_t object)
{
    return MIX(UINT64_C(0x9e37) + operation * 4u + access, object);
}

/* Whether the point matters to anybody but the thread itself. */
static bool makes_place(const struct solo__profile *profile, unsigned operation, uint16_t object)
{
    return !is_memory(operation) || solo__profile_is_contended(profile, object);
}

/* The place where a thread stands before the point, SOLO__NO_INDEX if it is none. */
static uint16_t place_before(struct solo__profile *profile, uint16_t thread, unsigned operation, unsigned access,
                             uint16_t object, bool make)
{
    if (!makes_place(profile, operation, object)) {
        return SOLO__NO_INDEX;
    }
    const uint64_t *recent = profile->recent[thread];
    uint64_t hash = MIX(MIX(point_hash(operation, access, object), recent[0]), recent[1]);
    return find_place(profile, hash, object, operation, make);
}

/* The place of a point that the thread passes: it was looked up when the point was an option, or is from now on. */
static uint16_t place_of_event(struct solo__profile *profile, uint16_t thread, unsigned operation, unsigned access,
                               uint16_t object)
{
    const struct solo__ahead *ahead = &profile->ahead[thread];
    if (ahead->version == profile->version + 1 && ahead->place != SOLO__NO_INDEX && ahead->object == object &&
        ahead->operation == operation && ahead->access == access) {
        return ahead->place;
    }
    return place_before(profile, thread, operation, access, object, true);
}

/* The thread was at the place of this point. */
static void note_place(struct solo__profile *profile, uint16_t thread, unsigned operation, unsigned access,
                       uint16_t object)
{
    uint16_t place = place_of_event(profile, thread, operation, access, object);
    if (place != SOLO__NO_INDEX) {
        uint16_t path = solo__profile_path(profile, thread);
        profile->places[place].visitors |= UINT64_C(1) << (path % 64);
        profile->places[place].locked |= profile->locks[thread] != 0;
    }
}

static inline void remember(struct solo__profile *profile, uint16_t thread, unsigned operation, unsigned access,
                            uint16_t object)
{
    uint64_t *recent = profile->recent[thread];
    recent[1] = recent[0];
    recent[0] = point_hash(operation, access, object);
}

/* The thread passes the point. */
static inline void pass(struct solo__profile *profile, uint16_t thread, unsigned operation, unsigned access,
                        uint16_t object)
{
    if (!makes_place(profile, operation, object)) {
        return;
    }
    if (profile->learns) {
        note_place(profile, thread, operation, access, object);
    }
    remember(profile, thread, operation, access, object);
}

static void count_lock(struct solo__profile *profile, uint16_t thread, unsigned operation)
{
    profile->locks[thread] += operation == SOLO_PROBE_LOCKED;
    profile->locks[thread] -= operation == SOLO_PROBE_UNLOCK && profile->locks[thread] != 0;
}

/* A point, or a lock taken or given back: what places are made of. */
static void move_thread(struct solo__profile *profile, uint16_t thread, unsigned operation, unsigned access,
                        uint16_t object)
{
    if (operation == SOLO_PROBE_LOCKED || operation == SOLO_PROBE_UNLOCK) {
        count_lock(profile, thread, operation);
    } else {
        pass(profile, thread, operation, access, object);
    }
}

uint16_t solo__profile_find_place(struct solo__profile *profile, const struct solo_option *option)
{
    if (option->tag == SOLO_TAG_TIME) {
        return SOLO__NO_INDEX;
    }
    uint16_t object = solo__profile_object(profile, option);
    struct solo__ahead *ahead = &profile->ahead[option->thread];
    ahead->place = place_before(profile, option->thread, option->operation, option->access, object, false);
    ahead->version = profile->version + 1;
    return ahead->place;
}

/* ---- A schedule ---- */

void solo__profile_begin(struct solo__profile *profile, bool hears_all)
{
    profile->schedules++;
    profile->hears_all = hears_all;
    profile->learns = profile->rest == 0;
    profile->rest -= profile->rest != 0;
    profile->start_count = 0;
    for (uint32_t i = 0; i < profile->path_count; i++) {
        profile->paths[i].passed = 0;
        profile->paths[i].left = (int32_t)profile->paths[i].subtree;
    }
    memset(profile->met, 0, sizeof profile->met);
    memset(profile->path_of, 0, sizeof profile->path_of);
    memset(profile->ahead, 0, sizeof profile->ahead);
    profile->met_count = 0;
    memset(profile->memory, 0, sizeof profile->memory);
    memset(profile->held, 0, sizeof profile->held);
    profile->has_started = 0;
}

/* Subtrees from the paths' own counts: a child's index is always above its parent's. */
static void sum_subtrees(struct solo__profile *profile)
{
    for (uint32_t i = 0; i < profile->path_count; i++) {
        profile->paths[i].subtree = profile->paths[i].points;
    }
    for (uint32_t i = profile->path_count; i-- > 0;) {
        uint16_t parent = profile->paths[i].parent;
        if (parent != SOLO__NO_INDEX && parent < i) {
            profile->paths[parent].subtree += profile->paths[i].subtree;
        }
    }
}

/* The places of the first schedule. */
static void walk_trail(struct solo__profile *profile)
{
    if (profile->trail_count == 0) {
        return;
    }
    memset(profile->ahead, 0, sizeof profile->ahead);
    memset(profile->recent, 0, sizeof profile->recent);
    memset(profile->locks, 0, sizeof profile->locks);
    for (uint32_t i = 0; i < profile->trail_count; i++) {
        const struct solo__trail *point = &profile->trail[i];
        move_thread(profile, point->thread, point->operation, point->access, point->object);
    }
    profile->trail_count = 0;
}

/* When it will learn again. */
static void rest(struct solo__profile *profile)
{
    bool taught = profile->version != profile->known || profile->schedules < SOLO__LEARNS_FIRST;
    uint32_t longer = profile->rest_next * 2 + 1;
    profile->rest_next = taught ? 0 : longer < SOLO__REST_MAX ? longer : SOLO__REST_MAX;
    profile->rest = profile->rest_next;
    profile->known = profile->version;
}

void solo__profile_end(struct solo__profile *profile)
{
    if (!profile->learns) {
        return;
    }
    profile->learnt++;
    rest(profile);
    walk_trail(profile);
    bool changed = false;
    for (uint32_t i = 0; i < profile->path_count; i++) {
        struct solo__path *path = &profile->paths[i];
        if (path->passed > path->points) {
            path->points = path->passed;
            changed = true;
        }
    }
    if (changed) {
        sum_subtrees(profile);
    }
}

/* The thread's next operation is among the options for the first time. */
static void meet_option(struct solo__profile *profile, const struct solo_option *option)
{
    if (!profile->met[option->thread]) {
        meet_thread(profile, option->thread, option->object);
    }
    if (option->address != 0) {
        (void)solo__profile_find_object(profile, option);
    }
    profile->ahead[option->thread].offered = 1;
}

void solo__profile_meet(struct solo__profile *profile, const struct solo_choice *choice, size_t threads)
{
    for (size_t i = 0; i < threads; i++) {
        if (!profile->ahead[choice->options[i]->thread].offered) {
            meet_option(profile, choice->options[i]);
        }
    }
}

/* Who touches it, to what end, and under which locks. */
static void note_access(struct solo__profile *profile, uint16_t path, uint16_t object, const struct solo_event *event)
{
    struct solo__shared *shared = &profile->objects[object];
    shared->several |= shared->last_path != SOLO__NO_INDEX && shared->last_path != path;
    shared->written |= (event->access & SOLO_ACCESS_WRITE) != 0;
    bool contended = shared->several && shared->written;
    profile->version += contended && !shared->contended;
    shared->contended = contended;
    shared->interest |= solo__operation_is_interesting(event->kind);
    shared->guards &= profile->has_started ? profile->held[event->thread] : UINT64_MAX;
    if (shared->last_path != path) {
        shared->last_path = path;
        shared->last_count = SOLO__NO_INDEX;
    }
}

/* How often a thread touches the object. */
static void count_access(struct solo__profile *profile, uint16_t path, uint16_t object)
{
    struct solo__shared *shared = &profile->objects[object];
    if (shared->last_count == SOLO__NO_INDEX) {
        shared->last_count = make_count(profile, path, object);
        if (shared->last_count == SOLO__NO_INDEX) {
            return;
        }
    }
    struct solo__count *count = &profile->counts[shared->last_count];
    if (count->schedule != profile->schedules) {
        count->schedule = profile->schedules;
        count->now = 0;
    }
    if (++count->now > count->seen) {
        count->seen = count->now;
        shared->accesses++;
    }
}

/* Whether places are followed: else the schedule is neither learnt from, nor will be. */
static inline bool follows_places(const struct solo__profile *profile)
{
    return profile->learns || profile->hears_all;
}

static void note_move(struct solo__profile *profile, const struct solo_event *event, uint16_t object)
{
    if (profile->schedules > 1) {
        move_thread(profile, event->thread, event->kind, event->access, object);
    } else if (profile->trail_count < SOLO__TRAIL_MAX) {
        profile->trail[profile->trail_count++] =
            (struct solo__trail){event->thread, object, event->kind, event->access};
    }
}

static uint16_t note_point(struct solo__profile *profile, const struct solo_event *event)
{
    uint16_t path = solo__profile_path(profile, event->thread);
    uint16_t object = object_of_event(profile, event);
    profile->paths[path].left--;
    if (follows_places(profile)) {
        note_move(profile, event, object);
    }
    if (!profile->learns) {
        return object;
    }
    profile->paths[path].passed++;
    if (object != SOLO__NO_INDEX && event->access != SOLO_ACCESS_NONE) {
        note_access(profile, path, object, event);
        count_access(profile, path, object);
    }
    return object;
}

static __attribute__((noinline)) uint16_t note_event(struct solo__profile *profile, const struct solo_event *event)
{
    switch (event->kind) {
    case SOLO_PROBE_LOCKED:
    case SOLO_PROBE_UNLOCK:
        note_lock(profile, event);
        if (follows_places(profile)) {
            note_move(profile, event, SOLO__NO_INDEX);
        }
        return SOLO__NO_INDEX;
    case SOLO_PROBE_THREAD_BEGIN:
        if (!profile->met[event->thread]) {
            meet_thread(profile, event->thread, event->object);
        }
        break;
    case SOLO_PROBE_THREAD_START:
        note_start(profile, event->thread, event->object);
        profile->has_started = 1;
        break;
    default:
        if (!is_point[event->kind]) {
            return SOLO__NO_INDEX;
        }
        break;
    }
    return note_point(profile, event);
}

/* The thread touches a word, and nothing is to be learnt from it. */
static inline uint16_t follow_access(struct solo__profile *profile, const struct solo_event *event)
{
    uint16_t thread = event->thread;
    uint16_t object = word_of_event(profile, event);
    profile->paths[solo__profile_path(profile, thread)].left--;
    if (solo__profile_is_contended(profile, object)) {
        remember(profile, thread, event->kind, event->access, object);
    }
    return object;
}

uint16_t solo__profile_event(struct solo__profile *profile, const struct solo_event *event)
{
    if (event->kind == SOLO_PROBE_TIME) {
        return SOLO__NO_INDEX; /* who let it pass is where it was */
    }
    bool follows = is_memory(event->kind) && !profile->learns;
    uint16_t object = follows ? follow_access(profile, event) : note_event(profile, event);
    profile->ahead[event->thread] = (struct solo__ahead){0};
    return object;
}

/* ---- What is left ---- */

void solo__profile_sum_on(const struct solo__profile *profile, uint16_t object, int32_t sums[SOLO__PATHS_MAX])
{
    for (uint32_t i = profile->path_count; i-- > 0;) {
        const struct solo__count *count = find_count(profile, (uint16_t)i, object);
        sums[i] = count != NULL ? (int32_t)count->seen : 0;
    }
    for (uint32_t i = profile->path_count; i-- > 0;) {
        uint16_t parent = profile->paths[i].parent;
        if (parent != SOLO__NO_INDEX && parent < i) {
            sums[parent] += sums[i];
        }
    }
}
