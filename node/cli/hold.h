/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A command that lasts until the person ends it: `talk`, `voice send`, `voice play`. Enter on a
 * terminal, Ctrl-C, a terminal that closes, or SIGTERM ask the node to end it, and its answer is
 * still waited for. It owns that asking. It never reads a standard input that is no terminal.
 */
#pragma once

#include <glib.h>

typedef struct Hold Hold;

/* NULL when the command of these words does not last. */
Hold *hold_begin(const char *words, const char *home);
/* To be called now and then while the answer is waited for. NULL-safe. */
void hold_look(Hold *hold);
/* NULL-safe. */
void hold_end(Hold *hold);
