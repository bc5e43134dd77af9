/* SPDX-License-Identifier: MPL-2.0 */
#include "media/sandbox.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define SANDBOX_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define SANDBOX_ARCH AUDIT_ARCH_AARCH64
#endif

/* Newer than the headers of Debian 12; the numbers are those of the kernel. */
#define LANDLOCK_ACCESS_NET_BIND_TCP_    (1ULL << 0)
#define LANDLOCK_ACCESS_NET_CONNECT_TCP_ (1ULL << 1)
#define LANDLOCK_SCOPE_ABSTRACT_UNIX_    (1ULL << 0)
#define LANDLOCK_SCOPE_SIGNAL_           (1ULL << 1)
#define LANDLOCK_ACCESS_FS_ALL_V1        ((1ULL << 13) - 1)
#define LANDLOCK_ACCESS_FS_REFER_        (1ULL << 13)
#define LANDLOCK_ACCESS_FS_TRUNCATE_     (1ULL << 14)
#define LANDLOCK_ACCESS_FS_IOCTL_DEVICE_ (1ULL << 15)

/* struct landlock_ruleset_attr as it is at ABI 6; older kernels take its beginning. */
typedef struct {
    guint64 handled_access_fs;
    guint64 handled_access_net;
    guint64 scoped;
} Ruleset;

/* A ruleset that allows nothing: whatever it handles is refused from now on. */
static char *landlock_enter(void) {
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 1) {
        return g_strdup_printf("no Landlock (%s)", g_strerror(errno));
    }
    Ruleset rules = {.handled_access_fs = LANDLOCK_ACCESS_FS_ALL_V1};
    size_t size = offsetof(Ruleset, handled_access_net);
    if (abi >= 2) {
        rules.handled_access_fs |= LANDLOCK_ACCESS_FS_REFER_;
    }
    if (abi >= 3) {
        rules.handled_access_fs |= LANDLOCK_ACCESS_FS_TRUNCATE_;
    }
    if (abi >= 4) {
        rules.handled_access_net = LANDLOCK_ACCESS_NET_BIND_TCP_ | LANDLOCK_ACCESS_NET_CONNECT_TCP_;
        size = offsetof(Ruleset, scoped);
    }
    if (abi >= 5) {
        rules.handled_access_fs |= LANDLOCK_ACCESS_FS_IOCTL_DEVICE_;
    }
    if (abi >= 6) {
        rules.scoped = LANDLOCK_SCOPE_ABSTRACT_UNIX_ | LANDLOCK_SCOPE_SIGNAL_;
        size = sizeof(rules);
    }
    int descriptor = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
    if (descriptor < 0 || syscall(SYS_landlock_restrict_self, descriptor, 0) != 0) {
        char *reason = g_strdup_printf("no Landlock (%s)", g_strerror(errno));
        if (descriptor >= 0) {
            close(descriptor);
        }
        return reason;
    }
    close(descriptor);
    return g_strdup_printf("Landlock %ld", abi);
}

#ifdef SANDBOX_ARCH
/*
 * A list of what is refused, not of what is allowed: sound servers, drivers and C libraries differ
 * too much for the second, and what matters to a decoder gone wrong is here: files, sockets,
 * programs, other processes, and the corners of the kernel with a past. A socket pair leads nowhere
 * but to oneself, and each buffer pool of GStreamer has one.
 */
static const int REFUSED[] = {
#ifdef SYS_open
    SYS_open,
    SYS_creat,
    SYS_unlink,
    SYS_rename,
    SYS_mkdir,
    SYS_rmdir,
    SYS_link,
    SYS_symlink,
    SYS_chmod,
    SYS_chown,
    SYS_lchown,
    SYS_mknod,
    SYS_fork,
    SYS_vfork,
    SYS_readlink,
    SYS_utime,
    SYS_utimes,
#endif
    SYS_openat,
    SYS_openat2,
    SYS_unlinkat,
    SYS_renameat2,
    SYS_mkdirat,
    SYS_linkat,
    SYS_symlinkat,
    SYS_fchmodat,
    SYS_fchownat,
    SYS_mknodat,
    SYS_truncate,
    SYS_chdir,
    SYS_fchdir,
    SYS_chroot,
    SYS_readlinkat,
    SYS_utimensat,
    SYS_name_to_handle_at,
    SYS_open_by_handle_at,
    SYS_setxattr,
    SYS_lsetxattr,
    SYS_removexattr,
    SYS_lremovexattr,
    SYS_inotify_init1,
    SYS_fanotify_init,
    SYS_socket,
    SYS_connect,
    SYS_bind,
    SYS_listen,
    SYS_accept,
    SYS_accept4,
    SYS_execve,
    SYS_execveat,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_kcmp,
    SYS_pidfd_open,
    SYS_pidfd_getfd,
    SYS_pidfd_send_signal,
    SYS_prlimit64,
    SYS_setns,
    SYS_unshare,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_quotactl,
    SYS_acct,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_mq_open,
    SYS_msgget,
};

/* The part of the program that is not the list; see filter_build(). */
#define FILTER_MAX (G_N_ELEMENTS(REFUSED) * 2 + 16)

static void filter_add(struct sock_filter *filter, unsigned short *count,
                       struct sock_filter instruction) {
    g_assert(*count < FILTER_MAX);
    filter[(*count)++] = instruction;
}

static unsigned short filter_build(struct sock_filter *filter) {
    unsigned short count = 0;
    const struct sock_filter refuse =
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (EACCES & SECCOMP_RET_DATA));
    const struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
#define ADD(...) filter_add(filter, &count, (struct sock_filter)__VA_ARGS__)
    /* System calls of another architecture have other numbers: none of them. */
    ADD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)));
    ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SANDBOX_ARCH, 1, 0));
    ADD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
    ADD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
#ifdef __x86_64__
    /* Nor of x32, which hide behind this bit. */
    ADD(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1));
    filter_add(filter, &count, refuse);
#endif
    for (gsize i = 0; i < G_N_ELEMENTS(REFUSED); i++) {
        ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (guint32)REFUSED[i], 0, 1));
        filter_add(filter, &count, refuse);
    }
    /* clone3 hides its flags behind a pointer: without it the C library falls back to clone. */
    ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1));
    ADD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (ENOSYS & SECCOMP_RET_DATA)));
    /* clone for threads only. */
    ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3));
    ADD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])));
    ADD(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0));
    filter_add(filter, &count, refuse);
    filter_add(filter, &count, allow);
#undef ADD
    return count;
}

static char *seccomp_enter(void) {
    struct sock_filter filter[FILTER_MAX];
    struct sock_fprog program = {.len = filter_build(filter), .filter = filter};
    long result =
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
    if (result == 0) {
        return g_strdup("seccomp");
    }
    /* A positive result is the thread that could not be joined in. */
    return g_strdup_printf("no seccomp (%s)", result > 0 ? "a thread refused" : g_strerror(errno));
}
#else
static char *seccomp_enter(void) {
    return g_strdup("no seccomp (not written for this processor)");
}
#endif

char *media_sandbox_enter(void) {
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return g_strdup_printf("no sandbox (%s)", g_strerror(errno));
    }
    /* Landlock first: its system calls are none that the filter refuses, but order costs nothing.
     */
    g_autofree char *landlock = landlock_enter();
    g_autofree char *seccomp = seccomp_enter();
    return g_strdup_printf("%s, %s", seccomp, landlock);
}
