/* model.c - what libraries need that bring another interface into the simulated world: model.h. */
#include <solo/model.h>
#include "sim_world.h"
#include "self.h"

struct solo_world *solo_model_world(void)
{
    struct core *core = core_current();
    return core != NULL && !core_is_closing(core) ? core_world(core) : NULL;
}

bool solo_model_has_turn(void)
{
    struct core *core = core_current();
    return core == NULL || core_has_turn(core, solo__self);
}

struct solo_thread *solo_model_self(void)
{
    return solo__self_get();
}

uint32_t solo_model_object(enum solo_model_kind kind)
{
    static const uint8_t kinds[SOLO_MODEL_KINDS] = {
        [SOLO_MODEL_MUTEX] = SOLO__MUTEX,         [SOLO_MODEL_CONDITION] = SOLO__CONDITION,
        [SOLO_MODEL_SEMAPHORE] = SOLO__SEMAPHORE, [SOLO_MODEL_RWLOCK] = SOLO__RWLOCK,
        [SOLO_MODEL_BARRIER] = SOLO__BARRIER,     [SOLO_MODEL_ONCE] = SOLO__ONCE,
        [SOLO_MODEL_FUTEX] = SOLO__FUTEX,         [SOLO_MODEL_FILE] = SOLO__FILE,
        [SOLO_MODEL_PIPE] = SOLO__PIPE,           [SOLO_MODEL_SOCKET] = SOLO__SOCKET,
        [SOLO_MODEL_EVENTFD] = SOLO__EVENTFD,     [SOLO_MODEL_TIMERFD] = SOLO__TIMERFD,
        [SOLO_MODEL_EPOLL] = SOLO__EPOLL,         [SOLO_MODEL_MEMORY] = SOLO__MEMORY,
    };
    if (kind < SOLO_MODEL_MUTEX || kind >= SOLO_MODEL_KINDS) {
        return 0;
    }

    return solo__object_next_id(solo__self_get()->object.world, (enum solo__object_kind)kinds[kind]);
}

void solo_model_exit(int status)
{
    core_exit(status);
}

int solo_model_leave(void)
{
    struct core *core = core_current();
    return core != NULL ? core_thread_leave(core) : -EINVAL;
}

void solo_model_set_pthreads(solo_model_create_fn create_fn, solo_model_join_fn join_fn)
{
    core_token_use(create_fn, join_fn);
}

bool solo_model_tells_tsan(void)
{
#ifdef SOLO_TSAN
    return true;
#else
    return false;
#endif
}
