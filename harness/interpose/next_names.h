/*
 * next_names.h - every function that this library takes from the C library by NEXT: looked up once, before the first
 * schedule, and not in each of its processes.
 */
#ifndef SOLO__INTERPOSE_NEXT_NAMES_H
#define SOLO__INTERPOSE_NEXT_NAMES_H

/* clang-format off */
#define INTERPOSE_NEXT_NAMES(X) \
    X(_Exit) X(_Fork) X(__cxa_guard_abort) X(__cxa_guard_acquire) X(__cxa_guard_release) \
    X(__cxa_thread_atexit_impl) X(__libc_start_main) X(__vfprintf_chk) X(_exit) X(alarm) X(arc4random) \
    X(arc4random_buf) X(arc4random_uniform) X(call_once) X(clock) X(clock_gettime) X(clock_nanosleep) X(close) \
    X(cnd_broadcast) X(cnd_destroy) X(cnd_init) X(cnd_signal) X(cnd_timedwait) X(cnd_wait) X(dup) X(dup2) \
    X(dup3) X(epoll_create) X(epoll_create1) X(epoll_ctl) X(epoll_pwait) X(epoll_pwait2) X(epoll_wait) \
    X(eventfd) X(eventfd_read) X(eventfd_write) X(execv) X(execve) X(execvp) X(execvpe) X(fcntl) X(fdopen) \
    X(fexecve) X(fflush) X(fgetc) X(fgets) X(flockfile) X(fopen) X(fopen64) X(fork) X(fputc) X(fputs) X(fread) \
    X(ftrylockfile) X(funlockfile) X(fwrite) X(getentropy) X(getrandom) X(gettimeofday) X(ioctl) \
    X(mtx_destroy) X(mtx_init) X(mtx_lock) X(mtx_timedlock) X(mtx_trylock) X(mtx_unlock) X(nanosleep) X(open) \
    X(open64) X(pause) X(pipe) X(pipe2) X(poll) X(popen) X(posix_spawn) X(posix_spawnp) X(ppoll) X(pselect) \
    X(pthread_barrier_destroy) X(pthread_barrier_init) X(pthread_barrier_wait) X(pthread_cancel) \
    X(pthread_clockjoin_np) X(pthread_cond_broadcast) X(pthread_cond_clockwait) X(pthread_cond_destroy) \
    X(pthread_cond_init) X(pthread_cond_signal) X(pthread_cond_timedwait) X(pthread_cond_wait) \
    X(pthread_create) X(pthread_detach) X(pthread_exit) X(pthread_getspecific) X(pthread_join) \
    X(pthread_key_create) X(pthread_key_delete) X(pthread_kill) X(pthread_mutex_clocklock) \
    X(pthread_mutex_consistent) X(pthread_mutex_destroy) X(pthread_mutex_init) X(pthread_mutex_lock) \
    X(pthread_mutex_timedlock) X(pthread_mutex_trylock) X(pthread_mutex_unlock) X(pthread_once) \
    X(pthread_rwlock_clockrdlock) X(pthread_rwlock_clockwrlock) X(pthread_rwlock_destroy) \
    X(pthread_rwlock_init) X(pthread_rwlock_rdlock) X(pthread_rwlock_timedrdlock) \
    X(pthread_rwlock_timedwrlock) X(pthread_rwlock_tryrdlock) X(pthread_rwlock_trywrlock) \
    X(pthread_rwlock_unlock) X(pthread_rwlock_wrlock) X(pthread_self) X(pthread_setspecific) \
    X(pthread_spin_destroy) X(pthread_spin_init) X(pthread_spin_lock) X(pthread_spin_trylock) \
    X(pthread_spin_unlock) X(pthread_timedjoin_np) X(pthread_tryjoin_np) X(puts) X(quick_exit) X(read) \
    X(readv) X(recv) X(recvfrom) X(recvmsg) X(sched_yield) X(select) X(sem_clockwait) X(sem_destroy) \
    X(sem_getvalue) X(sem_init) X(sem_post) X(sem_timedwait) X(sem_trywait) X(sem_wait) X(send) X(sendmsg) \
    X(setitimer) X(shutdown) X(signalfd) X(sigsuspend) X(sigtimedwait) X(sigwait) X(sigwaitinfo) X(sleep) \
    X(socket) X(socketpair) X(syscall) X(system) X(thrd_create) X(thrd_detach) X(thrd_exit) X(thrd_join) \
    X(thrd_sleep) X(thrd_yield) X(time) X(timer_create) X(timerfd_create) X(timerfd_gettime) \
    X(timerfd_settime) X(timespec_get) X(usleep) X(vfprintf) X(write) X(writev)
/* clang-format on */

enum interpose_next_name {
#define INTERPOSE_NEXT_ENUM_(name) INTERPOSE_NEXT_##name,
    INTERPOSE_NEXT_NAMES(INTERPOSE_NEXT_ENUM_)
#undef INTERPOSE_NEXT_ENUM_
        INTERPOSE_NEXT_COUNT
};

#endif
