/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What `stats` and `streams` print: lines, voices and pictures, counted.
 * It owns their layout. It never asks anything, and changes no value.
 */
#pragma once

#include <json-glib/json-glib.h>

/* Prints the answer of `stats`. */
void stats_print(JsonObject *stats);
/* Prints one of the streams that `streams` answers. */
void stats_print_stream(JsonObject *stream);
