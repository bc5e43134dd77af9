/* SPDX-License-Identifier: MPL-2.0 */
#include "media/process.h"

#include <glib-unix.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Only where the death signal got lost (a thread of the parent ended, not the parent). */
#define PARENT_INTERVAL_S 2

/* A main loop that hangs so long (a device that never opens) hears neither signals nor the node:
   SIGALRM ends the process, and the node starts another. */
#define HANG_S 10

static pid_t parent;
static guint watches[4];

gboolean media_process_follow_parent(void) {
    parent = getppid();
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    return getppid() == parent;
}

static gboolean on_signal(gpointer user) {
    g_main_loop_quit(user);
    return G_SOURCE_CONTINUE;
}

static gboolean on_interval(gpointer user) {
    alarm(HANG_S);
    if (getppid() != parent) {
        g_main_loop_quit(user);
    }
    return G_SOURCE_CONTINUE;
}

void media_process_watch(GMainLoop *loop) {
    watches[0] = g_unix_signal_add(SIGTERM, on_signal, loop);
    watches[1] = g_unix_signal_add(SIGINT, on_signal, loop);
    watches[2] = g_unix_signal_add(SIGHUP, on_signal, loop);
    watches[3] = g_timeout_add_seconds(PARENT_INTERVAL_S, on_interval, loop);
    alarm(HANG_S);
}

void media_process_unwatch(void) {
    for (gsize i = 0; i < G_N_ELEMENTS(watches); i++) {
        g_clear_handle_id(&watches[i], g_source_remove);
    }
}
