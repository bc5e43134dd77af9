/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What ends this process: signals, the death of the node that started it, and its own hanging.
 * It owns the signal handlers, the alarm and the watch over the parent.
 * It never ends a process whose main loop turns: it asks the loop to.
 */
#pragma once

#include <glib.h>

/*
 * To be called first in main, before any thread: asks the kernel for SIGTERM when the parent dies
 * (prctl PR_SET_PDEATHSIG). Returns FALSE when the parent is dead already.
 */
gboolean media_process_follow_parent(void);

/*
 * Quits the loop at SIGTERM, SIGINT and SIGHUP, and when the parent is no longer the one it was.
 * From now on, also after unwatch, a process whose loop stands still for 10 s is ended by SIGALRM.
 */
void media_process_watch(GMainLoop *loop);
void media_process_unwatch(void);
