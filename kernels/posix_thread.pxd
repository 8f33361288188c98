"""What a real-time thread needs of POSIX and Linux, each in one call that returns 0 or an errno."""

cdef extern from *:
    """
    #include <errno.h>
    #include <pthread.h>
    #include <sched.h>
    #include <signal.h>
    #include <string.h>
    #include <sys/mman.h>
    #include <sys/prctl.h>
    #include <time.h>
    #ifndef SCHED_RESET_ON_FORK
    #define SCHED_RESET_ON_FORK 0x40000000
    #endif
    #define CVD_STACK_BYTES (256 * 1024)
    #define CVD_GUARD_BYTES (64 * 1024)

    typedef struct { pthread_t thread; char *memory; } cvd_thread;

    static inline long long cvd_clock(int clock)
    {
        struct timespec t;
        clock_gettime(clock, &t);
        return (long long)t.tv_sec * 1000000000LL + t.tv_nsec;
    }

    /* Absolute, and begun again after a signal: the deadline does not move. */
    static inline void cvd_sleep_until(long long deadline)
    {
        struct timespec t;
        t.tv_sec = deadline / 1000000000LL;
        t.tv_nsec = deadline % 1000000000LL;
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) { }
    }

    /* A stack of our own, present before the thread runs, with a guard below it. */
    static int cvd_thread_create(cvd_thread *t, void *(*entry)(void *), void *argument, int lock, int *lock_error)
    {
        pthread_attr_t attributes;
        int error;
        t->memory = (char *)mmap(NULL, CVD_GUARD_BYTES + CVD_STACK_BYTES, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
        if (t->memory == MAP_FAILED) { t->memory = NULL; return errno; }
        mprotect(t->memory, CVD_GUARD_BYTES, PROT_NONE);
        memset(t->memory + CVD_GUARD_BYTES, 0, CVD_STACK_BYTES);
        *lock_error = lock && mlock(t->memory + CVD_GUARD_BYTES, CVD_STACK_BYTES) != 0 ? errno : 0;
        pthread_attr_init(&attributes);
        pthread_attr_setstack(&attributes, t->memory + CVD_GUARD_BYTES, CVD_STACK_BYTES);
        error = pthread_create(&t->thread, &attributes, entry, argument);
        pthread_attr_destroy(&attributes);
        if (error) { munmap(t->memory, CVD_GUARD_BYTES + CVD_STACK_BYTES); t->memory = NULL; }
        return error;
    }

    static void cvd_thread_join(cvd_thread *t)
    {
        pthread_join(t->thread, NULL);
        munmap(t->memory, CVD_GUARD_BYTES + CVD_STACK_BYTES);
        t->memory = NULL;
    }

    /* Python's signal handlers belong into Python's threads; a sleeping thread's timer may be late by its slack. */
    static inline void cvd_thread_settle(void)
    {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, NULL);
        prctl(PR_SET_NAME, "cvd-scan");
        prctl(PR_SET_TIMERSLACK, 1);
    }

    static inline int cvd_set_fifo(int priority)
    {
        struct sched_param p;
        memset(&p, 0, sizeof(p));
        p.sched_priority = priority;
        return sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &p) ? errno : 0;
    }

    static inline int cvd_set_cpu(int cpu)
    {
        cpu_set_t set;
        CPU_ZERO(&set);
        if (cpu >= CPU_SETSIZE) return EINVAL;
        CPU_SET(cpu, &set);
        return sched_setaffinity(0, sizeof(set), &set) ? errno : 0;
    }
    """
    ctypedef struct RealtimeThread "cvd_thread":
        char* memory
    const int CLOCK_MONOTONIC
    const int CLOCK_REALTIME
    const int STACK_BYTES "CVD_STACK_BYTES"
    long long clock_ns "cvd_clock"(int clock) noexcept nogil
    void sleep_until "cvd_sleep_until"(long long deadline) noexcept nogil
    int thread_create "cvd_thread_create"(
        RealtimeThread* t, void* (*entry)(void*) noexcept nogil, void* argument, bint lock, int* lock_error
    ) noexcept nogil
    void thread_join "cvd_thread_join"(RealtimeThread* t) noexcept nogil
    void thread_settle "cvd_thread_settle"() noexcept nogil
    int set_fifo "cvd_set_fifo"(int priority) noexcept nogil
    int set_cpu "cvd_set_cpu"(int cpu) noexcept nogil
