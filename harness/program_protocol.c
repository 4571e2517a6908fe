/* program_protocol.c - messages with descriptors over a socket. */
#include "program_protocol.h"
#include "region.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

union control_space {
    struct cmsghdr header;
    char space[CMSG_SPACE(SOLO__FDS * sizeof(int))];
};

static int count_fds(const int *fds)
{
    int count = 0;
    while (fds != NULL && count < SOLO__FDS && fds[count] >= 0) {
        count++;
    }
    return count;
}

int solo__message_send(int fd, const struct solo__message *message, const int *fds)
{
    struct iovec part = {(void *)message, sizeof *message};
    union control_space control;
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
    size_t size = (size_t)count_fds(fds) * sizeof(int);
    if (size != 0) {
        memset(&control, 0, sizeof control);
        header.msg_control = &control;
        header.msg_controllen = CMSG_SPACE(size);
        struct cmsghdr *first = CMSG_FIRSTHDR(&header);
        first->cmsg_level = SOL_SOCKET;
        first->cmsg_type = SCM_RIGHTS;
        first->cmsg_len = CMSG_LEN(size);
        memcpy(CMSG_DATA(first), fds, size);
    }
    ssize_t sent;
    do {
        sent = sendmsg(fd, &header, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)sizeof *message ? 0 : sent < 0 ? -errno : -EPROTO;
}

int solo__message_receive(int fd, struct solo__message *ret_message, int *ret_fds)
{
    struct iovec part = {ret_message, sizeof *ret_message};
    union control_space control;
    struct msghdr header = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t got;
    do {
        got = recvmsg(fd, &header, MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    for (int i = 0; ret_fds != NULL && i < SOLO__FDS; i++) {
        ret_fds[i] = -1;
    }
    if (got != (ssize_t)sizeof *ret_message || ret_message->magic != SOLO__REGION_MAGIC) {
        return -EPROTO;
    }
    ret_message->text[sizeof ret_message->text - 1] = '\0';
    struct cmsghdr *first = CMSG_FIRSTHDR(&header);
    if (ret_fds != NULL && first != NULL && first->cmsg_type == SCM_RIGHTS && first->cmsg_len >= CMSG_LEN(0)) {
        size_t size = first->cmsg_len - CMSG_LEN(0);
        memcpy(ret_fds, CMSG_DATA(first), size < SOLO__FDS * sizeof(int) ? size : SOLO__FDS * sizeof(int));
    }
    return 0;
}
