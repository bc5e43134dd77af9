/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Where the helper program is.
 * It owns the order of the places looked at. It never runs anything.
 */
#pragma once

#include <glib.h>

/*
 * MAILLON_MEDIA of the environment; else beside this program, as built or as installed; else where
 * this build was to be installed. NULL with an error when it is nowhere. Caller frees.
 */
char *media_program_find(GError **error);
