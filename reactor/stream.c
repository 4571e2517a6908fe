/* stream.c - byte streams of the caller's world, to try readers and writers on. */
#include <solo/descriptor.h>

int solo_stream_pair(int ret_fds[2])
{
    if (ret_fds == NULL) {
        return -EINVAL;
    }

    struct solo_world *world = solo_world_current();
    int fds[2];
    int error = world->network->pair(world, fds);
    if (error < 0) {
        return error;
    }
    ret_fds[0] = fds[0];
    ret_fds[1] = fds[1];
    return 0;
}

ptrdiff_t solo_stream_read(int fd, void *buffer, size_t size)
{
    if (buffer == NULL && size > 0) {
        return -EINVAL;
    }

    struct solo_world *world = solo_world_current();
    return world->network->read(world, fd, buffer, size, NULL);
}

ptrdiff_t solo_stream_write(int fd, const void *data, size_t size)
{
    if (data == NULL && size > 0) {
        return -EINVAL;
    }

    struct solo_world *world = solo_world_current();
    return world->network->write(world, fd, data, size, NULL);
}

int solo_stream_close(int fd)
{
    if (fd < 0) {
        return -EBADF;
    }

    struct solo_world *world = solo_world_current();
    (void)world->network->close(world, fd, SOLO_CLOSE_WHOLE);
    return 0;
}
