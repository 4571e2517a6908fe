/*
 * unmodelled.c - what a simulated schedule cannot model.
 *
 * usage: unmodelled fork|execl|execlp|execle|fexecve|socket|alarm|cancel|kill|join-main|file-lock|file-position|spin|
 *        endless|pass-on
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void *print(void *arg)
{
    flockfile(stdout);
    printf("a line ");
    usleep(1000);
    printf("in two parts\n");
    funlockfile(stdout);
    return arg;
}

static volatile int flag;

static void *set_flag(void *arg)
{
    flag = 1;
    return arg;
}

static void *sleep_for_ever(void *arg)
{
    for (;;) {
        usleep(1000);
    }
    return arg;
}

/* A message with a descriptor in it. */
static struct msghdr *with(int fd)
{
    static char space[CMSG_SPACE(sizeof fd)];
    static struct iovec text = {(char *)"x", 1};
    static struct msghdr message = {.msg_iov = &text, .msg_iovlen = 1, .msg_control = space};
    message.msg_controllen = sizeof space;
    struct cmsghdr *part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(part), &fd, sizeof fd);
    return &message;
}

static pthread_t main_thread;

static void *wait_for_main(void *arg)
{
    pthread_join(main_thread, NULL);
    return arg;
}

static void *seek(void *arg)
{
    flockfile(arg);
    usleep(1000);
    fseek(arg, 0, SEEK_SET);
    funlockfile(arg);
    return arg;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    pthread_t thread;
    if (strcmp(what, "fork") == 0) {
        pid_t pid = fork();
        if (pid == 0) {
            _exit(0);
        }
        waitpid(pid, NULL, 0);
    } else if (strcmp(what, "execl") == 0) {
        execl("/bin/true", "true", (char *)NULL);
    } else if (strcmp(what, "execlp") == 0) {
        execlp("true", "true", (char *)NULL);
    } else if (strcmp(what, "execle") == 0) {
        execle("/bin/true", "true", (char *)NULL, environ);
    } else if (strcmp(what, "fexecve") == 0) {
        fexecve(open("/bin/true", O_RDONLY | O_CLOEXEC), argv, environ);
    } else if (strcmp(what, "spin") == 0) { /* it never gives up its turn */
        pthread_create(&thread, NULL, set_flag, NULL);
        while (!flag) {
        }
        pthread_join(thread, NULL);
    } else if (strcmp(what, "endless") == 0) {
        pthread_create(&thread, NULL, sleep_for_ever, NULL);
        pthread_join(thread, NULL);
    } else if (strcmp(what, "socket") == 0) {
        close(socket(AF_INET, SOCK_STREAM, 0));
    } else if (strcmp(what, "pass-on") == 0) {
        int pair[2], fds[2];
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && pipe(fds) == 0) {
            sendmsg(pair[0], with(STDIN_FILENO), 0); /* nobody's business */
            sendmsg(pair[0], with(fds[0]), 0);
        }
    } else if (strcmp(what, "alarm") == 0) {
        alarm(1);
    } else if (strcmp(what, "join-main") == 0) {
        main_thread = pthread_self();
        pthread_create(&thread, NULL, wait_for_main, NULL);
        pthread_exit(NULL);
    } else if (strcmp(what, "file-lock") == 0) { /* this can be: one waits for the other */
        pthread_create(&thread, NULL, print, NULL);
        usleep(500);
        printf("another line\n");
        print(NULL);
        pthread_join(thread, NULL);
    } else if (strcmp(what, "file-position") == 0) { /* this cannot: it blocks inside the C library */
        FILE *file = tmpfile();
        pthread_create(&thread, NULL, seek, file);
        usleep(500);
        rewind(file);
        pthread_join(thread, NULL);
    } else {
        pthread_create(&thread, NULL, print, NULL);
        strcmp(what, "kill") == 0 ? pthread_kill(thread, SIGUSR1) : pthread_cancel(thread);
        pthread_join(thread, NULL);
    }
    return 0;
}
