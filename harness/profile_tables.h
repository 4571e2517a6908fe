/*
 * profile_tables.h - the tables of a profile: objects by key, places by hash, and how often a path touches an object.
 * Included by profile.c only.
 *
 * All are open hash tables without pointers that only grow. When one is full, what is new is not found in it.
 */
#ifndef SOLO__PROFILE_TABLES_H
#define SOLO__PROFILE_TABLES_H

#include "profile.h"

/*
 * Something is new. If the schedule is known from its beginning it is learnt from after all; otherwise its places would
 * not be the right ones, and it is the next that is learnt from.
 */
static inline void be_surprised(struct solo__profile *profile)
{
    if (profile->hears_all) {
        profile->learns = 1;
    } else {
        profile->rest = 0;
    }
}

static inline uint32_t slot_of(uint64_t hash, uint32_t slots)
{
    return (uint32_t)((hash * UINT64_C(0x9e3779b97f4a7c15) >> 32) * slots >> 32);
}

static inline uint16_t find_object(struct solo__profile *profile, uint64_t key)
{
    enum { SLOTS = SOLO__OBJECTS_MAX * 2 };
    if (profile->last_key == key) {
        return profile->last_object;
    }
    for (uint32_t slot = slot_of(key, SLOTS);; slot = slot + 1 == SLOTS ? 0 : slot + 1) {
        uint16_t entry = profile->object_slots[slot];
        if (entry != 0 && profile->objects[entry - 1].key == key) {
            profile->last_key = key;
            return profile->last_object = (uint16_t)(entry - 1);
        }
        if (entry != 0) {
            continue;
        }
        if (profile->object_count == SOLO__OBJECTS_MAX) {
            return SOLO__NO_INDEX;
        }
        uint16_t index = (uint16_t)profile->object_count++;
        be_surprised(profile);
        profile->objects[index] = (struct solo__shared){
            .key = key, .last_path = SOLO__NO_INDEX, .last_count = SOLO__NO_INDEX, .guards = UINT64_MAX};
        profile->object_slots[slot] = (uint16_t)(index + 1);
        return index;
    }
}

static inline uint16_t find_place(struct solo__profile *profile, uint64_t hash, uint16_t object, unsigned operation,
                                  bool make)
{
    enum { SLOTS = SOLO__PLACES_MAX * 2 };
    for (uint32_t slot = slot_of(hash, SLOTS);; slot = slot + 1 == SLOTS ? 0 : slot + 1) {
        uint16_t entry = profile->place_slots[slot];
        if (entry != 0 && profile->places[entry - 1].hash == hash) {
            return (uint16_t)(entry - 1);
        }
        if (entry != 0) {
            continue;
        }
        if (!make || profile->place_count == SOLO__PLACES_MAX) {
            return SOLO__NO_INDEX;
        }
        uint16_t index = (uint16_t)profile->place_count++;
        profile->places[index] = (struct solo__place){.hash = hash,
                                                      .object = object,
                                                      .operation = (uint8_t)operation,
                                                      .interest = solo__operation_is_interesting(operation)};
        profile->place_slots[slot] = (uint16_t)(index + 1);
        profile->version++;
        return index;
    }
}

/* Where the count is, or would be. */
static inline uint32_t count_slot(const struct solo__profile *profile, uint16_t path, uint16_t object)
{
    uint32_t slot = slot_of((uint64_t)path << 16 | object, SOLO__COUNTS_MAX);
    for (;; slot = slot + 1 == SOLO__COUNTS_MAX ? 0 : slot + 1) {
        const struct solo__count *count = &profile->counts[slot];
        if (count->path == 0 || (count->path == path + 1u && count->object == object + 1u)) {
            return slot;
        }
    }
}

static inline const struct solo__count *find_count(const struct solo__profile *profile, uint16_t path, uint16_t object)
{
    const struct solo__count *count = &profile->counts[count_slot(profile, path, object)];
    return count->path != 0 ? count : NULL;
}

/* Its index; SOLO__NO_INDEX: the table is full. */
static inline uint16_t make_count(struct solo__profile *profile, uint16_t path, uint16_t object)
{
    uint32_t slot = count_slot(profile, path, object);
    struct solo__count *count = &profile->counts[slot];
    if (count->path == 0) {
        if (profile->count_count >= SOLO__COUNTS_MAX / 4 * 3) {
            return SOLO__NO_INDEX;
        }
        profile->count_count++;
        count->path = (uint16_t)(path + 1);
        count->object = (uint16_t)(object + 1);
    }
    return (uint16_t)slot;
}

#endif
