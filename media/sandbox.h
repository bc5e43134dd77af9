/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What shuts the player in: after it, no file can be opened and no socket connected.
 * It owns the seccomp filter and the Landlock ruleset of this process.
 * It never opens a hole again, and never fails the program where the kernel has neither.
 */
#pragma once

#include <glib.h>

/*
 * Applies to every thread of the process (seccomp) and to the calling one (Landlock), for good.
 * Descriptors already open go on working. Returns what is in force, for people, such as
 * "seccomp, Landlock 7" or "no seccomp (Function not implemented), no Landlock (…)"; the caller
 * frees it.
 */
char *media_sandbox_enter(void);
